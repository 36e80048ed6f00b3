"""NDCG against the whole truth: a list of k can only be ideal where k places are enough."""

import numpy as np

from recsys.metrics.hits import ValueArray, checked_sizes, top
from recsys.types import BoolArray, NumArray


def ndcg_full_ideal_at(hits: BoolArray, truth_sizes: NumArray, k: int) -> ValueArray:
    r"""Returns each customer's ndcg_full_ideal@k, shape (customers,), float64 in [0, 1].

    .. math:: \frac{\sum_{r=1}^{k} h_r / \log_2(r + 1)}{\sum_{r=1}^{|T|} 1 / \log_2(r + 1)}

    As `ndcg_at`, with binary gains, but the ideal list holds the whole truth: with more than k
    right items 1 cannot be reached, as with recall. Never above `ndcg_at`; equal where \|T\| <= k.

    >>> hits = np.array([[True, True], [True, True]])
    >>> ndcg_full_ideal_at(hits, np.array([2, 4]), 2).round(4)
    array([1.    , 0.6367])

    Source: Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques, ACM TOIS
    20(4), 2002, without the cut of the ideal vector.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        truth_sizes: shape (customers,) int, from 1: the number of right items there are.
        k: places to look at, from 1.

    Raises:
        ValueError: k or a truth size is below 1.
    """
    sizes = checked_sizes(hits, truth_sizes).astype(np.int64)
    seen = top(hits, k)
    deepest = max(int(sizes.max(initial=1)), seen.shape[1])
    discounts = 1.0 / np.log2(np.arange(2, deepest + 2, dtype=np.float64))
    gains: ValueArray = seen @ discounts[: seen.shape[1]]
    return gains / np.cumsum(discounts)[sizes - 1]
