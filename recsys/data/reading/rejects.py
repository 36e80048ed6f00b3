"""Rows that cannot be used: written to a file with the reason, and counted."""

from collections import Counter
from pathlib import Path

import polars as pl

from recsys.data.reading.raw import ROW

MAX_VALUE_CHARACTERS = 200
"""Longer values are cut in the rejects file."""

FILTERED = "left out by"
"""Begins the reason of rows that `require` or `exclude` of the mapping leaves out."""

REJECT_COLUMNS = ("table", "file", "row", "field", "reason", "value")


class Rejects:
    """Appends rejected rows to a CSV file as they are found."""

    def __init__(self, path: Path) -> None:
        """Starts the file, with a header and no rows."""
        self._path = path
        self.by_reason: dict[str, Counter[str]] = {}
        """Table -> `field: reason` -> rows, over everything added."""
        self.examples: dict[str, dict[str, str]] = {}
        """Table -> `field: reason` -> the first value that was rejected so; none where all are
        empty."""
        path.write_text(",".join(REJECT_COLUMNS) + "\n", encoding="utf-8")

    def add(self, table: str, file: Path, rows: pl.DataFrame) -> None:
        """Adds rows of `BROKEN_SCHEMA` that come from one file of one table."""
        if rows.is_empty():
            return
        counts = self.by_reason.setdefault(table, Counter())
        examples = self.examples.setdefault(table, {})
        reasons = rows.sort(ROW).group_by("field", "reason", maintain_order=True)
        summary = reasons.agg(pl.len(), pl.col("value").drop_nulls().first().alias("example"))
        for field, reason, count, example in summary.iter_rows():
            name = f"{field}: {reason}" if field else reason
            counts[name] += count
            if example:
                examples.setdefault(name, example)
        lines = rows.sort(ROW).select(
            table=pl.lit(table),
            file=pl.lit(str(file)),
            row=pl.col(ROW),
            field=pl.col("field"),
            reason=pl.col("reason"),
            value=pl.col("value").str.slice(0, MAX_VALUE_CHARACTERS),
        )
        with self._path.open("ab") as target:
            lines.write_csv(target, include_header=False)


def count_filtered(rejects: pl.DataFrame) -> int:
    """Returns how many rejected rows a rule of the mapping left out on purpose."""
    return int(rejects["reason"].str.starts_with(FILTERED).sum())
