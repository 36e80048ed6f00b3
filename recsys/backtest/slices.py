"""Groups of customers that are reported apart: new, occasional and loyal ones, and others."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import polars as pl

from recsys.backtest.partitions import partitions
from recsys.backtest.rows import WHOLE_POPULATION
from recsys.data.splits import PURCHASE, Split
from recsys.protocols.cases import Cases
from recsys.types import DAY_S, BoolArray, NumArray

NEW_AT_MOST_DAYS = 3
OCCASIONAL_AT_MOST_DAYS = 20
MIN_CUSTOMERS = 50
"""Smaller groups are not reported: their intervals would hold anything."""

MAX_LABELS = 12
"""Labels of one partition that are reported, the largest ones."""

DEFINITIONS = MappingProxyType(
    {
        "new": f"bought on at most {NEW_AT_MOST_DAYS} days before the cutoff",
        "occasional": f"on {NEW_AT_MOST_DAYS + 1} to {OCCASIONAL_AT_MOST_DAYS} days",
        "loyal": f"on more than {OCCASIONAL_AT_MOST_DAYS} days",
    }
)


def purchase_days(split: Split) -> NumArray:
    """Returns on how many distinct UTC days each customer bought before the cutoff.

    Shape (customers,) int32; 0 for a customer who only browsed.
    """
    bought = split.before.filter(pl.col("code") == PURCHASE)
    counted = bought.group_by("customer_num").agg((pl.col("time") // DAY_S).n_unique())
    days = np.zeros(len(split.customers), dtype=np.int32)
    days[counted["customer_num"].to_numpy()] = counted["time"].to_numpy()
    return days


def slices(
    split: Split, cases: Cases, *, min_customers: int = MIN_CUSTOMERS
) -> dict[str, BoolArray]:
    """Returns by name which cases each group has, shape (cases,) each.

    The whole population comes first and is always there; groups with fewer than `min_customers`
    cases are left out.
    """
    days = purchase_days(split)[cases.customer_nums]
    groups = {
        "new": days <= NEW_AT_MOST_DAYS,
        "occasional": (days > NEW_AT_MOST_DAYS) & (days <= OCCASIONAL_AT_MOST_DAYS),
        "loyal": days > OCCASIONAL_AT_MOST_DAYS,
    }
    everybody = np.ones(len(cases), dtype=np.bool_)
    large = {name: rows for name, rows in groups.items() if rows.sum() >= min_customers}
    return {WHOLE_POPULATION: everybody, **large}


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Groups of cases, and what makes them."""

    groups: dict[str, BoolArray]
    """By name which cases each group has, shape (cases,) each; the whole population first."""
    definitions: dict[str, str]
    """By the name of a group or, where groups are `name=label`, of what they differ by."""


def all_slices(split: Split, cases: Cases, *, min_customers: int = MIN_CUSTOMERS) -> Slices:
    """Returns the groups of `slices`, and those of every partition as `name=label`.

    Groups with fewer than `min_customers` cases are left out, and so are all but the largest
    `MAX_LABELS` of a partition.
    """
    groups = slices(split, cases, min_customers=min_customers)
    definitions = dict(DEFINITIONS)
    for partition in partitions(split, cases):
        sizes = partition.labels.drop_nulls().value_counts(sort=True, name="size")
        large = sizes.filter(pl.col("size") >= min_customers).head(MAX_LABELS)
        for label in large.to_series(0).sort().to_list():
            rows = (partition.labels == label).fill_null(value=False)
            groups[f"{partition.name}={label}"] = rows.to_numpy()
            definitions[partition.name] = partition.definition
    return Slices(groups, definitions)
