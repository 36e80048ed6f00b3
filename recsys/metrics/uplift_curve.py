r"""Curves of what was gained by treating the customers of the highest scores first.

The field uses one name for several figures. Here, with customers in the order of their scores,
the k first of n, :math:`n_t, n_c` treated and untreated among these, :math:`Y_t, Y_c` the sums of
their outcomes, :math:`N_t` all who were treated:

* the **Qini curve** :math:`V(k) = (Y_t - Y_c \, n_t / n_c) / N_t`: what the treated among the
  first k brought beyond what as many untreated of them would have, for each treated customer.
  Radcliffe's curve, divided by :math:`N_t`;
* the **uplift curve** :math:`U(k) = (Y_t / n_t - Y_c / n_c) \, k / n`: the same effect if all of
  the first k were treated, for each customer (Devriendt et al.; the "cumulative gain" of Gutierrez
  and Gérardy, divided by n).

Both end at the mean effect of treating everybody. Customers of equal scores are one step, with a
straight line over it, so that no figure hangs on the order of ties. Where a side has nobody yet
its mean counts as 0.

Rows may have weights: one over the probability of the side that the row was put on, where that
was not the same for all.

Sources: Radcliffe: Using control groups to target on predicted lift: building and assessing uplift
models, Direct Marketing Analytics Journal 3, 2007; Devriendt, Guns, Verbeke: Learning to rank for
uplift modeling, IEEE TKDE 34(10), 2022; Gutierrez, Gérardy: Causal inference and uplift modelling:
a review of the literature, PMLR 67, 2017.
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import trapezoid

from recsys.metrics.hits import ValueArray
from recsys.types import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class GainCurve:
    """Points of a curve from (0, 0) to (1, mean effect), joined by straight lines."""

    shares: ValueArray
    """Shape (points,): parts of all customers, ascending from 0 to 1."""
    gains: ValueArray
    """Shape (points,): in the unit of the outcome, for each customer."""

    def area(self) -> float:
        """Returns the area under the curve."""
        return float(trapezoid(self.gains, self.shares))

    def area_over_random(self) -> float:
        """Returns the area between the curve and the straight line to its end."""
        return self.area() - float(self.gains[-1]) / 2

    def at(self, shares: ValueArray) -> ValueArray:
        """Returns the gains at some shares, by straight lines."""
        gains: ValueArray = np.interp(shares, self.shares, self.gains)
        return gains


def qini_curve(
    scores: ValueArray,
    treated: BoolArray,
    outcomes: ValueArray,
    weights: ValueArray | None = None,
) -> GainCurve:
    """Returns the Qini curve as this module defines it.

    >>> scores = np.array([0.4, 0.3, 0.2, 0.1])
    >>> treated = np.array([True, False, True, False])
    >>> qini_curve(scores, treated, np.array([1.0, 0, 1, 1])).gains
    array([0. , 0.5, 0.5, 1. , 0.5])

    Args:
        scores: shape (rows,) float64: larger ones are treated first; no NaN.
        treated: shape (rows,) bool; at least one of each.
        outcomes: shape (rows,) float64, such as 0 or 1 for a purchase, or an amount.
        weights: shape (rows,) float64 above 0; default: all the same.

    Raises:
        ValueError: shapes differ, a value is not finite, or one side has nobody.
    """
    steps = _steps(scores, treated, outcomes, weights)
    control = steps.control_outcomes * _over(steps.treated, steps.control)
    return GainCurve(steps.shares, (steps.treated_outcomes - control) / steps.treated[-1])


def uplift_curve(
    scores: ValueArray,
    treated: BoolArray,
    outcomes: ValueArray,
    weights: ValueArray | None = None,
) -> GainCurve:
    """Returns the uplift curve as this module defines it.

    >>> scores = np.array([0.4, 0.3, 0.2, 0.1])
    >>> treated = np.array([True, False, True, False])
    >>> uplift_curve(scores, treated, np.array([1.0, 0, 1, 1])).gains
    array([0.  , 0.25, 0.5 , 0.75, 0.5 ])

    Args:
        scores: as for `qini_curve`.
        treated: likewise.
        outcomes: likewise.
        weights: likewise.

    Raises:
        ValueError: as for `qini_curve`.
    """
    steps = _steps(scores, treated, outcomes, weights)
    effect = _over(steps.treated_outcomes, steps.treated) - _over(
        steps.control_outcomes, steps.control
    )
    return GainCurve(steps.shares, effect * steps.shares)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Sums over the first customers, at the end of each group of equal scores, from nobody on."""

    shares: ValueArray
    treated: ValueArray
    control: ValueArray
    treated_outcomes: ValueArray
    control_outcomes: ValueArray


def _steps(
    scores: ValueArray, treated: BoolArray, outcomes: ValueArray, weights: ValueArray | None
) -> _Steps:
    weights = np.ones(len(scores)) if weights is None else weights
    check_rows(scores, treated, outcomes, weights)
    order = np.argsort(-scores, kind="stable")
    ranked, first = scores[order], treated[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)

    def summed(values: ValueArray) -> ValueArray:
        sums: ValueArray = np.append(0.0, np.cumsum(values)[ends])
        return sums

    weight, outcome = weights[order], outcomes[order]
    return _Steps(
        np.append(0.0, (ends + 1) / len(ranked)),
        summed(weight * first),
        summed(weight * ~first),
        summed(weight * outcome * first),
        summed(weight * outcome * ~first),
    )


def check_rows(
    scores: ValueArray, treated: BoolArray, outcomes: ValueArray, weights: ValueArray
) -> None:
    """Refuses rows that no effect can be read from.

    Raises:
        ValueError: shapes differ, a value is not finite, a weight not above 0, or one side has
            nobody.
    """
    if not scores.shape == treated.shape == outcomes.shape == weights.shape:
        message = (
            f"scores {scores.shape}, treated {treated.shape}, outcomes {outcomes.shape} and "
            f"weights {weights.shape} must match"
        )
        raise ValueError(message)
    if not (np.isfinite(scores).all() and np.isfinite(outcomes).all()):
        message = "scores and outcomes must be finite"
        raise ValueError(message)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        message = "weights must be finite and above 0"
        raise ValueError(message)
    if treated.all() or not treated.any():
        message = "there must be both treated and untreated customers"
        raise ValueError(message)


def _over(sums: ValueArray, counts: ValueArray) -> ValueArray:
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
