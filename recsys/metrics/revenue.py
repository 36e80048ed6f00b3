"""Revenue: what the right items of a list cost."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.metrics.lists import first
from recsys.types import BoolArray, NumArray


def revenue_at(item_nums: NumArray, hits: BoolArray, prices: ValueArray, k: int) -> ValueArray:
    r"""Returns each customer's revenue@k in the shop's currency, shape (customers,), float64.

    .. math:: V@k = \sum_{r=1}^{k} h_r \, price(i_r)

    One unit of each right item: how many were bought is not the list's merit. A hit without a
    known price counts 0, so the figure is a lower bound. NaN for everybody where no item has one.

    >>> lists = np.array([[0, 1, 2]], dtype=np.int32)
    >>> revenue_at(lists, np.array([[True, True, True]]), np.array([2.5, np.nan, 4.0]), 2)
    array([2.5])

    Source: Jannach, Adomavicius: Price and profit awareness in recommender systems, VAMS 2017;
    with all prices 1 it is k times precision.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        hits: shape (customers, depth) bool; False where there is no item.
        prices: shape (items,) float64, NaN where unknown.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    shown = first(item_nums, k)
    if np.isnan(prices).all():
        return np.full(len(shown), np.nan)
    # Padding reads the last price, and its hit is False.
    total: ValueArray = (np.nan_to_num(prices)[shown] * top(hits, k)).sum(axis=1)
    return total
