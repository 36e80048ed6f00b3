"""The real server: subprocesses, signals, and a bundle on disk."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from recsys.bundle import activate
from recsys.client import RecsysClient, UnavailableError
from recsys.errors import InvalidFilterError, InvalidQueryError, RecsysError
from recsys.fitting.fit import Fitted, write_fitted
from recsys.types import Tier
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from serving.settings import ServingSettings
from tests.unimportable import unimportable

READY_S = 60.0


def free_ports(count: int) -> int:
    """Returns the first of so many neighbouring free ports."""
    for base in range(20_000 + os.getpid() % 10_000, 60_000, count):
        taken = False
        for port in range(base, base + count):
            with socket.socket() as probe:
                taken = taken or probe.connect_ex(("127.0.0.1", port)) == 0
        if not taken:
            return base
    raise AssertionError("no free ports")


@dataclass
class Running:
    """A `python -m serving run` and where it logs to."""

    popen: subprocess.Popen[bytes]
    ports: list[int]
    log: Path

    @property
    def targets(self) -> list[str]:
        return [f"127.0.0.1:{port}" for port in self.ports]

    def lines(self, event: str) -> list[dict[str, Any]]:
        written = self.log.read_text().rpartition("\n")[0]  # the last line may be half-written
        # gRPC's own library writes plain text beside our lines.
        lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait_for(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        deadline = time.monotonic() + READY_S
        while len(found := self.lines(event)) < count:
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return found


@contextmanager
def serving(
    root: Path, log: Path, processes: int = 1, port: int | None = None, **settings: str
) -> Iterator[Running]:
    base = port or free_ports(processes)
    options = ["--bundles", str(root), "--port", str(base), "--processes", str(processes)]
    settings = {"drain_s": "0.1"} | settings
    environ = {f"RECSYS_SERVING_{name.upper()}": value for name, value in settings.items()}
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "serving", "run", *options],
            stderr=output,
            env=os.environ | environ,
        )
    try:
        yield Running(popen, list(range(base, base + processes)), log)
    finally:
        if popen.poll() is None:
            popen.send_signal(signal.SIGTERM)
        popen.wait(30)


@pytest.fixture(scope="module")
def running(bundle_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server process over the shop's bundle."""
    log = tmp_path_factory.mktemp("serving") / "server.log"
    with serving(bundle_root, log) as running:
        running.wait_for("server.ready")
        yield running


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[RecsysClient]:
    with RecsysClient(running.targets, timeout_s=10) as client:
        client.wait_until_ready(READY_S)
        yield client


def test_known_customer_gets_a_personal_list(client: RecsysClient, bundle_root: Path) -> None:
    answer = client.recommend("for_you", customer_id="customer-01", limit=5, item_fields=["title"])
    assert answer.tier is Tier.PERSONALISED
    assert len(answer.items) == 5
    assert all(str(item.details["title"]).startswith(("Tea", "Coffee")) for item in answer.items)
    assert answer.bundle_version == (bundle_root / "current").read_text().strip()


def test_unknown_customer_is_no_error(client: RecsysClient) -> None:
    answer = client.recommend("for_you", customer_id="never-seen")
    assert len(answer.items) == 10
    assert answer.tier in (Tier.SEGMENT, Tier.POPULAR)


def test_unknown_context_item_is_listed(client: RecsysClient) -> None:
    answer = client.recommend("similar_items", context_item_ids=["item-00", "gone"])
    assert answer.missing_item_ids == ("gone",)
    assert answer.items


def test_filter_holds_or_is_explained(client: RecsysClient) -> None:
    answer = client.recommend("popular", filter="price < 9", item_fields=["price"])
    prices = [item.details["price"] for item in answer.items]
    assert prices
    assert all(isinstance(price, float) and price < 9 for price in prices)
    with pytest.raises(InvalidFilterError) as caught:
        client.recommend("popular", filter="price < 9 AND colour = 'red'")
    assert caught.value.position >= 14
    assert "colour" in str(caught.value)


def test_market_decides_price_and_availability(client: RecsysClient) -> None:
    answer = client.recommend("popular", market="de", item_fields=["price", "available"], limit=40)
    assert answer.items
    for item in answer.items:
        number = int(item.item_id.removeprefix("item-"))
        if number < 24:
            assert item.details == {"price": 1.0 + number, "available": True}


@pytest.mark.parametrize(("limit", "applied"), [(0, 10), (1000, 500)])
def test_page_size(client: RecsysClient, limit: int, applied: int) -> None:
    assert client.recommend("popular", limit=limit).page_size == applied
    with pytest.raises(InvalidQueryError, match="limit: must not be negative"):
        client.recommend("popular", limit=-1)


def test_batch_equals_single(client: RecsysClient) -> None:
    ids = [f"customer-{number:02}" for number in range(60)] + ["never-seen"]
    when = client.recommend("popular").query_time
    for result in client.recommend_batch("for_you", ids, query_time=when):
        single = client.recommend("for_you", customer_id=result.customer_id, query_time=when)
        assert (result.items, result.tier) == (single.items, single.tier)


@dataclass
class Load:
    """Calls that go on until told to stop, and how they ended."""

    answered: int
    refused: list[grpc.StatusCode]
    failed: list[RecsysError]


@contextmanager
def load(call: Callable[[], object], threads: int = 4) -> Iterator[Load]:
    outcome, lock, stop = Load(0, [], []), threading.Lock(), threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                call()
            except grpc.RpcError as error:
                with lock:
                    outcome.refused.append(error.code())
                time.sleep(0.01)
            except RecsysError as error:
                with lock:
                    outcome.failed.append(error)
                time.sleep(0.01)
            else:
                with lock:
                    outcome.answered += 1

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield outcome
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def stopped_under_load(running: Running, outcome: Load) -> None:
    """Sends SIGTERM once calls are flowing, and goes on calling until the server is gone."""
    while outcome.answered < 50:
        time.sleep(0.01)
    running.popen.send_signal(signal.SIGTERM)
    assert running.popen.wait(30) == 0
    time.sleep(0.3)


def test_sigterm_under_load_fails_no_accepted_call(bundle_root: Path, tmp_path: Path) -> None:
    """Every call that the server took up was answered; later ones never reached it."""
    with serving(bundle_root, tmp_path / "log", drain_s="1.0") as running:
        running.wait_for("server.ready")
        with RecsysClient(running.targets, timeout_s=10) as client:
            client.wait_until_ready(READY_S)
            with load(lambda: client.recommend("for_you", customer_id="customer-01")) as outcome:
                stopped_under_load(running, outcome)
        finished = running.lines("rpc.finished")
    assert {line["code"] for line in finished} == {"OK"}
    assert len(finished) == outcome.answered
    assert {type(error) for error in outcome.failed} == {UnavailableError}


def test_sigterm_under_load_without_health_checks(bundle_root: Path, tmp_path: Path) -> None:
    """A caller that does not watch health still gets an answer to all that was taken up."""
    with serving(bundle_root, tmp_path / "log") as running:
        running.wait_for("server.ready")
        with grpc.insecure_channel(running.targets[0]) as channel:
            stub = RecommendationServiceStub(channel)
            request = pb.RecommendRequest(placement="for_you", customer_id="customer-01")
            with load(lambda: stub.Recommend(request, timeout=10)) as outcome:
                stopped_under_load(running, outcome)
        finished = running.lines("rpc.finished")
    assert {line["code"] for line in finished} == {"OK"}
    assert len(finished) == outcome.answered
    # gRPC cancels what arrives in the instant in which the port closes.
    assert set(outcome.refused) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


def test_rolling_restart_fails_no_call(bundle_root: Path, tmp_path: Path) -> None:
    """One of two processes stops and comes back; the shipped client notices nothing."""
    with serving(bundle_root, tmp_path / "log", processes=2, drain_s="1.0") as running:
        ready = running.wait_for("server.ready", 2)
        with RecsysClient(running.targets, timeout_s=10) as client:
            client.wait_until_ready(READY_S)
            with load(lambda: client.recommend("for_you", customer_id="customer-01")) as outcome:
                pid = running.lines("process.started")[0]["pid"]
                os.kill(pid, signal.SIGTERM)
                running.wait_for("server.stopped")
                running.wait_for("server.ready", len(ready) + 1)
    assert outcome.answered > 0
    assert outcome.failed == []


def test_processes_stop_when_their_supervisor_is_killed(bundle_root: Path, tmp_path: Path) -> None:
    with serving(bundle_root, tmp_path / "log") as running:
        running.wait_for("server.ready")
        running.popen.kill()
        running.popen.wait(10)
        deadline = time.monotonic() + READY_S
        while not running.lines("server.stopped"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def damaged_file(bundle: Path) -> Path:
    """Flips a bit in the middle of the bundle's largest file; returns the file."""
    file = max((path for path in bundle.rglob("*") if path.is_file()), key=os.path.getsize)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.chmod(0o644)
    file.write_bytes(content)
    return file


@pytest.fixture
def own_root(bundle_root: Path, tmp_path: Path) -> Path:
    """A copy of the bundle root that a test may change."""
    return Path(shutil.copytree(bundle_root, tmp_path / "bundles", symlinks=True))


def current_version(root: Path) -> str:
    return (root / "current").read_text().strip()


def test_damaged_bundle_is_refused_at_start(own_root: Path, tmp_path: Path) -> None:
    file = damaged_file(own_root / current_version(own_root))
    with serving(own_root, tmp_path / "log") as running:
        assert running.popen.wait(READY_S) == 1
    text = running.log.read_text()
    assert "error: " in text
    assert file.name in text
    assert "Traceback" not in text


def test_missing_bundle_is_refused_at_start(tmp_path: Path) -> None:
    with serving(tmp_path, tmp_path / "log") as running:
        assert running.popen.wait(READY_S) == 1
    assert "error: " in running.log.read_text()


def test_taken_port_is_refused_at_start(bundle_root: Path, tmp_path: Path) -> None:
    with serving(bundle_root, tmp_path / "log") as first:
        first.wait_for("server.ready")
        with serving(bundle_root, tmp_path / "other", port=first.ports[0]) as second:
            assert second.popen.wait(READY_S) == 1
    assert "is the port taken?" in second.log.read_text()


def test_damaged_bundle_at_reload_keeps_the_old_one(own_root: Path, tmp_path: Path) -> None:
    old = current_version(own_root)
    with serving(own_root, tmp_path / "log", poll_interval_s="0.1") as running:
        running.wait_for("server.ready")
        with RecsysClient(running.targets, timeout_s=10) as client:
            client.wait_until_ready(READY_S)
            new = f"{old}-next"
            shutil.copytree(own_root / old, own_root / new)
            file = damaged_file(own_root / new)
            (own_root / "current").write_text(new)
            [refused] = running.wait_for("bundle.refused")
            assert file.name in refused["error"]
            assert client.recommend("popular").bundle_version == old


def test_new_bundle_is_taken_up(own_root: Path, fitted: Fitted, tmp_path: Path) -> None:
    with serving(own_root, tmp_path / "log", poll_interval_s="0.1") as running:
        running.wait_for("server.ready")
        with RecsysClient(running.targets, timeout_s=10) as client:
            client.wait_until_ready(READY_S)
            with load(lambda: client.recommend("popular"), threads=2) as outcome:
                now = datetime(2026, 6, 1, tzinfo=UTC)
                new = write_fitted(fitted, own_root, now=now)
                activate(own_root, new.name)
                running.wait_for("bundle.loaded", 2)
            assert client.recommend("popular").bundle_version == new.name
    assert outcome.answered > 0
    assert outcome.failed == []


def test_server_needs_no_learning_library(bundle_root: Path) -> None:
    """Starts a process with the libraries made unimportable, and asks it.

    LightGBM is read for bundles with trees alone; this one has none.
    """
    port = free_ports(1)
    settings = ServingSettings(bundles=bundle_root, port=port).model_dump_json()
    script = unimportable("implicit", "torch", "lightgbm") + (
        f"from serving.cli import app\n"
        f"app(['process', '--settings', {settings!r}, '--port', '{port}'])"
    )
    popen = subprocess.Popen([sys.executable, "-c", script])
    try:
        with RecsysClient([f"127.0.0.1:{port}"], timeout_s=10) as client:
            client.wait_until_ready(READY_S)
            assert client.recommend("for_you", customer_id="customer-01").items
    finally:
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(30) == 0
