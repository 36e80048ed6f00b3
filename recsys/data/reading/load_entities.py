"""Reads the items or the customers of a load, whole, into one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.progress import Progress
from recsys.data.reading.columns import (
    Announce,
    MappedColumn,
    match_columns,
    missing_columns,
    require_columns,
)
from recsys.data.reading.customer_rows import convert_customers
from recsys.data.reading.entity_rows import EntityRows
from recsys.data.reading.guess import CUSTOMER_NAMES, ITEM_NAMES
from recsys.data.reading.item_rows import convert_items
from recsys.data.reading.mapping import CustomerMapping, ItemMapping
from recsys.data.reading.readers import find_files, open_table
from recsys.data.reading.rejects import Rejects, count_filtered
from recsys.data.reading.report import TableCounts
from recsys.data.reading.whole_ids import WholeIds

_IDS = ("item_id", "group_id", "customer_id")
_Sources = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Entities:
    """A table of items or customers."""

    frame: pl.DataFrame
    """Our columns, then attributes; sorted by id, one row for each."""
    counts: TableCounts


def load_items(
    source: str, mapping: ItemMapping, rejects: Rejects, progress: Progress, announce: Announce
) -> Entities:
    """Reads the catalogue.

    Args:
        source: a file, a folder or a pattern.
        mapping: how items are read.
        rejects: takes the rows that cannot be used.
        progress: hears about rows read.
        announce: hears where the columns come from.

    Raises:
        DataError: a file cannot be read or lacks the id.
    """

    def convert(rows: pl.DataFrame, found: _Sources) -> EntityRows:
        return convert_items(rows, found, mapping)

    return _load("items", source, mapping, ITEM_NAMES, convert, rejects, progress, announce)


def load_customers(
    source: str,
    mapping: CustomerMapping,
    rejects: Rejects,
    progress: Progress,
    announce: Announce,
) -> Entities:
    """Reads the customers, as `load_items` reads items.

    Raises:
        DataError: a file cannot be read or lacks the id.
    """

    def convert(rows: pl.DataFrame, found: _Sources) -> EntityRows:
        return convert_customers(rows, found, mapping)

    return _load(
        "customers", source, mapping, CUSTOMER_NAMES, convert, rejects, progress, announce
    )


def _load(  # noqa: PLR0917 - two callers, both above
    kind: str,
    source: str,
    mapping: ItemMapping | CustomerMapping,
    names: Mapping[str, tuple[str, ...]],
    convert: Callable[[pl.DataFrame, _Sources], EntityRows],
    rejects: Rejects,
    progress: Progress,
    announce: Announce,
) -> Entities:
    key = next(iter(names))
    files = find_files(source)
    frames: list[pl.DataFrame] = []
    read = rejected = filtered = 0
    for file in files:
        table = open_table(file, mapping.form)
        found, how = _match(file, table.columns, mapping, names)
        if key not in found:
            raise missing_columns(file, table.columns, [key], kind)
        if file == files[0]:
            announce(kind, how)
        batches = list(table.batches)
        broken = pl.concat([batch.broken for batch in batches])
        ids = WholeIds((name for ours in _IDS for name in found.get(ours, ())), mapping)
        done = convert(ids.read(pl.concat([batch.rows for batch in batches])), found)
        rejects.add(kind, file, pl.concat([broken, done.rejects]))
        frames.append(done.rows)
        read += sum(len(batch.rows) for batch in batches) + len(broken)
        rejected += len(broken) + len(done.rejects)
        filtered += count_filtered(done.rejects)
        progress(f"reading {file.name}", read)
    together = pl.concat(frames, how="diagonal_relaxed")
    first = together.unique(key, keep="first", maintain_order=True).sort(key)
    kept = len(first)
    counts = TableCounts(
        files=len(files),
        rows=read,
        kept=kept,
        rejected=rejected,
        duplicates=read - rejected - kept,
        filtered=filtered,
    )
    return Entities(first, counts)


def _match(
    file: Path,
    columns: tuple[str, ...],
    mapping: ItemMapping | CustomerMapping,
    names: Mapping[str, tuple[str, ...]],
) -> tuple[_Sources, tuple[MappedColumn, ...]]:
    given = {
        ours: (theirs,) if isinstance(theirs, str) else theirs
        for ours, theirs in mapping.columns.items()
    }
    require_columns(file, columns, mapping.drop, "drop")
    return match_columns(file, columns, given, names)
