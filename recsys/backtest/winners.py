"""Which customers win and lose by another configuration: groups of them, and each by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.backtest.outcomes import Outcome
from recsys.backtest.partitions import purchases
from recsys.backtest.rows import WHOLE_POPULATION
from recsys.backtest.significance import Interval, bootstrap, holm, paired_permutation
from recsys.backtest.slices import purchase_days
from recsys.backtest.summary import MINUS
from recsys.data.splits import Split
from recsys.metrics.hits import ValueArray
from recsys.types import BoolArray


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """Two configurations on the customers of one slice."""

    slice: str
    first: str
    second: str
    customers: int
    """Customers of the slice for whom both have a value."""
    values: tuple[float, float]
    """Means of the first and the second over them."""
    difference: Interval
    """Mean of first minus second, with its paired bootstrap interval."""
    p_holm: float
    """Of the paired permutation test, two-sided, corrected for the number of slices and pairs."""


def slice_differences(
    values: Mapping[str, ValueArray], groups: Mapping[str, BoolArray], *, seed: int
) -> list[SliceDifference]:
    """Compares the first configuration with each other one, slice by slice.

    Args:
        values: by configuration, shape (cases,) each (`Outcome.values`).
        groups: cases of each slice, shape (cases,) each; the whole population is left out.
        seed: of the bootstrap and of the permutations.

    Returns:
        By falling difference; nothing where there is no slice or no second configuration.
    """
    first, *others = values
    chosen, columns = [], []
    for name, rows in groups.items():
        for other in others:
            difference = np.where(rows, values[first] - values[other], np.nan)
            if name != WHOLE_POPULATION and not np.isnan(difference).all():
                chosen.append((name, other))
                columns.append(difference)
    if not columns:
        return []
    table = np.stack(columns, axis=1)
    corrected = holm(paired_permutation(table, seed=seed)).tolist()
    found = []
    for (name, other), column, p_holm in zip(chosen, columns, corrected, strict=True):
        both = ~np.isnan(column)
        (interval,) = bootstrap(column[both, None], seed=seed)
        means = (float(values[first][both].mean()), float(values[other][both].mean()))
        count = int(both.sum())
        found.append(SliceDifference(name, first, other, count, means, interval, p_holm))
    return sorted(found, key=lambda each: -each.difference.value)


def customer_differences(split: Split, outcome: Outcome, metric: str, k: int) -> pl.DataFrame:
    """Returns one row per customer, those with the largest difference of any pair first.

    Columns: customer_id, days and purchases before the cutoff, right_items, the metric's value by
    configuration, and `first-minus-other` for each other configuration.

    Raises:
        ConfigError: the metric is not a mean over customers, or was not measured at k.
    """
    nums = outcome.cases.customer_nums
    values = outcome.values(metric, k)
    first, *others = values
    leads = {f"{first}{MINUS}{other}": values[first] - values[other] for other in others}
    table = pl.DataFrame(
        {
            "customer_id": split.customers.series()[nums],
            "days": purchase_days(split)[nums],
            "purchases": purchases(split)[nums].astype(np.int64),
            "right_items": outcome.cases.truth_sizes,
            **values,
            **leads,
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    if not leads:
        return table
    largest = pl.max_horizontal(pl.col(name).abs() for name in leads)
    return table.sort(largest, "customer_id", descending=[True, False], nulls_last=True)
