"""Calibration: whether a list mixes kinds of items as the customer does."""

import numpy as np
from scipy.sparse import csr_array, diags_array

from recsys.metrics.hits import ValueArray
from recsys.metrics.lists import incidence
from recsys.types import BoolArray, NumArray

ALPHA = 0.01
"""The part of the customer's own mix that is blended into the list's; as in the paper."""


def calibration_kl_at(
    item_nums: NumArray, kinds: csr_array, tastes: csr_array, k: int, *, alpha: float = ALPHA
) -> ValueArray:
    r"""Returns each customer's calibration_kl@k in nats, shape (customers,), float64 from 0.

    .. math:: C_{KL} = \sum_g p(g) \ln \frac{p(g)}{(1 - \alpha) q(g) + \alpha p(g)}

    with p the mix of kinds in the customer's past and q that of the first k places, each place
    counting the same. **Lower is better**: 0 where the list has the customer's own mix, up to
    -ln(alpha) where it shows none of their kinds. NaN where past or list have no item of a kind.

    >>> kinds = csr_array(np.array([[1.0, 0.0], [0.0, 1.0]]))  # item 0 is tea, item 1 coffee
    >>> tastes = csr_array(np.array([[3.0, 3.0], [5.0, 0.0], [5.0, 0.0]]))
    >>> lists = np.array([[0, 1], [1, -1], [-1, -1]], dtype=np.int32)
    >>> calibration_kl_at(lists, kinds, tastes, 2).round(4)  # 0, -ln(0.01)
    array([0.    , 4.6052,    nan])

    Source: Steck: Calibrated recommendations, RecSys 2018.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        kinds: shape (items, kinds) float64: p(g|i), rows add up to 1, or to 0 where unknown.
        tastes: shape (customers, kinds) float64: weights of kinds in the past, of any sum.
        k: places to look at, from 1.
        alpha: above 0 and below 1.

    Raises:
        ValueError: k or alpha is out of range.
    """
    if not 0 < alpha < 1:
        message = f"alpha must lie between 0 and 1, not {alpha}"
        raise ValueError(message)
    mine, known = _shares(tastes)
    shown, filled = _shares(incidence(item_nums, k, kinds.shape[0]) @ kinds)
    # Only kinds of the past count: where p is 0 its term is. alpha * p keeps them all in.
    mixed = _sorted(((1 - alpha) * shown + alpha * mine).multiply(mine > 0).tocsr())
    mine.data *= np.log(mine.data / mixed.data)
    return np.where(known & filled, np.maximum(mine.sum(axis=1), 0.0), np.nan)


def _shares(weights: csr_array) -> tuple[csr_array, BoolArray]:
    """Returns rows that add up to 1, and which rows have any weight."""
    totals = weights.sum(axis=1)
    scale = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    return _sorted((diags_array(scale) @ weights).tocsr()), totals > 0


def _sorted(matrix: csr_array) -> csr_array:
    """Returns the matrix in place, so that two of one pattern have their values in one order."""
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
