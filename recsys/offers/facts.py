"""Facts: what an offer's eligibility may ask of a customer, one column each.

The same lines make the row of a customer who asks now, live events included, and the rows of all
customers that a plan is made for.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.events import TIME
from recsys.data.segments import Segments
from recsys.data.vocabulary import Vocabulary
from recsys.live.filter_values import kind_of
from recsys.models.replenishment_model import ReplenishmentModel
from recsys.offers.due import DUE, DueItems
from recsys.offers.values import Audience
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.request import BOUGHT
from recsys.types import DAY_S, UNKNOWN, VISITOR_PREFIX, CustomerId, NumArray, TimeArray

FACTS: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "is_visitor": pl.Boolean(),
    "segments": pl.List(pl.String()),
    "rfm": pl.String(),
    "purchases": pl.Int64(),
    "purchased_items": pl.Int64(),
    "first_purchase_time": TIME,
    "last_purchase_time": TIME,
    "days_since_purchase": pl.Float64(),
    "last_event_time": TIME,
    "days_since_event": pl.Float64(),
    "bought_item_ids": pl.List(pl.String()),
    "bought_categories": pl.List(pl.String()),
    "bought_brands": pl.List(pl.String()),
    "contacts": pl.Int64(),
    "redemptions": pl.Int64(),
    "days_since_contact": pl.Float64(),
}
"""Columns that every customer has, besides the attributes of the customers table. An attribute of
the same name is hidden. `purchases` counts each item once a day; `docs/offers.md` has them all."""
FORECASTS: dict[str, pl.DataType] = {DUE: pl.Float64()}
"""Columns besides, where the bundle has a model of kind `replenishment`."""
MANY = 1_000
"""Customers from which they are looked up all at once."""
_RFM = "rfm="


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What a bundle says of customers and items, for facts."""

    customers: Vocabulary[CustomerId]
    segments: Segments
    attributes: pl.DataFrame
    """Ordered by `customer_id`."""
    catalogue: Catalogue
    """Whose item numbers histories have."""
    forecaster: ReplenishmentModel | None = None
    """Says when items are due; None: the bundle has no such model."""

    @classmethod
    def of(cls, recommender: Recommender) -> "Knowledge":
        """Returns what a recommender knows; of several forecasters the first by name counts."""
        resolver, forecasters = recommender.resolver, recommender.forecasters
        return cls(
            resolver.customers,
            resolver.segments,
            resolver.attributes,
            resolver.catalogue,
            forecasters[min(forecasters)] if forecasters else None,
        )

    def schema(self) -> dict[str, pl.DataType]:
        """Returns the columns that an eligibility may name, with their types."""
        given = {
            name: dtype
            for name, dtype in self.attributes.schema.items()
            if kind_of(dtype) is not None
        }
        return {**given, **FACTS, **(FORECASTS if self.forecaster else {})}


def facts(audience: Audience, known: Knowledge, names: Collection[str]) -> pl.DataFrame:
    """Returns columns of customers in their order.

    Args:
        audience: the customers, each with the history of now.
        known: what the bundle says of them.
        names: columns of `Knowledge.schema`; only these are made.

    Returns:
        One row for each customer; null where nothing is known.
    """
    makers = _Facts(audience, known)
    columns = {name: makers.column(name) for name in dict.fromkeys(names)}
    if not columns:
        return pl.DataFrame({"customer_id": list(audience.customer_ids)}, schema=["customer_id"])
    return pl.DataFrame(columns)


class _Facts:
    """Makes columns, and what several of them are made of once."""

    def __init__(self, audience: Audience, known: Knowledge) -> None:
        self._audience = audience
        self._known = known
        self._rows = audience.states.rows
        self._owners = np.repeat(
            np.arange(len(audience)), np.diff(audience.states.offsets).astype(np.int64)
        )
        self._bought = BOUGHT[self._rows.event_types] > 0

    def column(self, name: str) -> pl.Series:
        """Returns one column under its name."""
        if name == DUE and self._known.forecaster is not None:
            return DueItems.of(self._audience, self._known.forecaster).first(None)
        made = self._made(name) if name in FACTS else self._attribute(name)
        return made.alias(name)

    def _made(self, name: str) -> pl.Series:
        match name.partition("_")[0]:
            case "customer" | "is":
                ids = self._ids()
                return ids if name == "customer_id" else ids.str.starts_with(VISITOR_PREFIX)
            case "segments" | "rfm":
                return self._labels(name)
            case "contacts" | "redemptions":
                return pl.Series(getattr(self._audience.past, name).astype(np.int64))
            case "purchases" | "purchased":
                days = self._rows.days[self._bought]
                return self._sums(days if name == "purchases" else np.ones_like(days))
            case "bought":
                return self._bought_lists(name)
            case _:
                return self._time_or_age(name)

    def _ids(self) -> pl.Series:
        ids = pl.Series(list(self._audience.customer_ids), dtype=pl.String)
        return ids.set(ids == "", None)

    def _labels(self, name: str) -> pl.Series:
        segments, nums = self._known.segments, self._customer_nums()
        known = np.flatnonzero(nums >= 0)
        starts, ends = segments.offsets[nums[known]], segments.offsets[nums[known] + 1]
        counts = ends - starts
        owners = np.repeat(known, counts)
        # Counted on from the first label of each customer.
        within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        label_nums = segments.label_nums[np.repeat(starts, counts) + within]
        labels = segments.labels.series().gather(label_nums)
        if name == "segments":
            return self._lists(owners, labels)
        is_rfm = labels.str.starts_with(_RFM).to_numpy()
        found: list[str | None] = [None] * len(nums)
        classes = labels.filter(is_rfm).str.strip_prefix(_RFM).to_list()
        for owner, label in zip(owners[is_rfm].tolist(), classes, strict=True):
            found[owner] = label
        return pl.Series(found, dtype=pl.String)

    def _customer_nums(self) -> NumArray:
        ids, customers = self._audience.customer_ids, self._known.customers
        # One look-up is a search, many are a join that reads the whole vocabulary.
        return customers.numbers(ids if len(ids) < MANY else pl.Series(ids, dtype=pl.String))

    def _attribute(self, name: str) -> pl.Series:
        table, ids = self._known.attributes, self._ids()
        if table.is_empty():
            return pl.Series([None] * len(ids), dtype=table.schema[name])
        places = pl.Series(table["customer_id"].search_sorted(ids.fill_null("")))
        places = places.clip(0, len(table) - 1)
        there = (table["customer_id"].gather(places) == ids).fill_null(value=False)
        return table[name].gather(places.set(~there, None))

    def _sums(self, weights: NDArray[np.floating]) -> pl.Series:
        owners = self._owners[self._bought]
        return pl.Series(np.bincount(owners, weights, len(self._audience)).astype(np.int64))

    def _time_or_age(self, name: str) -> pl.Series:
        times = self._times(name)
        there = times != UNKNOWN
        if name in {"days_since_purchase", "days_since_event", "days_since_contact"}:
            ages = (self._audience.query_time - times) / DAY_S
            return pl.Series(np.where(there, ages, np.nan)).fill_nan(None)
        moments = pl.Series(times * 1_000_000).set(pl.Series(~there), None)
        return moments.cast(pl.Int64).cast(TIME)

    def _times(self, name: str) -> TimeArray:
        if name == "days_since_contact":
            return self._audience.past.last_contact_times
        chosen = self._bought if name.endswith(("purchase", "purchase_time")) else slice(None)
        owners, rows = self._owners[chosen], self._rows
        if name.startswith("first"):
            found = np.full(len(self._audience), np.iinfo(np.int64).max, np.int64)
            np.minimum.at(found, owners, rows.first_times[chosen])
            return np.where(found == np.iinfo(np.int64).max, UNKNOWN, found)
        found = np.full(len(self._audience), UNKNOWN, np.int64)
        np.maximum.at(found, owners, rows.last_times[chosen])
        return found

    def _bought_lists(self, name: str) -> pl.Series:
        frame, nums = self._known.catalogue.frame, self._rows.item_nums[self._bought]
        owners = self._owners[self._bought]
        if name == "bought_item_ids":
            return self._lists(owners, frame["item_id"].gather(nums))
        if name == "bought_brands":
            return self._lists(owners, frame["brand"].gather(nums))
        steps = pl.DataFrame({"owner": owners, "value": frame["category"].gather(nums)})
        steps = steps.explode("value")
        return self._lists(steps["owner"].to_numpy(), steps["value"])

    def _lists(self, owners: NDArray[np.integer], values: pl.Series) -> pl.Series:
        """Returns the distinct values of each customer, sorted; empty lists if there are none."""
        table = pl.DataFrame({"owner": owners.astype(np.int64), "value": values.cast(pl.String)})
        lists = table.drop_nulls().unique().sort("owner", "value").group_by("owner").agg("value")
        everybody = pl.DataFrame({"owner": np.arange(len(self._audience), dtype=np.int64)})
        joined = everybody.join(lists, on="owner", how="left", maintain_order="left")["value"]
        return joined.fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
