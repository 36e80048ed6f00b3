"""Repeat share: how much of a list the customer has bought before."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.metrics.lists import first
from recsys.types import UNKNOWN, BoolArray, NumArray


def repeat_share_at(item_nums: NumArray, known: BoolArray, k: int) -> ValueArray:
    r"""Returns each customer's repeat_share@k, shape (customers,), float64 in [0, 1].

    .. math:: \frac{|L \cap H|}{|L|}, \quad L = \text{the first } k, H = \text{the past}

    The explore share is 1 minus it. NaN for an empty list.

    >>> lists = np.array([[4, 2], [9, -1], [-1, -1]], dtype=np.int32)
    >>> repeat_share_at(lists, np.array([[True, False], [True, False], [False, False]]), 2)
    array([0.5, 1. , nan])

    Source: Li, Jullien, Ariannezhad, de Rijke: A next basket recommendation reality check, ACM
    TOIS 41(4), 2023 (repetition and exploration ratio).

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        known: shape (customers, depth) bool: the customer had bought the item before.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    there = first(item_nums, k) != UNKNOWN
    repeated = (top(known, k) & there).sum(axis=1)
    sizes = there.sum(axis=1)
    nothing = np.full(len(sizes), np.nan)
    values: ValueArray = np.divide(repeated, sizes, out=nothing, where=sizes > 0)
    return values
