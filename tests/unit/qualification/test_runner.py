"""The runner of the release's checks: what it keeps, what it runs, and what it ends with."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from tests.qualification import main as command
from tests.qualification.room import MissingDataError, Room
from tests.qualification.rows import (
    Row,
    at_least,
    between,
    equal,
    figure,
    near,
    read_results,
    says,
)
from tests.qualification.runner import Check, Runner


class Counted:
    """A check that counts its runs and yields what it is told to."""

    def __init__(self, *rows: Row, error: Exception | None = None) -> None:
        self.rows, self.error, self.runs = rows, error, 0

    def __call__(self, room: Room) -> Iterator[Row]:
        room.step("working")
        self.runs += 1
        yield from self.rows
        if self.error is not None:
            raise self.error


GOOD, BAD = equal("answer", 42, 42), at_least("ndcg", 0.1, 0.4)


def runner(folder: Path, *checks: Counted, limit_s: float = 60) -> Runner:
    numbered = [Check(number, f"no. {number}", run) for number, run in enumerate(checks, start=1)]
    return Runner(numbered, folder / "main.json", Console(file=io.StringIO()), limit_s)


def room(folder: Path, commit: str = "c1") -> Room:
    return Room(commit=commit, folder=folder)


def test_holds_only_if_every_row_does(tmp_path: Path) -> None:
    assert runner(tmp_path / "good", Counted(GOOD), Counted(GOOD)).run(room(tmp_path))
    assert not runner(tmp_path / "bad", Counted(GOOD), Counted(GOOD, BAD)).run(room(tmp_path))


def test_file_has_rows_of_one_shape(tmp_path: Path) -> None:
    runner(tmp_path, Counted(GOOD), Counted(BAD)).run(room(tmp_path))
    written = json.loads((tmp_path / "main.json").read_text())
    assert written["commit"] == "c1"
    assert written["rows"][0] == {"check": "1: answer", "value": 42, "bar": "= 42", "holds": True}
    assert written["rows"][2] == {
        "check": "2: ndcg",
        "value": 0.1,
        "bar": ">= 0.4",
        "holds": False,
    }
    assert [row["check"] for row in written["rows"]][1::2] == ["1: minutes", "2: minutes"]


def test_resumes_what_is_finished_whether_or_not_it_holds(tmp_path: Path) -> None:
    first, second = Counted(GOOD), Counted(BAD)
    for _ in range(2):
        assert not runner(tmp_path, first, second).run(room(tmp_path))
    assert (first.runs, second.runs) == (1, 1)


def test_runs_again_what_broke_off(tmp_path: Path) -> None:
    broken, good = Counted(GOOD, error=MissingDataError("no data")), Counted(GOOD)
    assert not runner(tmp_path, broken, good).run(room(tmp_path))
    failed = read_results(tmp_path / "main.json", "c1").of(1)[1]
    assert (failed.check, failed.holds) == ("1: came to its end", False)
    assert failed.value == "MissingDataError: no data"
    broken.error = None
    assert runner(tmp_path, broken, good).run(room(tmp_path))
    assert (broken.runs, good.runs) == (2, 1)


def test_another_commit_begins_anew(tmp_path: Path) -> None:
    check = Counted(GOOD)
    for commit in ("c1", "c2", "c2"):
        assert runner(tmp_path, check).run(room(tmp_path, commit))
    assert check.runs == 2


def test_only_runs_one_again_and_keeps_the_others(tmp_path: Path) -> None:
    first, second = Counted(BAD), Counted(GOOD)
    runner(tmp_path, first, second).run(room(tmp_path))
    assert runner(tmp_path, first, second).run(room(tmp_path), only=2)
    assert (first.runs, second.runs) == (1, 2)
    results = read_results(tmp_path / "main.json", "c1")
    assert [row.check for row in results.rows] == [
        *("1: ndcg", "1: minutes"),
        *("2: answer", "2: minutes"),
    ]


def test_fresh_forgets(tmp_path: Path) -> None:
    first, second = Counted(GOOD), Counted(GOOD)
    runner(tmp_path, first, second).run(room(tmp_path))
    runner(tmp_path, first, second).run(room(tmp_path), fresh=True)
    assert (first.runs, second.runs) == (2, 2)


def test_a_check_without_rows_does_not_hold(tmp_path: Path) -> None:
    assert not runner(tmp_path, Counted()).run(room(tmp_path))


def test_a_check_that_takes_too_long_does_not_hold(tmp_path: Path) -> None:
    def endless(_: Room) -> Iterator[Row]:
        yield GOOD
        time.sleep(30)

    began = time.monotonic()
    slow = Runner([Check(1, "slow", endless)], tmp_path / "f", Console(file=io.StringIO()), 0.1)
    assert not slow.run(room(tmp_path))
    assert time.monotonic() - began < 10
    ended = read_results(tmp_path / "f", "c1").of(1)[1]
    assert str(ended.value).startswith("CheckTimeoutError: took longer than")


def test_a_check_knows_the_rows_before_it(tmp_path: Path) -> None:
    seen: list[str] = []

    def second(room: Room) -> Iterator[Row]:
        seen.extend(row.check for row in room.known.of(1))
        yield GOOD

    checks = [Check(1, "one", Counted(GOOD)), Check(2, "two", second)]
    Runner(checks, tmp_path / "f", Console(file=io.StringIO())).run(room(tmp_path))
    assert seen == ["1: answer", "1: minutes"]


@pytest.mark.parametrize(("row", "status"), [(GOOD, 0), (BAD, 1)])
def test_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: Row, status: int
) -> None:
    check = Counted(row)
    monkeypatch.setattr(command, "CHECKS", [Check(3, "three", check)])
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    app = typer.Typer()
    app.command()(command.main)
    for _ in range(2):
        assert CliRunner().invoke(app, []).exit_code == status
    assert check.runs == 1
    assert CliRunner().invoke(app, ["--only", "3"]).exit_code == status
    assert check.runs == 2
    assert CliRunner().invoke(app, ["--only", "4"]).exit_code == 2


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        (near("x", 0.1420, 0.1405, 0.002), True),
        (near("x", 0.1430, 0.1405, 0.002), False),
        (between("x", 1.5, 0.5, 1.5), True),
        (between("x", 0.49, 0.5, 1.5), False),
        (says("x", "orders.csv: is empty", "orders.csv", "empty"), True),
        (says("x", "orders.csv: is empty", "orders.csv", "header"), False),
        (figure("x", 3.0), True),
        (figure("x", float("nan")), False),
        (at_least("x", float("nan"), 1.0), False),
    ],
)
def test_bars(row: Row, *, holds: bool) -> None:
    assert row.holds is holds
