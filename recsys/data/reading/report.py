"""What is in a data set and what was wrong with it: the report that every load ends with."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import polars as pl

from recsys.data.reading.clock import Clock
from recsys.data.reading.rejects import Rejects
from recsys.types import EVENT_CODES, VISITOR_PREFIX

_MIDNIGHT_SHARE = 0.95
"""From this share of midnights on, the times are dates."""


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What became of the rows of one table: rows = kept + rejected + duplicates + left_out."""

    files: int = 0
    rows: int = 0
    kept: int = 0
    rejected: int = 0
    duplicates: int = 0
    """Rows left out because an earlier row has their id."""
    filtered: int = 0
    """Rows of `rejected` that a rule of the mapping left out on purpose."""
    bare: int = 0
    """Items that only events name: added on top of `kept`."""
    fed: int = 0
    """Rows of `rows` that came from data sets and stores, where they were checked before."""
    left_out: int = 0
    """Events of customers who were erased, or refused that models are fitted on them."""

    def with_bare(self, bare: int) -> "TableCounts":
        """Returns the counts with the bare items set."""
        return replace(self, bare=bare)

    @property
    def reject_rate(self) -> float:
        """Share of rejected rows of the files, without those left out on purpose."""
        rows = self.rows - self.fed
        return (self.rejected - self.filtered) / rows if rows else 0.0


@dataclass(frozen=True, slots=True)
class DataReport:
    """The report; times are ISO 8601 in UTC."""

    tables: Mapping[str, TableCounts]
    rejects: Mapping[str, Mapping[str, int]]
    """Table -> `field: reason` -> rows, most first."""
    customers: int
    """Distinct customers with events, visitors apart."""
    visitors: int
    items: int
    """Distinct items with events."""
    first_time: str | None
    last_time: str | None
    events_by_type: Mapping[str, int]
    events_by_month: Mapping[str, Mapping[str, int]]
    """Month -> event type -> events."""
    unknown_event_types: Mapping[str, int]
    """Stored, but used by no model."""
    one_event_share: float
    """Share of customers and visitors with a single event."""
    clock: Mapping[str, int]
    """Counts of `Clock`."""
    oddities: tuple[str, ...]
    """What a person should look at, in words."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Events of `TableCounts.left_out`, by reason."""
    log: Mapping[str, str | int] | None = None
    """How far the log of a store was read, as `LogPosition`; None: only files were."""


def summarise(
    events_file: Path, tables: Mapping[str, TableCounts], rejects: Rejects, clock: Clock
) -> DataReport:
    """Goes through the prepared events, as a stream, and counts."""
    events = pl.scan_parquet(events_file, glob=False)
    ends = events.select(
        first=pl.col("event_time").min(), last=pl.col("event_time").max()
    ).collect(engine="streaming")
    who = _customers(events)
    months = _months(events)
    by_type: dict[str, int] = {}
    for counts in months.values():
        for kind, count in counts.items():
            by_type[kind] = by_type.get(kind, 0) + count
    counts = {
        name: getattr(clock, name)
        for name in ("zoned", "naive", "midnight", "future", "out_of_order")
    }
    first, last = ends.row(0)
    return DataReport(
        tables=dict(tables),
        rejects={name: dict(c.most_common()) for name, c in rejects.by_reason.items()},
        customers=who["customers"],
        visitors=who["visitors"],
        items=_distinct_items(events),
        first_time=None if first is None else first.isoformat(),
        last_time=None if last is None else last.isoformat(),
        events_by_type=dict(sorted(by_type.items(), key=lambda pair: -pair[1])),
        events_by_month=months,
        unknown_event_types={k: n for k, n in by_type.items() if k not in EVENT_CODES},
        one_event_share=who["single"] / max(1, who["customers"] + who["visitors"]),
        clock=counts,
        oddities=_oddities(clock),
    )


def write_report(report: DataReport, path: Path) -> None:
    """Writes the report as JSON."""
    path.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")


def _customers(events: pl.LazyFrame) -> dict[str, int]:
    visitor = pl.col("customer_id").str.starts_with(VISITOR_PREFIX)
    return (
        events.group_by("customer_id")
        .len()
        .select(
            customers=(~visitor).sum(),
            visitors=visitor.sum(),
            single=(pl.col("len") == 1).sum(),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )


def _distinct_items(events: pl.LazyFrame) -> int:
    distinct = events.select(pl.col("item_id").drop_nulls().unique().len())
    return int(distinct.collect(engine="streaming").item())


def _months(events: pl.LazyFrame) -> dict[str, dict[str, int]]:
    counts = (
        events.group_by(
            month=pl.col("event_time").dt.truncate("1mo").dt.date(), kind=pl.col("event_type")
        )
        .len()
        .collect(engine="streaming")
        .sort("month", "kind")
    )
    months: dict[str, dict[str, int]] = {}
    for month, kind, count in counts.iter_rows():
        months.setdefault(f"{month:%Y-%m}", {})[kind] = count
    return months


def _oddities(clock: Clock) -> tuple[str, ...]:
    total = clock.zoned + clock.naive
    found: list[str] = []
    if clock.zoned and clock.naive:
        found.append(
            f"{clock.zoned:,} times name their zone and {clock.naive:,} do not: "
            f"the latter were taken as {clock.zone}"
        )
    if clock.future:
        found.append(f"{clock.future:,} events are up to a day in the future")
    if total and clock.midnight >= _MIDNIGHT_SHARE * total:
        found.append(
            f"{clock.midnight:,} of {total:,} events are at midnight: the times are dates, "
            "so the order within a day is not known"
        )
    if clock.out_of_order:
        found.append(f"{clock.out_of_order:,} rows are earlier than the row above them")
    return tuple(found)
