"""Rows of a qualification: what was measured, what it must reach, and whether it does."""

import math
from pathlib import Path

from recsys.config import StrictModel

COUNTS_FROM = 1e5
"""Figures of this size are counts; smaller ones are kept to six digits."""


class Row(StrictModel):
    """One line of the table."""

    check: str
    """Number of the check and what was looked at: `2: for_you ndcg@20`."""
    value: float | str
    bar: str | None = None
    """What the value must be; None: it is only reported."""
    holds: bool


class Results(StrictModel):
    """The rows of all checks that were run on one commit."""

    commit: str
    rows: tuple[Row, ...]

    def of(self, number: int) -> tuple[Row, ...]:
        """Returns the rows of one check."""
        return tuple(row for row in self.rows if number_of(row) == number)


def number_of(row: Row) -> int:
    """Returns the number of the check that a row belongs to."""
    return int(row.check.partition(":")[0])


def at_least(what: str, value: float, bar: float) -> Row:
    return Row(check=what, value=_tidy(value), bar=f">= {bar:g}", holds=value >= bar)


def above(what: str, value: float, bar: float) -> Row:
    return Row(check=what, value=_tidy(value), bar=f"> {bar:g}", holds=value > bar)


def at_most(what: str, value: float, bar: float) -> Row:
    return Row(check=what, value=_tidy(value), bar=f"<= {bar:g}", holds=value <= bar)


def near(what: str, value: float, target: float, tolerance: float) -> Row:
    holds = abs(value - target) <= tolerance
    return Row(check=what, value=_tidy(value), bar=f"{target:g} ± {tolerance:g}", holds=holds)


def between(what: str, value: float, low: float, high: float) -> Row:
    holds = low <= value <= high
    return Row(check=what, value=_tidy(value), bar=f"{low:g} to {high:g}", holds=holds)


def equal(what: str, value: float | str, expected: float | str) -> Row:
    return Row(check=what, value=value, bar=f"= {expected}", holds=value == expected)


def says(what: str, text: str, *words: str) -> Row:
    """The text must contain all the words."""
    bar = "says " + ", ".join(repr(word) for word in words)
    return Row(check=what, value=text, bar=bar, holds=all(word in text for word in words))


def figure(what: str, value: float) -> Row:
    """A figure without a bar: it must be known, that is all."""
    return Row(check=what, value=_tidy(value), holds=math.isfinite(value))


def write_results(path: Path, results: Results) -> None:
    """Writes results in one step: whoever reads sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(results.model_dump_json(indent=2), encoding="utf-8")
    part.replace(path)


def read_results(path: Path, commit: str) -> Results:
    """Returns what is known about a commit: nothing where the file is of another one."""
    if path.exists():
        known = Results.model_validate_json(path.read_bytes())
        if known.commit == commit:
            return known
    return Results(commit=commit, rows=())


def _tidy(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    if not math.isfinite(value):
        return str(value)
    return round(value) if abs(value) >= COUNTS_FROM else float(f"{value:.6g}")
