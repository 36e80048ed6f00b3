"""Runs checks one after the other, keeps what is finished, and says whether all holds."""

import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from tests.qualification.room import Room
from tests.qualification.rows import (
    Results,
    Row,
    at_most,
    number_of,
    read_results,
    write_results,
)

LIMIT_S = 100 * 60
"""Seconds that a check may take."""
CAME_TO_ITS_END = "came to its end"
"""Row of a check that broke off: such a check is run again."""


@dataclass(frozen=True, slots=True)
class Check:
    """One acceptance line of the release."""

    number: int
    title: str
    run: Callable[[Room], Iterator[Row]]
    """Yields rows as they are found; their names get the check's number in front."""


class CheckTimeoutError(Exception):
    """A check took longer than it may."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Checks, where their rows are kept, and how progress is shown."""

    checks: Sequence[Check]
    file: Path
    console: Console
    limit_s: float = LIMIT_S

    def run(self, room: Room, *, only: int | None = None, fresh: bool = False) -> bool:
        """Runs what is not finished on this commit, or one check in any case.

        Returns:
            Whether every row of every check holds; with `only`, of that check.
        """
        results = read_results(self.file, room.commit)
        if fresh and only is None:
            results = Results(commit=room.commit, rows=())
            write_results(self.file, results)
        for check in self.checks:
            if only not in (None, check.number):
                continue
            if only is None and finished(results.of(check.number)):
                self.console.print(f"[dim]{check.number}  {check.title}: finished before[/]")
                continue
            rows = self._rows(check, room, results)
            results = with_rows(read_results(self.file, room.commit), check.number, rows)
            write_results(self.file, results)
        wanted = [check.number for check in self.checks if only in (None, check.number)]
        self.console.print(table([row for number in wanted for row in results.of(number)]))
        return all(
            results.of(number) and all(row.holds for row in results.of(number))
            for number in wanted
        )

    def _rows(self, check: Check, room: Room, results: Results) -> list[Row]:
        """Returns a check's rows; one that breaks or takes too long has a row that says so."""
        self.console.rule(f"{check.number}  {escape(check.title)}", align="left")
        rows: list[Row] = []
        began = time.monotonic()

        def add(row: Row) -> None:
            rows.append(row.model_copy(update={"check": f"{check.number}: {row.check}"}))
            self.console.print(line(rows[-1]), highlight=False, soft_wrap=True)

        with self.console.status("") as status, limited(self.limit_s):
            steps = replace(room, step=_stepper(status, began), known=results)
            try:
                for row in check.run(steps):
                    add(row)
                if not rows:
                    add(Row(check=CAME_TO_ITS_END, value="no rows", bar="yes", holds=False))
            except Exception as error:  # noqa: BLE001  whatever it was, the check does not hold
                traceback.print_exc()
                text = f"{type(error).__name__}: {error}"
                add(Row(check=CAME_TO_ITS_END, value=text, bar="yes", holds=False))
        add(at_most("minutes", (time.monotonic() - began) / 60, self.limit_s / 60))
        return rows


def finished(rows: Sequence[Row]) -> bool:
    return bool(rows) and not any(row.check.endswith(f": {CAME_TO_ITS_END}") for row in rows)


def with_rows(results: Results, number: int, rows: Sequence[Row]) -> Results:
    """Returns the results with one check's rows in place of its old ones."""
    others = [row for row in results.rows if number_of(row) != number]
    return Results(commit=results.commit, rows=tuple(sorted([*others, *rows], key=number_of)))


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `CheckTimeoutError` in the main thread when the time is over."""

    def over(*_: object) -> None:
        raise CheckTimeoutError(f"took longer than {seconds / 60:g} minutes")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def line(row: Row) -> str:
    mark = "[green]holds[/]" if row.holds else "[bold red]FAILS[/]"
    bar = "" if row.bar is None else f"   [dim]({escape(row.bar)})[/]"
    return f"{mark}  {escape(row.check)}: {escape(shown(row.value))}{bar}"


def shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value == round(value) else f"{value:,.6g}"


def table(rows: Sequence[Row]) -> Table:
    title = f"{sum(row.holds for row in rows)} of {len(rows)} rows hold"
    whole = Table("check", "value", "bar", "holds", title=title, title_justify="left")
    for row in rows:
        mark = "[green]yes[/]" if row.holds else "[bold red]NO[/]"
        whole.add_row(escape(row.check), escape(shown(row.value)), escape(row.bar or ""), mark)
    return whole


def _stepper(status: Status, began: float) -> Callable[[str], None]:
    def step(text: str) -> None:
        minutes = (time.monotonic() - began) / 60
        status.update(f"{escape(text)} [dim](since {minutes:.1f} min)[/]")
        status.console.print(f"[dim]{minutes:5.1f} min  {escape(text)}[/]", highlight=False)

    return step
