"""How far a figure could be off by the luck of which customers were there."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
LEVEL = 0.95
RESAMPLES = 1_000
_CELLS_AT_ONCE = 8_000_000
"""Resampling counts held in memory at a time: 64 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the bounds of its interval."""

    value: float
    low: float
    high: float


def bootstrap(values: Matrix, *, seed: int, resamples: int = RESAMPLES) -> list[Interval]:
    """Returns the mean of each column with its 95 % percentile bootstrap interval.

    Customers are drawn with replacement, all columns with the same draws; a column's NaN rows
    (customers for whom it is undefined) are left out of its means. Give the differences of two
    contenders' values, customer by customer, for the interval of a paired difference.

    Source: Efron, Tibshirani: An Introduction to the Bootstrap (1993), chapter 13.

    Args:
        values: shape (customers, columns) float64, at least one row.
        seed: decides the draws: the same values and seed give the same interval.
        resamples: draws of a whole population, from 1.

    Raises:
        ValueError: there is no row, or a column has no value at all.
    """
    known = ~np.isnan(values)
    if not known.any(axis=0).all():
        message = "a column without any value has no mean"
        raise ValueError(message)
    filled = np.where(known, values, 0.0)
    means = filled.sum(axis=0) / known.sum(axis=0)
    drawn = _resampled_means(filled, known, seed, resamples)
    tail = (1 - LEVEL) / 2
    # A resample that drew none of a column's customers says nothing about that column.
    low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, row)) for row in zip(means, low, high, strict=True)]


def _resampled_means(
    filled: Matrix, known: NDArray[np.bool_], seed: int, resamples: int
) -> Matrix:
    """Returns the means of all resamples, shape (resamples, columns)."""
    customers = len(filled)
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // customers)
    whole = known.all()
    parts: list[Matrix] = []
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        picked = rng.integers(customers, size=(draws, customers))
        picked += np.arange(draws)[:, None] * customers
        counts = np.bincount(picked.ravel(), minlength=draws * customers)
        times = counts.reshape(draws, customers).astype(np.float64)
        sizes = float(customers) if whole else times @ known
        with np.errstate(invalid="ignore"):
            parts.append((times @ filled) / sizes)
    return np.concatenate(parts)
