"""One power cut while events are stored, and what is on the disk afterwards."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

from recsys.errors import StoreError
from recsys.store.committer import GroupCommitter
from recsys.store.events import LogEvent
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store
from tests.disks import disk
from tests.stores import log_event

WRITERS = 3
LATEST_CUT = 9000
"""Operations on the disk before the cut at most. A small commit takes about ten, and after about
4,000 the log is folded into the file, which is a moment worth cutting too."""


@dataclass(frozen=True, slots=True)
class AfterCut:
    """What a store holds once the power is back."""

    acknowledged: int
    lost: int
    """Acknowledged events that are not there."""
    twice: int
    """Events that are there more than once."""
    half_written: int
    """Batches of which a part is there."""
    in_order: bool
    """Positions are 1, 2, ... without gaps."""
    sound: bool
    """SQLite finds the file whole, and the store takes another event."""


def cut_once(folder: Path, seed: int, synchronous: str = "FULL") -> AfterCut:
    """Stores events from several threads, cuts the power at a random moment, looks again."""
    chance = random.Random(seed)  # noqa: S311  not a secret
    before, after = folder / "before", folder / "after"
    before.mkdir(parents=True)
    after.mkdir()
    vfs = f"power-{folder.name}-{seed}-{synchronous}"
    with disk(vfs) as failing:
        database = SqliteDatabase(before / "events.db", synchronous=synchronous, vfs=vfs)
        database.migrate()
        last = failing.operations + chance.randint(10, LATEST_CUT)

        def fault(number: int, _: str) -> None:
            if number == last:
                failing.cut_power(after, chance)
            if number >= last:
                raise apsw.IOError("there is no power")

        failing.fault = fault
        sent, acknowledged = _load(Store(database, _committer(database)), seed)
        database.close()
    return _look(SqliteDatabase(after / "events.db"), sent, acknowledged)


def _committer(database: SqliteDatabase) -> GroupCommitter:
    return GroupCommitter(database, clock=lambda: 0)


def _load(store: Store, seed: int) -> tuple[list[list[str]], list[str]]:
    """Stores batches until the store fails; returns what was sent and what was acknowledged."""
    sent: list[list[str]] = []
    acknowledged: list[str] = []

    def write(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")  # noqa: S311
        for turn in range(100_000):
            size = chance.choice((1, 1, 3, 40))
            ids = [f"{number}-{turn}-{place}" for place in range(size)]
            sent.append(ids)
            try:
                store.append(_events(ids, chance))
            except StoreError:
                return
            acknowledged.extend(ids)
            if chance.random() < 0.1:  # as a caller does who did not hear the answer
                try:
                    store.append(_events(ids, chance))
                except StoreError:
                    return

    _in_threads([lambda number=number: write(number) for number in range(WRITERS)])
    return sent, acknowledged


def _in_threads(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _events(ids: list[str], chance: random.Random) -> list[LogEvent]:
    return [
        log_event(each, f"c{chance.randrange(1000)}", f"i{chance.randrange(99)}") for each in ids
    ]


def _look(database: SqliteDatabase, sent: list[list[str]], acknowledged: list[str]) -> AfterCut:
    database.migrate()  # as every start does
    store = Store(database, _committer(database))
    with store.read() as session:
        [[verdict]] = session.rows("PRAGMA integrity_check")
    rows = store.rows(0, 10**9, 10**9)
    there = Counter(str(row[1]) for row in rows)
    again = store.append([log_event("one more")])
    database.close()
    return AfterCut(
        acknowledged=len(acknowledged),
        lost=sum(each not in there for each in acknowledged),
        twice=sum(count > 1 for count in there.values()),
        half_written=sum(len({each in there for each in ids}) > 1 for ids in sent),
        in_order=[row[0] for row in rows] == list(range(1, len(rows) + 1)),
        sound=verdict == "ok" and again[:4] == (1, 0, 0, len(rows) + 1),
    )
