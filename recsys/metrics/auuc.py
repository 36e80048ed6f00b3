"""AUUC: the area under the uplift curve."""

from recsys.metrics.hits import ValueArray
from recsys.metrics.uplift_curve import uplift_curve
from recsys.types import BoolArray


def auuc(
    scores: ValueArray,
    treated: BoolArray,
    outcomes: ValueArray,
    weights: ValueArray | None = None,
) -> float:
    r"""Returns the area under the uplift curve, the random order's included.

    .. math:: AUUC = \int_0^1 U(\phi) \, d\phi

    in the unit of the outcome for each customer: the mean over all campaign sizes of what the
    best-scored part brings. A random order has half the mean effect; subtract that, as
    `GainCurve.area_over_random` does, to compare data sets.

    >>> import numpy as np
    >>> scores = np.array([0.4, 0.3, 0.2, 0.1])
    >>> auuc(scores, np.array([True, False, True, False]), np.array([1.0, 0, 1, 1]))
    0.4375

    Source: Rzepakowski, Jaroszewicz: Decision trees for uplift modeling with single and multiple
    treatments, Knowledge and Information Systems 32, 2012; Devriendt et al. (see `uplift_curve`),
    joint absolute form.

    Args:
        scores: shape (rows,) float64: larger ones are treated first; no NaN.
        treated: shape (rows,) bool; at least one of each.
        outcomes: shape (rows,) float64.
        weights: shape (rows,) float64 above 0; default: all the same.

    Raises:
        ValueError: as for `uplift_curve`.
    """
    return uplift_curve(scores, treated, outcomes, weights).area()
