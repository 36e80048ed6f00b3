"""Reads the items or the customers of a load, whole, into one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from recsys.data.progress import Progress
from recsys.data.reading.columns import Announce, MappedColumn, missing_columns, refuse_repeated
from recsys.data.reading.counts import TableCounts
from recsys.data.reading.customer_rows import convert_customers
from recsys.data.reading.entity_columns import (
    match_customer_columns,
    match_item_columns,
    named_by,
)
from recsys.data.reading.entity_rows import EntityRows
from recsys.data.reading.item_rows import convert_items
from recsys.data.reading.looks.watch import Watch
from recsys.data.reading.mapping import CustomerMapping, ItemMapping
from recsys.data.reading.readers import find_files, open_table
from recsys.data.reading.rejects import Rejects, count_filtered
from recsys.data.reading.shape.joins import load_joins
from recsys.data.reading.shape.shaper import shaped
from recsys.data.reading.whole_ids import WholeIds

_IDS = ("item_id", "group_id", "customer_id")
ENTITY_KEYS = {"items": "item_id", "customers": "customer_id"}


@dataclass(frozen=True, slots=True)
class Matched:
    """Where the columns of one file come from, and how its rows are converted."""

    sources: Mapping[str, tuple[str, ...]]
    notes: tuple[MappedColumn, ...]
    convert: Callable[[pl.DataFrame], EntityRows]


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

    def match(file: Path, columns: tuple[str, ...]) -> Matched:
        matched, notes, settled = match_item_columns(file, columns, mapping)
        return Matched(matched, notes, lambda rows: convert_items(rows, matched, settled, now=now))

    return _load("items", source, mapping, match, rejects, progress, announce, watch)


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

    def match(file: Path, columns: tuple[str, ...]) -> Matched:
        matched, notes = match_customer_columns(file, columns, mapping)
        return Matched(matched, notes, lambda rows: convert_customers(rows, matched, mapping))

    return _load("customers", source, mapping, match, rejects, progress, announce, watch)


def _load(  # noqa: PLR0917 - two callers, both above
    kind: str,
    source: str,
    mapping: ItemMapping | CustomerMapping,
    match: Callable[[Path, tuple[str, ...]], Matched],
    rejects: Rejects,
    progress: Progress,
    announce: Announce,
    watch: Watch,
) -> Entities:
    key = ENTITY_KEYS[kind]
    files = find_files(source, mapping.files)
    joins = load_joins(files, mapping)
    wanted = named_by(mapping)
    frames: list[pl.DataFrame] = []
    records = read = rejected = filtered = 0
    for file in files:
        table = shaped(open_table(file, mapping.form), mapping, joins, wanted)
        matched = match(file, table.columns)
        if key not in matched.sources:
            raise missing_columns(file, table.columns, [key], kind)
        refuse_repeated(file, table.repeated, matched.notes)
        if file == files[0]:
            announce(kind, matched.notes)
        watch.say(kind, (f"{file.name}: {note}" for note in table.notes))
        batches = list(table.batches)
        watch.columns(kind, table.columns, matched.notes, mapping)
        for batch in batches:
            watch.rows(kind, batch.rows)
        broken = pl.concat([batch.broken for batch in batches])
        columns = (name for ours in _IDS for name in matched.sources.get(ours, ()))
        ids = WholeIds(columns, mapping)
        done = matched.convert(ids.read(pl.concat([batch.rows for batch in batches])))
        watch.say(kind, (f"{file.name}: {note}" for note in (*ids.notes, *done.notes)))
        for setting, count in done.effects.items():
            watch.effects.add(kind, setting, count)
        rejects.add(kind, file, pl.concat([broken, done.rejects]))
        frames.append(done.rows)
        read += sum(len(batch) for batch in batches)
        records += sum(len(b) if b.records is None else b.records for b in batches)
        rejected += len(broken) + len(done.rejects)
        filtered += count_filtered(done.rejects)
        progress(f"reading {file.name}", read)
    together = pl.concat(frames, how="diagonal_relaxed").with_columns(
        pl.col(pl.Null).cast(pl.String)  # attributes without a value in any file
    )
    first = together.unique(key, keep="first", maintain_order=True).sort(key)
    kept = len(first)
    counts = TableCounts(
        files=len(files),
        records=records,
        rows=read,
        kept=kept,
        rejected=rejected,
        duplicates=read - rejected - kept,
        filtered=filtered,
    )
    watch.say(kind, (note for join in joins for note in join.notes()))
    for join in joins:
        watch.effects.add(kind, f"joins.{join.name}", join.looked_up - join.unmatched)
    return Entities(first, counts)
