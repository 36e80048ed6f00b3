"""Reads the items or the customers of a load, whole, into one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from recsys.data.progress import Progress
from recsys.data.reading.columns import (
    Announce,
    MappedColumn,
    match_columns,
    missing_columns,
    require_columns,
    several,
)
from recsys.data.reading.counts import TableCounts
from recsys.data.reading.customer_rows import convert_customers
from recsys.data.reading.entity_rows import EntityRows
from recsys.data.reading.guess import CUSTOMER_NAMES, ITEM_NAMES
from recsys.data.reading.item_rows import convert_items
from recsys.data.reading.looks.watch import Watch
from recsys.data.reading.mapping import CustomerMapping, ItemMapping
from recsys.data.reading.readers import find_files, open_table
from recsys.data.reading.rejects import Rejects, count_filtered
from recsys.data.reading.shape.joins import load_joins
from recsys.data.reading.shape.shaper import shaped

_Sources = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Entities:
    """A table of items or customers."""

    frame: pl.DataFrame
    """Our columns, then attributes; sorted by id, one row for each."""
    counts: TableCounts


def load_items(
    source: str,
    mapping: ItemMapping,
    rejects: Rejects,
    progress: Progress,
    announce: Announce,
    *,
    now: datetime,
    watch: Watch,
) -> Entities:
    """Reads the catalogue.

    Args:
        source: a file, a folder or a pattern.
        mapping: how items are read.
        rejects: takes the rows that cannot be used.
        progress: hears about rows read.
        announce: hears where the columns come from.
        now: decides whether a reduced price holds.
        watch: hears of columns and raw rows, for the looks at the end.

    Raises:
        DataError: a file cannot be read or lacks the id.
    """

    def convert(rows: pl.DataFrame, sources: _Sources) -> EntityRows:
        return convert_items(rows, sources, mapping, now=now)

    return _load("items", source, mapping, ITEM_NAMES, convert, rejects, progress, announce, watch)


def load_customers(
    source: str,
    mapping: CustomerMapping,
    rejects: Rejects,
    progress: Progress,
    announce: Announce,
    *,
    watch: Watch,
) -> Entities:
    """Reads the customers, as `load_items` reads items.

    Raises:
        DataError: a file cannot be read or lacks the id.
    """

    def convert(rows: pl.DataFrame, sources: _Sources) -> EntityRows:
        return convert_customers(rows, sources, mapping)

    return _load(
        "customers", source, mapping, CUSTOMER_NAMES, convert, rejects, progress, announce, watch
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
    watch: Watch,
) -> Entities:
    key = next(iter(names))
    files = find_files(source, mapping.files)
    joins = load_joins(files, mapping)
    frames: list[pl.DataFrame] = []
    read = rejected = filtered = 0
    for file in files:
        table = shaped(open_table(file, mapping.form), mapping, joins, _named(mapping))
        sources, how = _match(file, table.columns, mapping, names)
        if key not in sources:
            raise missing_columns(file, table.columns, [key], kind)
        if file == files[0]:
            announce(kind, how)
        watch.say(kind, (f"{file.name}: {note}" for note in table.notes))
        batches = list(table.batches)
        watch.columns(kind, table.columns, how, mapping)
        for batch in batches:
            watch.rows(kind, batch.rows)
        broken = pl.concat([batch.broken for batch in batches])
        done = convert(pl.concat([batch.rows for batch in batches]), sources)
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
    watch.say(kind, (note for join in joins for note in join.notes()))
    return Entities(first, counts)


def _match(
    file: Path,
    columns: tuple[str, ...],
    mapping: ItemMapping | CustomerMapping,
    names: Mapping[str, tuple[str, ...]],
) -> tuple[_Sources, tuple[MappedColumn, ...]]:
    for setting, wanted in _settings(mapping).items():
        require_columns(file, columns, wanted, setting, mapping.optional)
    given = several(mapping.columns)
    return match_columns(
        file, columns, given, names, optional=mapping.optional, guess=mapping.guess
    )


def _settings(mapping: ItemMapping | CustomerMapping) -> dict[str, tuple[str, ...]]:
    """Returns each setting that names columns of the file, beyond `columns`, with these."""
    named = {
        "drop": mapping.drop,
        "attributes": mapping.attributes or (),
        "require": tuple(mapping.require.keys() - ITEM_NAMES.keys() - CUSTOMER_NAMES.keys()),
        "exclude": tuple(mapping.exclude.keys() - ITEM_NAMES.keys() - CUSTOMER_NAMES.keys()),
    }
    if isinstance(mapping, ItemMapping):
        named["sale_price"] = () if mapping.sale_price is None else (mapping.sale_price,)
        named["sale_period"] = mapping.sale_period
        named["available_when"] = tuple(mapping.available_when.keys() - ITEM_NAMES.keys())
        named["unavailable"] = tuple(mapping.unavailable.keys() - ITEM_NAMES.keys())
    return named


def _named(mapping: ItemMapping | CustomerMapping) -> tuple[str, ...]:
    """Returns all columns of the file that the mapping names."""
    columns = [name for theirs in several(mapping.columns).values() for name in theirs]
    return (*columns, *(name for names in _settings(mapping).values() for name in names))
