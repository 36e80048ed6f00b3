"""Serendipity: right items that the bestseller list would not have shown."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.metrics.lists import first
from recsys.types import BoolArray, NumArray


def serendipity_at(
    item_nums: NumArray, hits: BoolArray, popular_item_nums: NumArray, k: int
) -> ValueArray:
    r"""Returns each customer's serendipity@k, shape (customers,), float64 in [0, 1].

    .. math:: S@k = \frac{1}{k} \sum_{r=1}^{k} h_r [i_r \notin P_k]

    with P_k the first k places of what a primitive recommender shows everybody: here the
    bestsellers. Relevant is what the customer then took; unexpected is what popularity would not
    have shown. What the customer buys every week can be unexpected in this sense: read it beside
    `repeat_share`. Never above precision.

    >>> lists = np.array([[7, 1, 3]], dtype=np.int32)
    >>> hits = np.array([[True, True, False]])
    >>> serendipity_at(lists, hits, np.array([1, 2, 5], dtype=np.int32), 2)
    array([0.5])

    Source: Ge, Delgado-Battenfeld, Jannach: Beyond accuracy: evaluating recommender systems by
    coverage and serendipity, RecSys 2010 (useful items outside a primitive model's list), divided
    by k as precision is.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        hits: shape (customers, depth) bool.
        popular_item_nums: shape (n,) int32: the primitive recommender's list, best first.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    unexpected = ~np.isin(first(item_nums, k), popular_item_nums[:k])
    found: ValueArray = (top(hits, k) & unexpected).sum(axis=1, dtype=np.float64)
    return found / k
