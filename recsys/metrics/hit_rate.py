"""Hit rate: was anything in the list right."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.types import BoolArray


def hit_rate_at(hits: BoolArray, k: int) -> ValueArray:
    r"""Returns 1 for each customer with a hit among the first k, else 0: shape (customers,).

    .. math:: HR@k = \max_{r \le k} h_r

    >>> hit_rate_at(np.array([[False, True], [False, False]]), 2)
    array([1., 0.])

    Source: Deshpande, Karypis: Item-based top-N recommendation algorithms, ACM TOIS 22(1), 2004.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    right: ValueArray = top(hits, k).max(axis=1, initial=False).astype(np.float64)
    return right
