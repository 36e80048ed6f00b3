"""Lists as arrays: their first places, means over them, and which items they show."""

import numpy as np
from scipy.sparse import csr_array

from recsys.metrics.hits import ValueArray
from recsys.types import UNKNOWN, NumArray


def first(item_nums: NumArray, k: int) -> NumArray:
    """Returns the first k places; fewer columns where the lists are not that deep.

    >>> first(np.array([[4, 2, 9]], dtype=np.int32), 2)
    array([[4, 2]], dtype=int32)

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        message = f"k must be at least 1, not {k}"
        raise ValueError(message)
    return item_nums[:, :k]


def mean_of_shown(item_nums: NumArray, item_values: ValueArray, k: int) -> ValueArray:
    """Returns the mean of a value over the items of each list's first k places.

    >>> lists = np.array([[0, 1], [1, UNKNOWN], [UNKNOWN, UNKNOWN]], dtype=np.int32)
    >>> mean_of_shown(lists, np.array([1.0, 3.0]), 2)
    array([ 2.,  3., nan])

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        item_values: shape (items,) float64.
        k: places to look at, from 1.

    Returns:
        Shape (customers,); NaN for an empty list.

    Raises:
        ValueError: k is below 1.
    """
    shown = first(item_nums, k)
    there = shown != UNKNOWN
    total = np.where(there, item_values[np.where(there, shown, 0)], 0.0).sum(axis=1)
    sizes = there.sum(axis=1)
    nothing = np.full(len(shown), np.nan)
    means: ValueArray = np.divide(total, sizes, out=nothing, where=sizes > 0)
    return means


def incidence(item_nums: NumArray, k: int, n_items: int) -> csr_array:
    """Returns which items stand in each list's first k places: shape (customers, items), 0 or 1.

    >>> incidence(np.array([[2, 0], [1, UNKNOWN]], dtype=np.int32), 2, n_items=3).toarray()
    array([[1., 0., 1.],
           [0., 1., 0.]])

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter; distinct
            within a row.
        k: places to look at, from 1.
        n_items: columns.

    Raises:
        ValueError: k is below 1.
    """
    shown = first(item_nums, k)
    customers, places = np.nonzero(shown != UNKNOWN)
    ones = np.ones(len(customers), dtype=np.float64)
    return csr_array((ones, (customers, shown[customers, places])), shape=(len(shown), n_items))
