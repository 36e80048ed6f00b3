"""Figures of a benchmark, measured once on a commit and read by several checks."""

from collections.abc import Sequence

from evaluation.benchmark.definitions import Benchmarks, load_benchmarks
from recsys.backtest.rows import Row, read_figures
from tests.qualification.room import Room

PART = "benchmarks"


def definitions() -> Benchmarks:
    """Returns what all benchmarks are."""
    return load_benchmarks()


def benchmarked(room: Room, name: str) -> tuple[Row, ...]:
    """Returns a benchmark's figures; measures them if this commit has not yet.

    Raises:
        CommandFailedError: it cannot be measured.
    """
    file = room.of_commit(PART) / f"{name}.json"
    if not file.is_file():
        part = file.with_suffix(".part")
        room.must(
            f"benchmark-{name}",
            *("-m", "evaluation", "benchmark", name),
            *("--json", part, "--page", file.with_suffix(".md")),
        )
        part.replace(file)
    return read_figures(file)


def one(rows: Sequence[Row], configuration: str, placement: str, metric: str) -> Row | None:
    """Returns the measured row of a configuration, None where there is none."""
    wanted = (configuration, placement, metric, "measured")
    for row in rows:
        if (row.configuration, row.placement, row.metric, row.source) == wanted:
            return row
    return None
