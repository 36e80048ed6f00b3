"""A shop as the oracle of rules sees it: plain rows of items, and who bought them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from recsys.pipeline.recommender import Recommender
from recsys.pipeline.sources import VectorSource

Row = dict[str, Any]
Says = Callable[[Row], bool]
"""What a filter says of an item: true, or not."""


@dataclass
class Ground:
    """A shop as the oracle sees it."""

    recommender: Recommender
    events: pl.DataFrame
    """Of all customers, up to the time of the queries."""
    filters: Mapping[str, Says]
    """By the text of a filter, or by a name and its parameters' texts."""

    @cached_property
    def rows(self) -> list[Row]:
        rows = self.recommender.catalogue.frame.to_dicts()
        for number, row in enumerate(rows):
            row["number"] = number
            row["product"] = f"g/{row['group_id']}" if row["group_id"] else f"i/{row['item_id']}"
        return rows

    def in_market(self, market: str | None) -> list[Row]:
        if market is None:
            return self.rows
        found = []
        for row in self.rows:
            named = [each for each in row["markets"] or () if each["market"] == market]
            if named:
                there = named[0]["available"] is not False
                found.append({**row, "available": there, "price": named[0]["price"]})
            else:
                found.append({**row, "available": False, "price": None})
        return found

    @cached_property
    def number(self) -> dict[str, int]:
        return {row["item_id"]: row["number"] for row in self.rows}

    @cached_property
    def purchases(self) -> Mapping[str, list[tuple[int, int]]]:
        """By customer: item numbers and times."""
        found = defaultdict(list)
        bought = self.events.filter(pl.col("event_type") == "purchase")
        columns = bought.select("customer_id", "item_id", pl.col("event_time").dt.epoch("s"))
        for customer, item, time in columns.iter_rows():
            if item in self.number:
                found[customer].append((self.number[item], time))
        return found

    @cached_property
    def buyers(self) -> list[int]:
        owners = defaultdict(set)
        for customer, bought in self.purchases.items():
            for number, _ in bought:
                owners[number].add(customer)
        return [len(owners[number]) for number in range(len(self.rows))]

    @cached_property
    def vectors(self) -> dict[int, Any]:
        for source in self.recommender.sources.values():
            if isinstance(source, VectorSource):
                found = {}
                for number, vector in zip(
                    source.model.item_nums.tolist(), source.model.vectors, strict=True
                ):
                    length = float(np.sqrt((vector.astype(np.float64) ** 2).sum()))
                    if length > 0:
                        found[number] = vector.astype(np.float64) / length
                return found
        return {}
