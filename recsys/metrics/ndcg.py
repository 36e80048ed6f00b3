"""NDCG: were the right items near the top."""

import numpy as np

from recsys.metrics.hits import ValueArray, checked_sizes, top
from recsys.types import BoolArray, NumArray


def ndcg_at(hits: BoolArray, truth_sizes: NumArray, k: int) -> ValueArray:
    r"""Returns each customer's ndcg@k, shape (customers,), float64 in [0, 1].

    .. math:: NDCG@k = \frac{\sum_{r=1}^{k} h_r / \log_2(r + 1)}
                            {\sum_{r=1}^{\min(|T|, k)} 1 / \log_2(r + 1)}

    Gains are binary; the ideal list is truncated at min(\|T\|, k), so that 1 can be reached.

    >>> hits = np.array([[False, True, False], [True, True, False]])
    >>> ndcg_at(hits, np.array([1, 2]), 3).round(4)  # 1 / log2(3), and the ideal order
    array([0.6309, 1.    ])

    Source: Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques, ACM TOIS
    20(4), 2002.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        truth_sizes: shape (customers,) int, from 1: the number of right items there are.
        k: places to look at, from 1.

    Raises:
        ValueError: k or a truth size is below 1.
    """
    sizes = checked_sizes(hits, truth_sizes)
    seen = top(hits, k)
    discounts = 1.0 / np.log2(np.arange(2, k + 2, dtype=np.float64))
    ideal = np.cumsum(discounts)[np.minimum(sizes, k).astype(np.int64) - 1]
    gains: ValueArray = seen @ discounts[: seen.shape[1]]
    return gains / ideal
