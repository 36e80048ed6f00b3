"""Counts over the prepared events, gone through as a stream: what the looks are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from recsys.types import VISITOR_PREFIX

EARLY = datetime(1980, 1, 1)  # noqa: DTZ001 - goes into an expression with a zone
"""No shop's events are older: such times are numbers that were misread."""


@dataclass(frozen=True, slots=True)
class IdFacts:
    """Counts over the distinct ids of customers or items that events name."""

    ids: int
    single: int
    """Ids with one event."""
    one_moment: int
    """Ids whose events all have one time."""
    top: str | None
    """The id with the most events; None: there is no id."""
    top_events: int
    joined: int
    """Ids that the table of customers or items has."""
    visitors: int = 0
    """Ids of `ids` that are visitors."""

    @property
    def unjoined(self) -> int:
        """Returns how many ids the table does not have; visitors have no row in any."""
        return self.ids - self.visitors - self.joined


@dataclass(frozen=True, slots=True)
class KindFacts:
    """Counts over the events of one type."""

    events: int = 0
    with_item: int = 0
    priced: int = 0
    """Events with a price above 0."""
    units: float = 0.0
    most_units: float = 0.0
    """The largest quantity of one event."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Counts over all events of a prepared data set."""

    events: int
    first_time: datetime | None
    last_time: datetime | None
    early: int
    """Events before `EARLY`."""
    by_day: Mapping[date, int]
    by_month: Mapping[str, Mapping[str, int]]
    """Month -> event type -> events."""
    by_kind: Mapping[str, KindFacts]
    """Event type -> counts, most events first."""
    customers: IdFacts
    items: IdFacts

    def share(self, events: int) -> float:
        """Returns the share of all events; 0 where there is none."""
        return events / self.events if self.events else 0.0

    def of_kind(self, kind: str) -> KindFacts:
        """Returns the counts of a type, 0 where no event has it."""
        return self.by_kind.get(kind, KindFacts())


def gather_facts(
    events_file: Path, items: pl.DataFrame | None, customers: pl.DataFrame | None
) -> EventFacts:
    """Goes through the prepared events three times: by day and type, by customer, by item.

    Args:
        events_file: the prepared events.
        items: the catalogue, without the items that only events name; None: there is none.
        customers: the customer table; None: there is none.
    """
    events = pl.scan_parquet(events_file, glob=False)
    days = _by_day_and_kind(events)
    first, last = days["first"].min(), days["last"].max()
    return EventFacts(
        events=int(days["events"].sum()),
        first_time=first if isinstance(first, datetime) else None,
        last_time=last if isinstance(last, datetime) else None,
        early=int(days["early"].sum()),
        by_day=dict(days.group_by("day").agg(pl.col("events").sum()).sort("day").iter_rows()),
        by_month=_by_month(days),
        by_kind=_by_kind(days),
        customers=_ids(events, "customer_id", customers),
        items=_ids(events, "item_id", items),
    )


def _by_day_and_kind(events: pl.LazyFrame) -> pl.DataFrame:
    time = pl.col("event_time")
    early = time < pl.lit(EARLY).dt.replace_time_zone("UTC")
    return (
        events.group_by(day=time.dt.date(), kind=pl.col("event_type"))
        .agg(
            events=pl.len(),
            with_item=pl.col("item_id").count(),
            priced=(pl.col("unit_price") > 0).sum(),
            units=pl.col("quantity").sum(),
            most_units=pl.col("quantity").max(),
            first=time.min(),
            last=time.max(),
            early=early.sum(),
        )
        .collect(engine="streaming")
        .sort("day", "kind")
    )


def _by_month(days: pl.DataFrame) -> dict[str, dict[str, int]]:
    months: dict[str, dict[str, int]] = {}
    for day, kind, count in days.select("day", "kind", "events").iter_rows():
        month = months.setdefault(f"{day:%Y-%m}", {})
        month[kind] = month.get(kind, 0) + count
    return months


def _by_kind(days: pl.DataFrame) -> dict[str, KindFacts]:
    kinds = days.group_by("kind").agg(
        pl.col("events", "with_item", "priced", "units").sum(), pl.col("most_units").max()
    )
    ordered = kinds.sort("events", "kind", descending=[True, False])
    return {row.pop("kind"): KindFacts(**row) for row in ordered.iter_rows(named=True)}


def _ids(events: pl.LazyFrame, column: str, table: pl.DataFrame | None) -> IdFacts:
    """Counts the distinct ids of a column, and how many of them a table has."""
    time, ids, count = pl.col("event_time"), pl.col(column), pl.col("events")
    groups = (
        events.filter(ids.is_not_null())
        .group_by(column)
        .agg(events=pl.len(), one_moment=time.min() == time.max())
    )
    joined = pl.lit(0)
    if table is not None:
        known = table.lazy().select(column, known=pl.lit(value=True))
        groups = groups.join(known, on=column, how="left")
        joined = pl.col("known").sum()
    row = (
        groups.select(
            ids=pl.len(),
            single=(count == 1).sum(),
            one_moment=pl.col("one_moment").sum(),
            # Of several with as many events the first in order, so that a run says the same again.
            top=ids.filter(count == count.max()).min(),
            top_events=count.max().fill_null(0),
            joined=joined.fill_null(0),
            visitors=ids.str.starts_with(VISITOR_PREFIX).sum()
            if column == "customer_id"
            else pl.lit(0),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    return IdFacts(**row)
