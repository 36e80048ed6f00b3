"""Full and broken disks: a clear error, nothing half-written, and no help needed afterwards."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from recsys.errors import StoreError, StoreFullError, StoreUnavailableError
from recsys.store.committer import GroupCommitter
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store
from tests.disks import Disk, disk
from tests.stores import log_event


@pytest.fixture
def failing() -> Iterator[Disk]:
    with disk("failing") as made:
        yield made


@pytest.fixture
def store(failing: Disk, tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "left").mkdir()
    database = SqliteDatabase(tmp_path / "events.db", vfs="failing")
    database.migrate()
    opened = Store(database, GroupCommitter(database, clock=lambda: 0))
    opened.append([log_event("before")])
    yield opened
    failing.fault = lambda *_: None
    opened.close()


def failing_with(error: type[apsw.Error], kind: str, after: int) -> Callable[[int, str], None]:
    """Returns a fault that lets so many operations of a kind pass."""
    met = 0

    def fault(_: int, what: str) -> None:
        nonlocal met
        met += what == kind
        if what == kind and met > after:
            raise error("as the test wishes")

    return fault


FAULTS = [
    (failing_with(apsw.FullError, "write", 0), StoreFullError),
    (failing_with(apsw.FullError, "write", 3), StoreFullError),
    (failing_with(apsw.FullError, "write", 30), StoreFullError),
    (failing_with(apsw.IOError, "write", 0), StoreUnavailableError),
    (failing_with(apsw.IOError, "write", 30), StoreUnavailableError),
    (failing_with(apsw.IOError, "sync", 0), StoreUnavailableError),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
def test_a_failing_disk_is_told_and_its_recovery_is_noticed(
    store: Store, failing: Disk, fault, expected: type[StoreError], tmp_path: Path
) -> None:
    batch = [log_event(f"e{number}", f"c{number}") for number in range(2000)]
    failing.fault = fault
    for _ in range(3):
        with pytest.raises(expected):
            store.append(batch)
        # Whole, if only the last sync failed; lists are made from what is there meanwhile.
        assert store.last_position in {1, 2001}
    failing.fault = lambda *_: None
    again = store.append(batch)
    assert again.stored + again.duplicates == len(batch)
    rows = store.rows(0, 9999, 9999)
    assert [row[0] for row in rows] == list(range(1, 2002))
    # Acknowledged is acknowledged, also as a duplicate of what was not.
    failing.cut_power(tmp_path / "left", random.Random(1), ["none"])  # noqa: S311
    left = SqliteDatabase(tmp_path / "left" / "events.db")
    with left.read() as session:
        assert session.rows("SELECT COUNT(*) FROM events") == [(2001,)]
    left.close()


def test_a_checkpoint_that_fails_loses_nothing(store: Store, failing: Disk) -> None:
    """Commits go to the log; the main file's troubles show up when the log is folded into it."""
    turns = 0
    for number in range(150):
        failing.fault = failing_with(apsw.IOError, "write", 25) if number % 2 else lambda *_: None
        try:
            turns += store.append([log_event(f"{number}-{n}", f"c{n}") for n in range(50)]).stored
        except StoreUnavailableError:
            continue
    failing.fault = lambda *_: None
    rows = store.rows(0, 10**6, 10**6)
    assert len(rows) >= turns + 1
    assert len({row[1] for row in rows}) == len(rows)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
