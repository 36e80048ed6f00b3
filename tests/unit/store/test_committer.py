"""What is committed together, and what becomes of those that fail."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from recsys.errors import StoreError, StoreUnavailableError, VisitorTakenError
from recsys.store.committer import GroupCommitter
from recsys.store.database import Session
from recsys.store.grouping import GROUP_WEIGHT, Pending


class FakeDatabase:
    """Keeps what transactions did, and lets a test hold a commit back."""

    def __init__(self) -> None:
        self.commits: list[list[Any]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.begun = threading.Semaphore(0)
        self.broken: StoreError | None = None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        done: list[Any] = []
        yield done  # type: ignore[misc]  # the operations below take a list for a session
        self.begun.release()
        assert self.hold.wait(10)
        if self.broken is not None:
            raise self.broken
        self.commits.append(done)


def _note(session: Any, now: int, arguments: Any) -> Any:
    session.append(arguments["value"])
    return [now, arguments["value"]]


def _refuse(session: Any, _: int, __: Any) -> Any:
    session.append("half")
    raise VisitorTakenError("no")


def _faulty(*_: Any) -> Any:
    raise KeyError("a mistake of ours")


OPERATIONS = {"note": _note, "refuse": _refuse, "faulty": _faulty}


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def committer(database: FakeDatabase) -> GroupCommitter:
    return GroupCommitter(database, clock=lambda: 7, operations=OPERATIONS, together={})


def while_held(database: FakeDatabase, committer: GroupCommitter, *names: str) -> list[Any]:
    """Has the operations wait while a first commit is held; returns their outcomes."""

    def write(name: str, value: int) -> Any:
        try:
            return committer.write(name, {"value": value})
        except StoreError as error:
            return error

    database.hold.clear()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(write, "note", -1)
        assert database.begun.acquire(timeout=10)
        others = []
        for value, name in enumerate(names):
            others.append(pool.submit(write, name, value))
            while len(committer._grouping._waiting) <= value:
                pass
        database.hold.set()
        first.result(10)
        return [other.result(10) for other in others]


def test_what_waits_is_committed_together(database, committer) -> None:
    outcomes = while_held(database, committer, *["note"] * 10)
    assert outcomes == [[7, value] for value in range(10)]
    assert database.commits == [[-1], list(range(10))]


def test_one_that_refuses_fails_alone(database, committer) -> None:
    outcomes = while_held(database, committer, "note", "refuse", "note")
    assert [outcomes[0], outcomes[2]] == [[7, 0], [7, 2]]
    assert isinstance(outcomes[1], VisitorTakenError)
    assert database.commits == [[-1], [0], [2]]


def test_a_failing_disk_fails_all_of_the_group(database, committer) -> None:
    database.broken = StoreUnavailableError("away")
    outcomes = while_held(database, committer, "note", "note")
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError] * 2
    assert database.commits == []
    database.broken = None
    assert committer.write("note", {"value": 5}) == [7, 5]


def test_a_mistake_of_ours_leaves_nobody_waiting(database, committer) -> None:
    with pytest.raises(KeyError):
        committer.write("faulty", {})
    assert committer.write("note", {"value": 1}) == [7, 1]
    operations = [Pending("note", {"value": 2}), Pending("faulty", {})]
    with pytest.raises(KeyError):
        committer.write_all(operations)
    assert all(isinstance(each.error, StoreUnavailableError) for each in operations)
    assert database.commits == [[1]]


def test_a_group_is_not_endless(database, committer) -> None:
    half = [None] * (GROUP_WEIGHT // 2)
    operations = [Pending("note", {"value": value, "events": half}) for value in range(3)]
    committer.write_all([*operations, Pending("note", {"value": 3})])
    assert database.commits == [[0, 1], [2, 3]]
    assert [each.outcome() for each in operations] == [[7, value] for value in range(3)]


def test_nothing_to_do_is_done(database, committer) -> None:
    committer.write_all([])
    assert database.commits == []
