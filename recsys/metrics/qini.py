"""Qini: how much better than at random the customers were put in order by what they gain."""

import numpy as np

from recsys.metrics.hits import ValueArray
from recsys.metrics.uplift_curve import qini_curve
from recsys.types import BoolArray


def qini(
    scores: ValueArray,
    treated: BoolArray,
    outcomes: ValueArray,
    weights: ValueArray | None = None,
) -> float:
    r"""Returns the Qini value: the area between the Qini curve and the line of a random order.

    .. math:: Q = \int_0^1 V(\phi) \, d\phi - V(1) / 2

    in the unit of the outcome for each treated customer, 0 for a random order, negative for one
    that is worse. It is not divided by the area of a perfect order: that divisor is itself
    drawn by chance, says nothing of what could be reached, and is not there for amounts. For the
    ratio see `qini_ratio`; other papers and libraries mean that by "Qini coefficient".

    >>> scores = np.array([0.4, 0.3, 0.2, 0.1])
    >>> qini(scores, np.array([True, False, True, False]), np.array([1.0, 0, 1, 1]))
    0.3125

    Source: Radcliffe, 2007 (see `uplift_curve`), q0 up to its scale.

    Args:
        scores: shape (rows,) float64: larger ones are treated first; no NaN.
        treated: shape (rows,) bool; at least one of each.
        outcomes: shape (rows,) float64.
        weights: shape (rows,) float64 above 0; default: all the same.

    Raises:
        ValueError: as for `qini_curve`.
    """
    return qini_curve(scores, treated, outcomes, weights).area_over_random()


def qini_ratio(scores: ValueArray, treated: BoolArray, outcomes: ValueArray) -> float:
    r"""Returns Q as a part of the Q of a perfect order, which knows every outcome.

    The perfect order has treated who responded first and untreated who responded last. What
    scikit-uplift calls `qini_auc_score`. NaN where no order is better than a random one.

    >>> scores = np.array([0.4, 0.3, 0.2, 0.1])
    >>> qini_ratio(scores, np.array([True, False, True, False]), np.array([1.0, 0, 1, 1]))
    0.7142857142857143

    Source: Radcliffe, 2007, Q, with the perfect order of Devriendt et al. (see `uplift_curve`).

    Args:
        scores: shape (rows,) float64: larger ones are treated first; no NaN.
        treated: shape (rows,) bool; at least one of each.
        outcomes: shape (rows,) float64, 0 or 1.

    Raises:
        ValueError: as for `qini_curve`, or an outcome is neither 0 nor 1.
    """
    if not np.isin(outcomes, (0.0, 1.0)).all():
        message = "a perfect order is only defined for outcomes of 0 and 1"
        raise ValueError(message)
    best = qini(np.where(treated, outcomes, -outcomes), treated, outcomes)
    return qini(scores, treated, outcomes) / best if best else float("nan")
