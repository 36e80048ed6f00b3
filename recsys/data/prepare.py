"""From a retailer's files to a prepared data set: read, map, check, sort, report."""

import shutil
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from recsys.data.clock import Clock
from recsys.data.columns import (
    MappedColumn,
    match_columns,
    match_event_columns,
    missing_column,
    require_columns,
)
from recsys.data.dataset import (
    CUSTOMERS_FILE,
    EVENTS_FILE,
    ITEMS_FILE,
    REJECTS_FILE,
    REPORT_FILE,
)
from recsys.data.entity_rows import convert_customers, convert_items
from recsys.data.event_rows import convert_events
from recsys.data.event_sorter import EventSorter
from recsys.data.events import ITEM_SCHEMA
from recsys.data.guess import CUSTOMER_NAMES, ITEM_NAMES
from recsys.data.mapping import CustomerMapping, ItemMapping, Mapping
from recsys.data.progress import Progress, silent
from recsys.data.raw import ROW
from recsys.data.readers import find_files, open_table
from recsys.data.rejects import Rejects
from recsys.data.report import DataReport, TableCounts, summarise, write_report
from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the input is: each a file, a folder or a pattern."""

    events: str
    items: str | None = None
    customers: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a load produced."""

    folder: Path
    report: DataReport
    columns: Dict[str, tuple[MappedColumn, ...]]
    """For each table, where its columns came from (in its first file)."""


def prepare(
    sources: Sources,
    out: Path,
    mapping: Mapping,
    *,
    now: datetime,
    progress: Progress = silent,
) -> Prepared:
    """Writes a prepared data set to `out`, whole or not at all.

    A data set that is already there is replaced. When too many rows are rejected, `rejects.csv`
    and `report.json` are left in `<out>.rejected` to look at.

    Args:
        sources: the input.
        out: the folder to make.
        mapping: how the retailer's columns and values become ours.
        now: the time that "in the future" is measured from; with a zone.
        progress: hears how far the work is.

    Raises:
        DataError: a file cannot be used, or the share of rejected rows is over the limit.
    """
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        prepared = _Load(part, mapping, now, progress).run(sources, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return prepared


@dataclass(slots=True)
class _Load:
    """One run; everything it writes is under `part` until it is complete."""

    part: Path
    mapping: Mapping
    now: datetime
    progress: Progress
    columns: dict[str, tuple[MappedColumn, ...]] = field(default_factory=dict)
    tables: dict[str, TableCounts] = field(default_factory=dict)

    def run(self, sources: Sources, out: Path) -> Prepared:
        rejects = Rejects(self.part / REJECTS_FILE)
        items = self._entities("items", sources.items, rejects)
        customers = self._entities("customers", sources.customers, rejects)
        clock = Clock(self.mapping.events.zone, self.now)
        self._events(sources.events, rejects, clock)
        self._items(items)
        if customers is not None:
            customers.write_parquet(self.part / CUSTOMERS_FILE)
        report = summarise(self.part / EVENTS_FILE, self.tables, rejects, clock)
        write_report(report, self.part / REPORT_FILE)
        _refuse_bad_data(self.part, out, report, self.mapping.max_reject_rate)
        _replace(self.part, out)
        return Prepared(out, report, self.columns)

    def _events(self, source: str, rejects: Rejects, clock: Clock) -> None:
        chunks = self.part / "chunks"
        chunks.mkdir()
        sorter = EventSorter(chunks)
        mapping = self.mapping.events
        read = rejected = 0
        files = find_files(source)
        for file in files:
            table = open_table(file, delimiter=mapping.delimiter, quote=mapping.quote)
            columns = match_event_columns(file, table.columns, mapping)
            self.columns.setdefault("events", columns.notes)
            clock.start_file()
            for batch in table.batches:
                done = convert_events(batch, columns, mapping, now=self.now)
                rejects.add(file, done.rejects)
                clock.look(done.events)
                sorter.add(done.events)
                read += len(batch.rows) + len(batch.broken)
                rejected += len(done.rejects)
                self.progress(f"reading {file.name}", read)
        duplicates = sorter.write(self.part / EVENTS_FILE, self.progress)
        shutil.rmtree(chunks)
        kept = sorter.rows - duplicates
        self.tables["events"] = TableCounts(len(files), read, kept, rejected, duplicates)

    def _entities(self, kind: str, source: str | None, rejects: Rejects) -> pl.DataFrame | None:
        """Reads the items or the customers; None where none are given."""
        if source is None:
            return None
        mapping = self.mapping.items if kind == "items" else self.mapping.customers
        files = find_files(source)
        frames: list[pl.DataFrame] = []
        read = rejected = duplicates = 0
        for file in files:
            table = open_table(file, delimiter=mapping.delimiter, quote=mapping.quote)
            found = self._match(kind, file, table.columns, mapping)
            batches = list(table.batches)
            rows = pl.concat([batch.rows for batch in batches], how="vertical_relaxed")
            broken = pl.concat([batch.broken for batch in batches])
            if isinstance(mapping, ItemMapping):
                done = convert_items(rows, found, mapping)
            else:
                done = convert_customers(rows, found, mapping)
            rejects.add(file, broken)
            rejects.add(file, done.rejects)
            frames.append(done.rows)
            read += len(rows) + len(broken)
            rejected += len(broken) + len(done.rejects)
            duplicates += done.duplicates
            self.progress(f"reading {file.name}", read)
        key = frames[0].columns[0]
        together = pl.concat(frames, how="diagonal_relaxed")
        first = together.unique(key, keep="first", maintain_order=True).sort(key)
        duplicates += len(together) - len(first)
        self.tables[kind] = TableCounts(len(files), read, len(first), rejected, duplicates)
        return first

    def _match(
        self,
        kind: str,
        file: Path,
        columns: tuple[str, ...],
        mapping: ItemMapping | CustomerMapping,
    ) -> dict[str, tuple[str, ...]]:
        names = ITEM_NAMES if isinstance(mapping, ItemMapping) else CUSTOMER_NAMES
        given = {
            ours: (theirs,) if isinstance(theirs, str) else theirs
            for ours, theirs in mapping.columns.items()
        }
        require_columns(file, columns, mapping.drop, "drop")
        found, notes = match_columns(file, columns, given, names)
        key = "item_id" if kind == "items" else "customer_id"
        if key not in found:
            raise missing_column(file, columns, key, kind)
        self.columns.setdefault(kind, notes)
        return found

    def _items(self, items: pl.DataFrame | None) -> None:
        """Writes the items given, and a bare row for each one that only events name."""
        catalogue = pl.DataFrame(schema=ITEM_SCHEMA) if items is None else items
        seen = (
            pl.scan_parquet(self.part / EVENTS_FILE, glob=False)
            .select(pl.col("item_id").drop_nulls().unique())
            .collect(engine="streaming")
        )
        bare = seen.join(catalogue, on="item_id", how="anti").with_columns(available=True)
        whole = pl.concat([catalogue, bare], how="diagonal").sort("item_id")
        whole.write_parquet(self.part / ITEMS_FILE)
        counts = self.tables.get("items", TableCounts())
        self.tables["items"] = counts.with_bare(len(bare))


def _refuse_bad_data(part: Path, out: Path, report: DataReport, limit: float) -> None:
    for name, table in report.tables.items():
        if table.rows and table.reject_rate(report.filtered if name == "events" else 0) > limit:
            kept = out.with_name(out.name + ".rejected")
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            for file in (REJECTS_FILE, REPORT_FILE):
                shutil.copy(part / file, kept / file)
            raise _too_many_rejects(name, report, limit, kept)
    if report.tables["events"].kept == 0:
        message = "there is no event in the input"
        raise DataError(message)


def _too_many_rejects(name: str, report: DataReport, limit: float, kept: Path) -> DataError:
    table = report.tables[name]
    most = sorted(report.rejects.items(), key=lambda pair: -pair[1])[:3]
    reasons = "; ".join(f"{count:,} x {reason}" for reason, count in most)
    message = (
        f"{name}: {table.rejected:,} of {table.rows:,} rows were rejected, more than "
        f"{limit:.1%}: {reasons}. Every one is in {kept / REJECTS_FILE}. Correct the mapping or "
        "the file, or allow more with max_reject_rate"
    )
    return DataError(message, file=str(kept / REJECTS_FILE))


def _replace(part: Path, out: Path) -> None:
    """Puts the finished folder in its place; the old one stays until then."""
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)
