"""Puts the columns of other files of a set beside the rows that share a key with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.literal import column
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping_parts import Join
from recsys.data.reading.readers import has_name, open_table, readable_files
from recsys.data.reading.shape.order_times import with_order_times
from recsys.errors import DataError

_HERE = "__here__"


@dataclass(slots=True)
class JoinedTable:
    """Another file of the set, in memory: one row for each key."""

    name: str
    keys: Mapping[str, str]
    """Column of the table -> column of this one that holds the key as text."""
    rows: pl.DataFrame
    """Every cell text, columns named `<name>.<column>`."""
    optional: bool
    """Without the columns of `keys` in a table, nothing is joined to it."""
    repeated: int
    """Rows left out because an earlier one has their key."""
    said: tuple[str, ...] = ()
    """What a person should hear about how the files were read."""
    unmatched: int = 0
    """Rows of the table for which there was nothing here."""
    looked_up: int = 0
    """Rows of the table for which a row was wanted."""

    def beside(self, rows: pl.DataFrame, mapping: FileMapping) -> pl.DataFrame:
        """Returns a batch with this table's columns; null where no row has the key.

        Raises:
            DataError: the batch has a column with the name of one of these.
        """
        left = [f"__key_{place}__" for place in range(len(self.keys))]
        for name in rows.columns:
            if name in self.rows.columns:
                message = f"has a column {name!r}, and joins.{self.name} brings one of that name"
                raise DataError(message, column=name, join=self.name)
        keyed = rows.with_columns(
            key_text(theirs, rows.schema[theirs], mapping).alias(key)
            for key, theirs in zip(left, self.keys, strict=True)
        )
        right = list(self.keys.values())
        joined = keyed.join(
            self.rows.with_columns(pl.lit(value=True).alias(_HERE)),
            left_on=left,
            right_on=right,
            how="left",
            maintain_order="left",
        )
        self.looked_up += len(joined)
        self.unmatched += joined[_HERE].null_count()
        return joined.drop(*left, _HERE)

    def notes(self) -> tuple[str, ...]:
        """Returns what a person should hear of the join once all rows are read."""
        by = ", ".join(self.keys)
        lines = list(self.said)
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
        DataError: a file is not there, cannot be read or lacks a column that the mapping names.
    """
    if not files:
        return ()
    loaded = (_load(name, join, files, mapping) for name, join in mapping.joins.items())
    return tuple(table for table in loaded if table is not None)


def join_files(files: Sequence[Path], join: Join) -> tuple[Path, ...]:
    """Returns the files beside the table's own that a join names, sorted."""
    folders = sorted({file.parent for file in files})
    return tuple(
        sorted(
            file
            for folder in folders
            for file in readable_files(folder, deep=False)
            if file not in files and has_name(file, join.files)
        )
    )


def key_text(name: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns a key as text, the same for 7, 7.0 and "7.0": files of one set differ in types."""
    text = cells.text(name, dtype, mapping).cast(pl.String)
    return text.str.replace(r"^(-?\d+)\.0+$", "$1")


def _load(
    name: str, join: Join, files: Sequence[Path], mapping: FileMapping
) -> JoinedTable | None:
    """Reads the files of a join; None: it is optional, and nothing can be joined."""
    others = join_files(files, join)
    if not others and join.optional:
        return None
    if not others:
        message = (
            f"{files[0].parent}: there is no {' or '.join(join.files)}, which joins.{name} needs "
            f"beside {files[0].name}: put the files of the set into one folder"
        )
        raise DataError(message, file=str(files[0].parent), join=name)
    read = [_read(file, join, name, mapping) for file in others]
    every = [one for one in read if one is not None]
    if not every:
        return None
    rows = pl.concat([rows for rows, _ in every], how="diagonal")
    if join.order_times is not None:
        rows = with_order_times(rows, join.order_times)
    by = {theirs: f"__other_{place}__" for place, theirs in enumerate(join.on)}
    text = pl.String()
    keys = [
        key_text(other, text, mapping).alias(key)
        for key, other in zip(by.values(), join.on.values(), strict=True)
    ]
    prefixed = rows.select(*keys, *(column(c).alias(f"{name}.{c}") for c in rows.columns))
    whole = prefixed.drop_nulls(list(by.values()))
    first = whole.unique(list(by.values()), keep="first", maintain_order=True)
    said = tuple(note for _, notes in every for note in notes)
    return JoinedTable(name, by, first, join.optional, len(whole) - len(first), said)


def _read(
    file: Path, join: Join, name: str, mapping: FileMapping
) -> tuple[pl.DataFrame, list[str]] | None:
    """Returns all rows of a file, every cell as trimmed text, and what to say of it.

    None: the join is optional, and the file has not its key.
    """
    table = open_table(file, mapping.form)
    if join.optional and not set(join.on.values()) <= set(table.columns):
        return None
    for setting, names in _named(join).items():
        for wanted in names:
            if wanted not in table.columns:
                message = (
                    f"{file}: has no column {wanted!r}, which the mapping names in "
                    f"joins.{name}.{setting}; its columns are {', '.join(table.columns)}"
                )
                raise DataError(message, file=str(file), column=wanted)
    batches = list(table.batches)
    broken = sum(len(batch.broken) for batch in batches)
    notes = [f"{file.name}: {note}" for note in table.notes]
    if broken:
        notes.append(f"{file.name}: {broken:,} rows cannot be read and are left out")
    texts = [
        batch.rows.select(
            cells.text(c, batch.rows.schema[c], mapping).cast(pl.String).alias(c)
            for c in table.columns
        )
        for batch in batches
    ]
    empty = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String()))
    return pl.concat([empty, *texts]), notes


def _named(join: Join) -> dict[str, tuple[str, ...]]:
    """Returns each setting of a join that names columns of the other file, with these."""
    named = {"on": tuple(join.on.values())}
    times = join.order_times
    if times is not None:
        every = (times.customer, times.number, times.days_since_prior, times.hour)
        named["order_times"] = tuple(name for name in every if name is not None)
    return named
