"""Recall: how much of what the customer took was in the list."""

import numpy as np

from recsys.metrics.hits import ValueArray, checked_sizes, top
from recsys.types import BoolArray, NumArray


def recall_at(hits: BoolArray, truth_sizes: NumArray, k: int) -> ValueArray:
    r"""Returns each customer's recall@k, shape (customers,), float64 in [0, 1].

    .. math:: R@k = \frac{1}{|T|} \sum_{r=1}^{k} h_r

    The divisor is the whole truth T, also where it is larger than k: a customer who took 40
    items cannot reach 1 in a list of 20. (Some papers divide by min(\|T\|, k).)

    >>> hits = np.array([[True, False, True], [False, True, False]])
    >>> recall_at(hits, np.array([4, 1]), 3)
    array([0.5, 1. ])

    Source: Manning, Raghavan, Schütze: Introduction to Information Retrieval (2008), 8.4.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        truth_sizes: shape (customers,) int, from 1: the number of right items there are.
        k: places to look at, from 1.

    Raises:
        ValueError: k or a truth size is below 1.
    """
    sizes = checked_sizes(hits, truth_sizes)
    found: ValueArray = top(hits, k).sum(axis=1, dtype=np.float64)
    return found / sizes
