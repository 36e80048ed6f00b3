"""Uplift at a share: the effect on those who would be treated first."""

import numpy as np
from numpy.typing import NDArray

from recsys.metrics.hits import ValueArray
from recsys.metrics.uplift_curve import check_rows
from recsys.types import BoolArray


def uplift_at(
    scores: ValueArray,
    treated: BoolArray,
    outcomes: ValueArray,
    share: float,
    weights: ValueArray | None = None,
) -> float:
    r"""Returns the mean outcome of treated less that of untreated among the best-scored.

    .. math:: Y_t / n_t - Y_c / n_c \text{ of the } \lceil \phi n \rceil \text{ highest scores}

    (scikit-uplift's `uplift_at_k`, strategy "overall".) Ties at the edge are cut by the order of
    the rows; `uplift_curve` has none. NaN where one side has nobody there.

    >>> scores = np.array([0.4, 0.3, 0.2, 0.1])
    >>> uplift_at(scores, np.array([True, False, True, False]), np.array([1.0, 0, 1, 1]), 0.5)
    1.0

    Source: Radcliffe, 2007 (see `uplift_curve`).

    Args:
        scores: shape (rows,) float64: larger ones are treated first; no NaN.
        treated: shape (rows,) bool; at least one of each.
        outcomes: shape (rows,) float64.
        share: above 0, at most 1.
        weights: shape (rows,) float64 above 0; default: all the same.

    Raises:
        ValueError: as for `qini_curve`, or the share is out of range.
    """
    if not 0 < share <= 1:
        message = f"share must be above 0 and at most 1, not {share}"
        raise ValueError(message)
    weights = np.ones(len(scores)) if weights is None else weights
    check_rows(scores, treated, outcomes, weights)
    best = np.argsort(-scores, kind="stable")[: int(np.ceil(share * len(scores)))]
    sides = [_mean(outcomes, weights, best[treated[best] == side]) for side in (True, False)]
    return sides[0] - sides[1]


def _mean(outcomes: ValueArray, weights: ValueArray, rows: NDArray[np.intp]) -> float:
    if len(rows) == 0:
        return float("nan")
    return float(np.average(outcomes[rows], weights=weights[rows]))
