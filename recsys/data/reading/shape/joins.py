"""Puts the columns of other files of a set beside the rows that share a key with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping_parts import Join
from recsys.data.reading.raw import ROW
from recsys.data.reading.readers import has_name, open_table, readable_files
from recsys.data.reading.shape.order_times import with_order_times
from recsys.errors import DataError

_HERE = "__here__"


@dataclass(slots=True)
class JoinedTable:
    """Another file of the set, in memory: one row for each key."""

    name: str
    keys: Mapping[str, str]
    """Column of the table -> column of this one, with its prefix."""
    rows: pl.DataFrame
    """Every cell text, columns named `<name>.<column>`."""
    optional: bool
    """Without the columns of `keys` in a table, nothing is joined to it."""
    repeated: int
    """Rows left out because an earlier one has their key."""
    unmatched: int = 0
    """Rows of the table for which there was nothing here."""
    looked_up: int = 0
    """Rows of the table for which a row was wanted."""

    def beside(self, rows: pl.DataFrame, mapping: FileMapping) -> pl.DataFrame:
        """Returns a batch with this table's columns; null where no row has the key."""
        left = [f"__key_{place}__" for place in range(len(self.keys))]
        keyed = rows.with_columns(
            _key(theirs, rows.schema[theirs], mapping).alias(key)
            for key, theirs in zip(left, self.keys, strict=True)
        )
        joined = keyed.join(
            self.rows.with_columns(pl.lit(value=True).alias(_HERE)),
            left_on=left,
            right_on=list(self.keys.values()),
            how="left",
            maintain_order="left",
            coalesce=False,
        )
        self.looked_up += len(joined)
        self.unmatched += joined[_HERE].null_count()
        return joined.drop(*left, _HERE)

    def notes(self) -> tuple[str, ...]:
        """Returns what a person should hear of the join once all rows are read."""
        by = ", ".join(self.keys)
        lines = []
        if self.unmatched:
            lines.append(
                f"{self.unmatched:,} of {self.looked_up:,} rows have no partner in {self.name} "
                f"by {by}: the columns {self.name}.* are empty there"
            )
        if self.repeated:
            lines.append(
                f"{self.name}: {self.repeated:,} rows have a key ({by}) that an earlier row has: "
                "the first of each counts"
            )
        return tuple(lines)


def load_joins(files: Sequence[Path], mapping: FileMapping) -> tuple[JoinedTable, ...]:
    """Reads the other files of a set, in the order in which they are joined.

    Args:
        files: the table's own files; the others are looked for in their folders.
        mapping: names them.

    Raises:
        DataError: a file is not there, cannot be read or lacks a key column.
    """
    return tuple(
        _load(name, join, files, mapping)
        for name, join in mapping.joins.items()
        if not join.optional or join_files(files, join)
    )


def join_files(files: Sequence[Path], join: Join) -> tuple[Path, ...]:
    """Returns the files beside the table's own that a join names, sorted."""
    folders = sorted({file.parent for file in files})
    return tuple(
        sorted(
            file
            for folder in folders
            for file in readable_files(folder)
            if file.parent == folder and has_name(file, join.files)
        )
    )


def _load(name: str, join: Join, files: Sequence[Path], mapping: FileMapping) -> JoinedTable:
    others = join_files(files, join)
    if not others:
        message = (
            f"{files[0].parent}: there is no {' or '.join(join.files)}, which joins.{name} needs "
            f"beside {files[0].name}: put the files of the set into one folder"
        )
        raise DataError(message, file=str(files[0].parent), join=name)
    rows = pl.concat([_texts(file, join, name, mapping) for file in others], how="diagonal")
    if join.order_times is not None:
        rows = with_order_times(rows, join.order_times)
    keys = list(join.on.values())
    whole = rows.drop_nulls(keys)
    first = whole.unique(keys, keep="first", maintain_order=True)
    prefixed = first.rename({column: f"{name}.{column}" for column in first.columns})
    by = {theirs: f"{name}.{other}" for theirs, other in join.on.items()}
    return JoinedTable(name, by, prefixed, join.optional, repeated=len(whole) - len(first))


def _texts(file: Path, join: Join, name: str, mapping: FileMapping) -> pl.DataFrame:
    """Returns all rows of a file, every cell as trimmed text."""
    table = open_table(file, mapping.form)
    for column in join.on.values():
        if column not in table.columns:
            message = (
                f"{file}: has no column {column!r}, which the mapping names in joins.{name}.on; "
                f"its columns are {', '.join(table.columns)}"
            )
            raise DataError(message, file=str(file), column=column)
    rows = pl.concat([batch.rows for batch in table.batches], how="vertical_relaxed").drop(ROW)
    keys = join.on.values()
    return rows.select(
        (_key if column in keys else cells.text)(column, dtype, mapping)
        .cast(pl.String)
        .alias(column)
        for column, dtype in rows.schema.items()
    )


def _key(column: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns a key as text; 17 and 17.0 are one key, whatever types the files have."""
    return cells.identifier(column, dtype, mapping, whole_number=True)
