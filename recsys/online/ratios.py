r"""Ratios of sums over customers, and how far they could be off by the luck of who came.

Impressions of one customer are alike, so customers are what is drawn by chance, not impressions.
With :math:`x_c` what customer c brought and :math:`n_c` the impressions, the figure is
:math:`R = \sum_c x_c / \sum_c n_c`, and each customer moves it by about
:math:`\psi_c = (x_c - R n_c) / \sum_c n_c`, so that its variance is
:math:`\frac{C}{C-1} \sum_c \psi_c^2` (the delta method: Deng, Knoblich, Lu: Applying the delta
method in metric analytics, KDD 2018).

Revenue has a long tail, which makes the symmetric interval miss upwards. The skewness
:math:`k = \sum_c \psi_c^3 / se^3` is removed by a cubic transformation before the normal quantiles
are read, and put back after (Hall: On the removal of skewness by transformation, JRSS B 54(1),
1992; for the difference of two samples Zhou, Dinh: Nonparametric confidence intervals for the one-
and two-sample problems, Biostatistics 6(2), 2005).
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.optimize import brentq

from recsys.metrics.hits import ValueArray

LEVEL = 0.95
POWER = 0.8
"""Probability with which the smallest difference is seen that a comparison is said to see."""
_REACH = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2)
_DOUBLINGS = 8
"""How often the search for an end of an interval doubles its step."""
_STRAIGHT = 1e-9
"""Skewness below which the transformation is the identity to all digits."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float | None
    """None with `high`: customers are too few, or too much alike, to say."""
    high: float | None

    def times(self, factor: float) -> "Estimate":
        """Returns the estimate in a unit that is `factor` times smaller."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        return Estimate(self.value * factor, low, high)

    def within(self, least: float, most: float) -> "Estimate":
        """Returns the estimate with its bounds cut to what is possible."""
        low = None if self.low is None else max(self.low, least)
        high = None if self.high is None else min(self.high, most)
        return Estimate(self.value, low, high)


def ratio(brought: ValueArray, impressions: ValueArray) -> Estimate:
    """Returns what an impression brings, with its interval.

    Args:
        brought: shape (customers,) float64.
        impressions: shape (customers,) float64, at least one above 0.
    """
    value, moves = _ratio(brought, impressions)
    return _estimate(value, moves)


def difference(
    brought: ValueArray,
    impressions: ValueArray,
    other_brought: ValueArray,
    other_impressions: ValueArray,
) -> Estimate:
    """Returns how much more an impression brings than another, with its interval.

    A customer who has impressions of both counts on both sides, as it was.

    Args:
        brought: shape (customers,) float64; 0 for customers of the other side alone.
        impressions: shape (customers,) float64, at least one above 0.
        other_brought: of the same customers in the same order.
        other_impressions: likewise, at least one above 0.
    """
    value, moves = _ratio(brought, impressions)
    other, other_moves = _ratio(other_brought, other_impressions)
    return _estimate(value - other, moves - other_moves)


def change(
    brought: ValueArray,
    impressions: ValueArray,
    other_brought: ValueArray,
    other_impressions: ValueArray,
) -> Estimate | None:
    """Returns by which part an impression brings more than another, with its interval.

    The interval has the parts that the interval of `brought - (1 + part) * other_brought` does
    not refute (Fieller: Some problems in interval estimation, JRSS B 16(2), 1954), so it leaves
    out 0 exactly where the interval of the difference does.

    Args:
        brought: as `difference` takes it, and so are the others.
        impressions: likewise.
        other_brought: likewise.
        other_impressions: likewise.

    Returns:
        0.1 for a tenth more; None where the others bring nothing, or less than that.
    """
    value, moves = _ratio(brought, impressions)
    other, other_moves = _ratio(other_brought, other_impressions)
    if other <= 0:
        return None

    def at(times: float) -> Estimate:
        return _estimate(value - times * other, moves - times * other_moves)

    times = value / other
    found = at(times)
    if found.low is None or found.high is None:
        return Estimate(times - 1, None, None)
    step = (found.high - found.low) / other
    low = _zero(lambda each: at(each).low, times, -step)
    high = _zero(lambda each: at(each).high, times, step)
    if low is None or high is None:
        return Estimate(times - 1, None, None)
    return Estimate(times - 1, low - 1, high - 1)


def _zero(bound: Callable[[float], float | None], start: float, step: float) -> float | None:
    """Returns where a bound is 0, on one side of a start; None: it is nowhere near."""
    here = bound(start)
    for doubled in range(_DOUBLINGS):
        end = start + step * 2**doubled
        there = bound(end)
        if there is None or here is None:
            return None
        if there * here <= 0:
            return float(brentq(bound, start, end))
    return None


def smallest_difference(
    brought: ValueArray,
    impressions: ValueArray,
    other_brought: ValueArray,
    other_impressions: ValueArray,
) -> float:
    """Returns the difference that would be seen in four of five such comparisons.

    That is the smallest true difference whose interval leaves out 0 with the probability `POWER`
    (Cohen: Statistical power analysis for the behavioral sciences, 1988). Both sides are taken to
    vary alike, so that a side of few customers does not pass for one that does not vary.
    Customers are on one side each, and what they brought is a mean over their impressions.

    Args:
        brought: as `difference` takes it, and so are the others.
        impressions: likewise.
        other_brought: likewise.
        other_impressions: likewise.
    """
    squares, customers, error = 0.0, 0, 0.0
    for sums, weights in ((brought, impressions), (other_brought, other_impressions)):
        there = weights > 0
        residuals = sums[there] / weights[there] - sums.sum() / weights.sum()
        squares += float(residuals @ residuals)
        customers += len(residuals)
        error += float(weights @ weights) / float(weights.sum()) ** 2
    variance = squares / customers
    return (_REACH + NormalDist().inv_cdf(POWER)) * float(np.sqrt(variance * error))


def _ratio(brought: ValueArray, impressions: ValueArray) -> tuple[float, ValueArray]:
    total = impressions.sum()
    value = float(brought.sum() / total)
    return value, (brought - value * impressions) / total


def _estimate(value: float, moves: ValueArray) -> Estimate:
    if np.count_nonzero(moves) < 2:  # noqa: PLR2004  all are alike, or one stands alone
        return Estimate(value, None, None)
    count = len(moves)
    error = float(np.sqrt(count / (count - 1) * (moves @ moves)))
    skewness = float((moves**3).sum()) / error**3
    reach = _untransformed(_REACH, skewness), _untransformed(-_REACH, skewness)
    return Estimate(value, value - reach[0] * error, value - reach[1] * error)


def _untransformed(quantile: float, skewness: float) -> float:
    """Returns the quantile of a studentised mean of that skewness from the normal one."""
    if abs(skewness) < _STRAIGHT:
        return quantile
    inner = 1 + skewness * (quantile - skewness / 6)
    return 3 / skewness * (float(np.cbrt(inner)) - 1)
