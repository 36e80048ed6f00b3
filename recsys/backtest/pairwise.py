"""Any number of configurations against each other: which differences are more than luck."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recsys.backtest.significance import (
    PERMUTATIONS,
    Interval,
    bootstrap,
    holm,
    paired_permutation,
)
from recsys.metrics.hits import ValueArray


@dataclass(frozen=True, slots=True)
class Pair:
    """Two configurations on the same customers."""

    first: str
    second: str
    difference: Interval
    """Mean of first minus second, with its paired bootstrap interval."""
    p: float
    """Of the paired permutation test, two-sided."""
    p_holm: float
    """Corrected for the number of pairs: at most .05 means that they differ."""
    customers: int
    """Customers for whom both have a value."""


def pairwise(
    values: Mapping[str, ValueArray], *, seed: int, permutations: int = PERMUTATIONS
) -> list[Pair]:
    """Compares every two configurations by one metric, the most significant difference first.

    Args:
        values: by configuration, shape (customers,) each, the same customers in the same order
            (`compare.customer_values`); two configurations at least. NaN where a customer has no
            value; a pair counts customers for whom both have one.
        seed: of the bootstrap and of the permutations.
        permutations: sign assignments to draw.

    Raises:
        ValueError: the configurations do not have as many customers, or a pair has no customer
            in common.
    """
    pairs = list(combinations(values, 2))
    if not pairs:
        message = f"there is nothing to compare {len(values)} configuration with"
        raise ValueError(message)
    differences = np.stack([values[first] - values[second] for first, second in pairs], axis=1)
    intervals = bootstrap(differences, seed=seed)
    plain = paired_permutation(differences, seed=seed, permutations=permutations)
    counts = (~np.isnan(differences)).sum(axis=0).tolist()
    rows = zip(pairs, intervals, plain.tolist(), holm(plain).tolist(), counts, strict=True)
    found = [Pair(*names, interval, p, p_holm, n) for names, interval, p, p_holm, n in rows]
    return sorted(found, key=lambda pair: (pair.p, -abs(pair.difference.value)))
