"""Precision: how much of the list was right."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.types import BoolArray


def precision_at(hits: BoolArray, k: int) -> ValueArray:
    r"""Returns each customer's precision@k, shape (customers,), float64 in [0, 1].

    .. math:: P@k = \frac{1}{k} \sum_{r=1}^{k} h_r

    with h_r = 1 where the item at rank r is right. A list shorter than k is divided by k all the
    same: an empty place helps nobody (the definition of trec_eval).

    >>> precision_at(np.array([[True, False, True], [False, False, False]]), 2)
    array([0.5, 0. ])

    Source: Manning, Raghavan, Schütze: Introduction to Information Retrieval (2008), 8.4.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    found: ValueArray = top(hits, k).sum(axis=1, dtype=np.float64)
    return found / k
