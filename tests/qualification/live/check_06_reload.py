"""Check 6: 200 reloads under load: nothing fails, nothing is mixed, memory is flat."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from recsys.bundle import activate, list_bundles
from recsys.data.dataset import Dataset
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_most, equal, figure
from tests.qualification.servers import Running, ServerError, started
from tests.two_shops import NAMES, Load, renamed

RELOADS, SETTLED_AFTER = 200, 20
GROWTH = 1.05
CALLERS = 3
WAIT_S, POLL_S = 120.0, 0.05
ONE_MORE = 5
"""Answers of a bundle before the next one is activated."""


def run(room: Room) -> Iterator[Row]:
    """Swaps two bundles of the demo shop whose items have other names."""
    root = _two_bundles(room)
    versions = [path.name for path in list_bundles(root)]
    activate(root, versions[0])
    log = room.folder / "logs" / "live-6.log"
    with started(room.root, root, log, poll_interval_s=POLL_S) as server:
        server.wait_for("server.ready")
        customers = Dataset.open(_data(room, NAMES[0])).events.select("customer_id").unique()
        callers = Load(
            server.target,
            dict(zip(versions, NAMES, strict=True)),
            tuple(customers.sort("customer_id").collect()["customer_id"].head(500)),
        )
        callers.start(CALLERS)
        try:
            yield from _reloads(room, root, server, callers)
            yield from _rolled_back(room, root, callers)
        finally:
            callers.stop()
        yield from _verdict(callers, server)


def _reloads(room: Room, root: Path, server: Running, callers: Load) -> Iterator[Row]:
    versions = list(callers.named)
    began, held, sizes = time.monotonic(), 0, {}
    for number in range(1, RELOADS + 1):
        if number % 20 == 1:
            room.step(f"reload {number} of {RELOADS}")
        wanted = versions[number % 2]
        before = callers.answered[wanted]
        activate(root, wanted)
        _wait_for(lambda b=before, w=wanted: callers.answered[w] > b + ONE_MORE, "an answer")
        if number in (SETTLED_AFTER, RELOADS):
            _wait_for(lambda w=wanted: _mapped(server) <= {w}, "the end of the bundle before")
            held, sizes[number] = max(held, len(_mapped(server))), _resident_mb(server)
    yield figure("seconds for a reload", (time.monotonic() - began) / RELOADS)
    yield equal("bundles in memory after a reload", held, 1)
    yield figure(f"MiB after {SETTLED_AFTER} reloads", sizes[SETTLED_AFTER])
    yield figure(f"MiB after {RELOADS} reloads", sizes[RELOADS])
    yield at_most("growth of memory", sizes[RELOADS] / sizes[SETTLED_AFTER], GROWTH)


def _rolled_back(room: Room, root: Path, callers: Load) -> Iterator[Row]:
    """One command, and the version before answers."""
    older, newer = callers.named
    activate(root, newer)
    before = callers.answered[newer]
    _wait_for(lambda: callers.answered[newer] > before, "an answer of the newer bundle")
    done = room.python(
        "live-6-rollback", "-m", "training", "bundles", "rollback", "--bundles", root
    )
    yield equal("exit status of rollback", done.status, 0)
    began, before = time.monotonic(), callers.answered[older]
    _wait_for(lambda: callers.answered[older] > before, "an answer after the rollback")
    yield figure("seconds until the version before answers", time.monotonic() - began)


def _verdict(callers: Load, server: Running) -> Iterator[Row]:
    yield above("answers under load", callers.answered.total(), 10 * RELOADS)
    yield equal("calls that failed", len(callers.failed), 0)
    if callers.failed:
        yield equal("the first of them", callers.failed[0], "none")
    yield equal("answers that mix two bundles", len(callers.mixed), 0)
    yield equal("bundles that were refused", len(server.lines("bundle.refused")), 0)
    yield equal("exit status after SIGTERM", server.stop(), 0)


def _mapped(server: Running) -> set[str]:
    """Returns the bundle versions that the serving process has files of in memory."""
    maps = Path(f"/proc/{_process(server).pid}/maps").read_text(encoding="utf-8")
    return set(re.findall(r"/bundles/([^/\n]+)/", maps))


def _resident_mb(server: Running) -> float:
    return float(_process(server).memory_info().rss) / 2**20


def _process(server: Running) -> psutil.Process:
    """Returns the process that answers; the other one supervises it."""
    [process] = psutil.Process(server.popen.pid).children()
    return process


def _two_bundles(room: Room) -> Path:
    """Returns a bundle root with a bundle of each shop, fitted by this commit."""
    root = room.of_commit("reload") / "bundles"
    for place, name in enumerate(NAMES):
        if len(list_bundles(root)) == place:
            words = ("--no-choose", "--data", _data(room, name), "--bundles", root)
            room.must(f"live-6-fit-{name}", "-m", "training", "run", *words)
    return root


def _data(room: Room, name: str) -> Path:
    """Returns the demo shop with other names, prepared by this commit."""
    folder = room.of_commit("reload") / name
    out = folder / "data"
    if not out.is_dir():
        folder.mkdir(exist_ok=True)
        shop = renamed(Dataset.open(room.demo_data()), name)
        shop.events.sink_parquet(folder / "events.parquet")
        shop.items.write_parquet(folder / "items.parquet")
        words = ("--events", folder / "events.parquet", "--items", folder / "items.parquet")
        room.must(f"live-6-{name}", "-m", "training", "prepare", *words, "--out", out)
    return out


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise ServerError(f"{what} did not come within {WAIT_S:g} s")
        time.sleep(0.005)
