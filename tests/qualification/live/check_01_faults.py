"""Check 1: whatever is killed, cut off or full, no acknowledged event is lost or stored twice."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from recsys.errors import RecsysError, StoreFullError, StoreUnavailableError
from recsys.store.committer import GroupCommitter
from recsys.store.open import open_store
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store
from tests.deployments import Deployment
from tests.disks import Disk, disk
from tests.event_load import EventLoad, Found, find
from tests.postgres import Postgres
from tests.power_cuts import AfterCut, cut_once
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, equal, figure
from tests.stores import log_event

KILLS = 100
"""Of processes, over each kind of store."""
CUTS = 100
SERVER_KILLS = 10
"""Of PostgreSQL itself, and as many restarts."""
FAULTS = 50
"""Of the disk, of each kind."""
LONGEST_S = 0.5
"""Seconds of load before a kill at most."""
ALLOWED = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED"})
"""What a caller may be told while something is away."""


def run(room: Room) -> Iterator[Row]:
    """Kills, cuts and fills; counts what is there afterwards."""
    with TemporaryDirectory(prefix="recsys-") as folder:
        yield from _power_cuts(room, Path(folder))
        yield from _failing_disks(room, Path(folder))
        url = f"store://{Path(folder) / 'store'}"
        yield from _kills(room, url, "SQLite")
    with _postgres() as server:
        yield from _kills(room, server.new_database(), "PostgreSQL")
        yield from _postgres_kills(room, server)


def _power_cuts(room: Room, folder: Path) -> Iterator[Row]:
    for mode in ("FULL", "NORMAL"):
        cuts: list[AfterCut] = []
        for seed in range(CUTS):
            if seed % 20 == 0:
                room.step(f"power cut {seed} of {CUTS}, synchronous={mode}")
            cuts.append(cut_once(folder / f"{mode}-{seed}", seed, mode))
        name = f"{CUTS} power cuts, synchronous={mode}"
        yield figure(f"{name}: acknowledged events", sum(cut.acknowledged for cut in cuts))
        lost = sum(cut.lost for cut in cuts)
        if mode == "FULL":
            yield equal(f"{name}: lost", lost, 0)
        else:  # or the rows above prove nothing
            yield above(f"{name} (control): lost", lost, 0)
        yield equal(f"{name}: stored twice", sum(cut.twice for cut in cuts), 0)
        yield equal(f"{name}: batches half there", sum(cut.half_written for cut in cuts), 0)
        whole = sum(cut.in_order and cut.sound for cut in cuts)
        yield equal(f"{name}: stores whole and in order afterwards", whole, CUTS)


@dataclass(frozen=True, slots=True)
class _DiskFault:
    name: str
    error: type[apsw.Error]
    kind: str
    expected: type[RecsysError]


_DISK_FAULTS = (
    _DiskFault("full disk", apsw.FullError, "write", StoreFullError),
    _DiskFault("write error", apsw.IOError, "write", StoreUnavailableError),
    _DiskFault("sync error", apsw.IOError, "sync", StoreUnavailableError),
)


def _failing_disks(room: Room, folder: Path) -> Iterator[Row]:
    for number, fault in enumerate(_DISK_FAULTS):
        room.step(fault.name)
        told: Counter[str] = Counter()
        with disk(f"failing-{number}") as failing:
            database = SqliteDatabase(folder / f"failing-{number}.db", vfs=f"failing-{number}")
            database.migrate()
            store = Store(database, GroupCommitter(database, clock=lambda: 0))
            acknowledged = _store_over_faults(store, failing, fault, told)
            rows = [str(row[1]) for row in store.rows(0, 10**9, 10**9)]
            store.close()
        yield equal(f"{fault.name}: told", ", ".join(sorted(told)), fault.expected.reason)
        yield above(f"{fault.name}: times", sum(told.values()), FAULTS / 2)
        yield equal(f"{fault.name}: events lost", len(set(acknowledged) - set(rows)), 0)
        yield equal(f"{fault.name}: events stored twice", len(rows) - len(set(rows)), 0)
        halves = {int(each.partition("-")[0]) for each in rows}
        yield equal(f"{fault.name}: batches half there", len(halves) * _BATCH - len(rows), 0)


_BATCH = 20


def _store_over_faults(
    store: Store, failing: Disk, fault: _DiskFault, told: Counter[str]
) -> list[str]:
    """Stores batch after batch; every other one meets a fault after some operations."""
    chance = random.Random(fault.name)  # noqa: S311  not a secret
    acknowledged: list[str] = []
    for turn in range(2 * FAULTS):
        failing.fault = _nothing
        if turn % 2:
            last = failing.operations + chance.randint(1, 6)
            failing.fault = _from(last, fault)
        ids = [f"{turn}-{place}" for place in range(_BATCH)]
        try:
            store.append([log_event(each, f"c{chance.randrange(500)}") for each in ids])
        except RecsysError as error:
            told[error.reason] += 1
        else:
            acknowledged += ids
    failing.fault = _nothing
    return acknowledged


def _nothing(_: int, __: str) -> None:
    pass


def _from(last: int, fault: _DiskFault) -> Callable[[int, str], None]:
    def fail(number: int, kind: str) -> None:
        if number >= last and kind == fault.kind:
            raise fault.error(fault.name)

    return fail


def _kills(room: Room, url: str, name: str) -> Iterator[Row]:
    log = room.folder / "logs" / f"live-1-{name}.log"
    log.unlink(missing_ok=True)
    deployment = Deployment(room.root, room.demo_bundles(), url, log)
    chance = random.Random(name)  # noqa: S311  not a secret
    killed: Counter[str] = Counter()
    try:
        deployment.start()
        with EventLoad(deployment.targets, seed=1) as load:
            load.wait_for_more(100)
            for turn in range(KILLS):
                room.step(f"{name}: kill {turn} of {KILLS}")
                victim = deployment.names[turn % len(deployment.names)]
                time.sleep(chance.uniform(0.0, LONGEST_S))
                deployment.kill(victim)
                deployment.start_one(victim)
                deployment.wait_for(victim)
                load.wait_for_more(1)
                killed["writer" if victim == "writer" else "servers"] += 1
    finally:
        deployment.stop()
    what = ", ".join(f"{count} of {kind}" for kind, count in sorted(killed.items()))
    yield from _found(f"{name}, kill -9 ({what})", url, [load])


def _postgres_kills(room: Room, server: Postgres) -> Iterator[Row]:
    url = server.new_database()
    log = room.folder / "logs" / "live-1-postgres-away.log"
    deployment = Deployment(room.root, room.demo_bundles(), url, log)
    chance = random.Random(3)  # noqa: S311  not a secret
    longest = 0.0
    try:
        deployment.start()
        with EventLoad(deployment.targets, seed=2) as load:
            load.wait_for_more(100)
            for turn in range(2 * SERVER_KILLS):
                room.step(f"PostgreSQL away, {turn} of {2 * SERVER_KILLS}")
                time.sleep(chance.uniform(0.0, LONGEST_S))
                if turn % 2:
                    server.restart()
                else:
                    server.kill()
                    time.sleep(chance.uniform(0.0, 2.0))
                    server.start()
                began = time.monotonic()
                load.wait_for_more(1)
                longest = max(longest, time.monotonic() - began)
    finally:
        deployment.stop()
    yield figure("PostgreSQL away: seconds to the next acknowledged event at most", longest)
    name = f"PostgreSQL killed {SERVER_KILLS} times, restarted as often"
    yield from _found(name, url, [load])


def _found(name: str, url: str, loads: Sequence[EventLoad]) -> Iterator[Row]:
    store = open_store(url)
    found: Found = find(store, loads)
    store.close()
    codes = sum((load.codes for load in loads), Counter[str]())
    yield figure(f"{name}: acknowledged events", found.acknowledged)
    yield equal(f"{name}: lost", found.lost, 0)
    yield equal(f"{name}: stored twice", found.twice, 0)
    yield equal(f"{name}: stored and never sent", found.unknown, 0)
    yield equal(f"{name}: positions without a gap", str(found.in_order), "True")
    others = sum(count for code, count in codes.items() if code not in ALLOWED)
    yield equal(f"{name}: failures other than UNAVAILABLE", others, 0)


@contextmanager
def _postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    try:
        yield server
    finally:
        server.remove()
