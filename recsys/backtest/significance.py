"""How far a figure could be off by the luck of which customers were there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
LEVEL = 0.95
RESAMPLES = 1_000
PERMUTATIONS = 10_000
_CELLS_AT_ONCE = 8_000_000
"""Resampling counts or signs held in memory at a time: 64 MB."""
_ROUNDING = 1e-12
"""Sums that differ by less, as a part of all absolute differences, are the same sum."""


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


def resampled_sums(sums: Matrix, *, seed: int, resamples: int = RESAMPLES) -> Matrix:
    """Draws rows with replacement and returns the sums of each draw: for ratios of means.

    Args:
        sums: shape (rows, columns) float64, at least one row: what each row adds.
        seed: decides the draws.
        resamples: draws of all rows, from 1.

    Returns:
        Shape (resamples, columns).
    """
    rows, rng = len(sums), np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // rows)
    parts: list[Matrix] = []
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        picked = rng.integers(rows, size=(draws, rows))
        picked += np.arange(draws)[:, None] * rows
        counts = np.bincount(picked.ravel(), minlength=draws * rows)
        parts.append(counts.reshape(draws, rows) @ sums)
    return np.concatenate(parts)


def paired_permutation(
    differences: Matrix, *, seed: int, permutations: int = PERMUTATIONS
) -> NDArray[np.float64]:
    """Returns the two-sided p-value of each column's mean difference, shape (columns,).

    If two contenders were equally good, each customer's difference could as well have had the
    other sign. p is the share of sign assignments whose mean lies as far from zero as the one
    seen: all assignments where there are at most `permutations`, else as many drawn ones and the
    one seen, so that p is never 0. Customers without a value (NaN) count as no difference.

    Source: Fisher: The Design of Experiments (1935); Smucker, Allan, Carterette: A comparison of
    statistical significance tests for information retrieval evaluation, CIKM 2007; Phipson, Smyth:
    Permutation p-values should never be zero, SAGMB 9(1), 2010.

    Args:
        differences: shape (customers, columns) float64, at least one row.
        seed: decides the draws.
        permutations: sign assignments to draw, from 1.

    Raises:
        ValueError: there is no row.
    """
    customers = len(differences)
    if not customers:
        message = "without customers there is nothing to permute"
        raise ValueError(message)
    filled = np.nan_to_num(differences, nan=0.0)
    seen = np.abs(filled.sum(axis=0)) - _ROUNDING * np.abs(filled).sum(axis=0)
    exact = customers < permutations.bit_length()  # 2**customers is at most so many
    drawn = 2**customers if exact else permutations
    far = np.zeros(filled.shape[1], dtype=np.int64)
    for signs in _signs(customers, drawn, None if exact else np.random.default_rng(seed)):
        far += (np.abs(signs @ filled) >= seen).sum(axis=0)
    return far / drawn if exact else (far + 1) / (drawn + 1)


def _signs(customers: int, rows: int, rng: np.random.Generator | None) -> Iterator[Matrix]:
    """Yields rows of -1 and 1: drawn ones, or without `rng` the binary numbers from 0."""
    at_once = max(1, _CELLS_AT_ONCE // customers)
    for start in range(0, rows, at_once):
        stop = min(start + at_once, rows)
        if rng is None:
            bits = np.arange(start, stop)[:, None] >> np.arange(customers) & 1
        else:
            bits = rng.integers(2, size=(stop - start, customers), dtype=np.int8)
        yield bits.astype(np.float64) * 2 - 1


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Returns p-values corrected for how many there are, in their order: shape (tests,).

    .. math:: \tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1) p_{(j)})

    Rejecting where the corrected value is at most .05 keeps the chance of any wrong rejection
    among all m tests under 5 %, whatever their dependence; never weaker than Bonferroni.

    >>> holm(np.array([0.01, 0.04, 0.03, 0.005]))
    array([0.03, 0.06, 0.06, 0.02])

    Source: Holm: A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6(2), 1979.

    Args:
        p_values: shape (tests,) float64, in [0, 1].
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values), dtype=np.float64)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected
