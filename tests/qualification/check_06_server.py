"""Check 6: a server that is misused, stopped under load, given damaged bundles, kept lean."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc

from recsys.bundle import current
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.qualification.misuse import outcomes
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, equal, figure, says
from tests.qualification.servers import READY_S, Running, client_of, started
from tests.unimportable import unimportable

THREADS, CALLS_BEFORE_STOP, LOAD_S = 6, 500, 60.0


def run(room: Room) -> Iterator[Row]:
    """Starts real servers on the demo bundle, each for one of the claims."""
    bundles, logs = room.demo_bundles(), room.folder / "logs"
    room.step("misuse")
    # A deadline of the server's own that has always passed: callers' deadlines go before it.
    with started(room.root, bundles, logs / "6-misuse.log", deadline_s=1e-9) as server:
        server.wait_for("server.ready")
        yield from outcomes(server.target)
        yield equal("tracebacks in the server's log", len(server.lines("rpc.failed")), 0)
    room.step("SIGTERM under load")
    with started(room.root, bundles, logs / "6-sigterm.log") as server:
        yield from _stopped_under_load(server)
    with TemporaryDirectory(prefix="recsys-") as folder:
        root = Path(shutil.copytree(bundles, Path(folder) / "bundles", symlinks=True))
        room.step("damaged bundle at reload")
        yield from _reload(room, root)
        room.step("damaged bundle at start")
        yield from _start(room, root)
        room.step("implicit and torch not importable")
        (Path(folder) / "sitecustomize.py").write_text(
            unimportable("implicit", "torch"), encoding="utf-8"
        )
        log = logs / "6-lean.log"
        with (
            started(room.root, bundles, log, before=Path(folder)) as server,
            client_of(server) as client,
        ):
            items = client.recommend("for_you", limit=20).items
            yield equal("items without implicit and torch", len(items), 20)
            yield equal("exit status without implicit and torch", server.stop(), 0)


@dataclass(slots=True)
class _Load:
    """Calls of several threads, and how they ended."""

    target: str
    answered: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self) -> None:
        """Calls without a pause and without retries until told to stop."""
        request = pb.RecommendRequest(placement="for_you", page_size=20)
        end = time.monotonic() + LOAD_S
        with grpc.insecure_channel(self.target) as channel:
            stub = RecommendationServiceStub(channel)
            while not self.over.is_set() and time.monotonic() < end:
                try:
                    stub.Recommend(request, timeout=10)
                except grpc.RpcError as error:
                    code = error.code().name
                    with self.lock:
                        self.refused[code] = self.refused.get(code, 0) + 1
                    time.sleep(0.01)
                else:
                    with self.lock:
                        self.answered += 1


def _stopped_under_load(server: Running) -> Iterator[Row]:
    """What the server took up, by its own log, must be what callers got."""
    server.wait_for("server.ready")
    load = _Load(server.target)
    threads = [threading.Thread(target=load.call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LOAD_S
    while load.answered < CALLS_BEFORE_STOP and time.monotonic() < end:
        time.sleep(0.01)
    before = load.answered
    status = server.stop()
    load.over.set()
    for thread in threads:
        thread.join()
    finished = server.lines("rpc.finished")
    failed = sum(line["code"] != "OK" for line in finished)
    yield at_least("SIGTERM: calls answered before", before, CALLS_BEFORE_STOP)
    yield figure("SIGTERM: calls answered after", load.answered - before)
    yield equal("SIGTERM: accepted calls that failed", failed, 0)
    yield equal("SIGTERM: accepted calls without an answer", len(finished) - load.answered, 0)
    codes = set(load.refused) - {"UNAVAILABLE", "CANCELLED"}
    yield equal("SIGTERM: calls refused for another reason", " ".join(codes) or "none", "none")
    yield equal("SIGTERM: exit status", status, 0)


def _damaged(bundle: Path) -> Path:
    """Flips one bit in the middle of the bundle's largest file; returns the file."""
    file = max((path for path in bundle.rglob("*") if path.is_file()), key=os.path.getsize)
    with file.open("r+b") as content:
        content.seek(file.stat().st_size // 2)
        byte = content.read(1)[0]
        content.seek(-1, os.SEEK_CUR)
        content.write(bytes([byte ^ 0x10]))
    return file


def _reload(room: Room, root: Path) -> Iterator[Row]:
    old = current(root)
    new = Path(shutil.copytree(old, root / f"{old.name}-next"))
    file = _damaged(new)
    log = room.folder / "logs" / "6-reload.log"
    with started(room.root, root, log) as server, client_of(server) as client:
        # By hand: `activate` itself refuses a damaged bundle.
        (root / "current").write_text(new.name, encoding="utf-8")
        [refused, *_] = server.wait_for("bundle.refused")
        yield says("damaged bundle at reload", refused["error"], file.name, "damaged: sha256")
        answer = client.recommend("popular")
        yield equal("bundle that serves after it", answer.bundle_version, old.name)


def _start(room: Room, root: Path) -> Iterator[Row]:
    """The pointer names the damaged bundle by now."""
    file = max((path for path in current(root).rglob("*") if path.is_file()), key=os.path.getsize)
    with started(room.root, root, room.folder / "logs" / "6-start.log") as server:
        status = server.popen.wait(READY_S)
    text = server.log.read_text(encoding="utf-8")
    error = next((line for line in text.splitlines() if line.startswith("error:")), text)
    yield equal("damaged bundle at start, exit status", status, 1)
    yield says("damaged bundle at start", error, file.name, "damaged: sha256")
    yield equal("damaged bundle at start, tracebacks", text.count("Traceback"), 0)
