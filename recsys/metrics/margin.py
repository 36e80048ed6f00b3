"""Margin: what the right items of a list leave after their cost."""

from recsys.metrics.hits import ValueArray
from recsys.metrics.revenue import revenue_at
from recsys.types import BoolArray, NumArray


def margin_at(
    item_nums: NumArray, hits: BoolArray, prices: ValueArray, costs: ValueArray, k: int
) -> ValueArray:
    r"""Returns each customer's margin@k in the shop's currency, shape (customers,), float64.

    .. math:: M@k = \sum_{r=1}^{k} h_r \, (price(i_r) - cost(i_r))

    As `revenue_at`; below 0 where items are sold under cost. A hit without price or cost counts 0.
    NaN for everybody where no item has both.

    >>> import numpy as np
    >>> lists, hits = np.array([[0, 1]], dtype=np.int32), np.array([[True, True]])
    >>> margin_at(lists, hits, np.array([2.5, 4.0]), np.array([1.0, np.nan]), 2)
    array([1.5])

    Source: Jannach, Adomavicius: Price and profit awareness in recommender systems, VAMS 2017.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        hits: shape (customers, depth) bool; False where there is no item.
        prices: shape (items,) float64, NaN where unknown.
        costs: shape (items,) float64, NaN where unknown.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    return revenue_at(item_nums, hits, prices - costs, k)
