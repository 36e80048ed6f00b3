"""Where results are kept: one file of figures, and a line for each time a test part was read."""

import csv
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from evaluation.benchmark.definitions import Benchmark, Benchmarks
from evaluation.benchmark.measure import TUNED, of_set
from evaluation.benchmark.opening import ROOT
from recsys.backtest.rows import DEFAULT_CONFIGURATION, Row, read_figures, write_figures


def merge(file: Path, rows: Sequence[Row], benchmarks: Benchmarks) -> list[Row]:
    """Puts the rows of some benchmarks in the place of their old ones, and returns all.

    Args:
        file: a file of figures; written where it is missing.
        rows: all of the benchmarks that were run.
        benchmarks: benchmarks come in their order.
    """
    known = list(read_figures(file)) if file.is_file() else []
    fresh = {row.dataset for row in rows}
    whole = [row for row in known if row.dataset not in fresh] + list(rows)
    ordered = [row for name in benchmarks.sets for row in of_set(whole, name)]
    write_figures(file, ordered)
    return ordered


def note_read(
    file: Path, name: str, benchmark: Benchmark, rows: Sequence[Row], now: datetime
) -> None:
    """Appends date, commit, set and figures: whoever reads a test part says so."""
    found = [
        f"{who} {table.placement} {metric}@{table.k} {row.value:.4f}"
        for who in (DEFAULT_CONFIGURATION, TUNED)
        for table in benchmark.tables
        for metric in table.metrics
        for row in of_set(rows, name)
        if (row.configuration, row.placement, row.metric, row.k)
        == (who, table.placement, metric, table.k)
    ]
    append_read(file, name, ", ".join(["the benchmark", *found]), now)


def append_read(file: Path, name: str, told: str, now: datetime) -> None:
    """Appends a line of date, commit, set and figure to the file of reads."""
    with file.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow([f"{now:%Y-%m-%d}", _commit(), name, told])


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or "unknown"
