"""Which recommended items were right: the one input of all ranking metrics."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recsys.types import UNKNOWN, BoolArray, NumArray, OffsetArray

ValueArray: TypeAlias = NDArray[np.float64]
"""Shape (customers,): one value of a metric for each customer, so that intervals can be made."""


def hit_matrix(
    item_nums: NumArray, truth_offsets: OffsetArray, truth_item_nums: NumArray
) -> BoolArray:
    """Says of every recommended item whether its customer's truth contains it.

    >>> lists = np.array([[4, 2, 9], [9, UNKNOWN, UNKNOWN]], dtype=np.int32)
    >>> hit_matrix(lists, np.array([0, 2, 3]), np.array([2, 4, 9], dtype=np.int32)).astype(int)
    array([[1, 1, 0],
           [1, 0, 0]])

    Args:
        item_nums: shape (customers, depth) int32: lists, best first, distinct within a row and
            padded with `UNKNOWN` where a list is shorter.
        truth_offsets: shape (customers + 1,) int64.
        truth_item_nums: shape (n,) int32: customer c's truth is rows offsets[c]:offsets[c + 1],
            distinct, in any order.

    Returns:
        Shape (customers, depth) bool; False where there is no item.
    """
    customers, depth = item_nums.shape
    if len(truth_offsets) != customers + 1:
        message = f"{customers} lists but the truth of {len(truth_offsets) - 1} customers"
        raise ValueError(message)
    # One key per (customer, item) makes it a single sorted look-up for everybody.
    most = max(int(item_nums.max(initial=UNKNOWN)), int(truth_item_nums.max(initial=UNKNOWN)))
    stride = most + 2
    owners = np.repeat(np.arange(customers, dtype=np.int64), np.diff(truth_offsets))
    truth = np.sort(owners * stride + truth_item_nums)
    sought = np.arange(customers, dtype=np.int64)[:, None] * stride + item_nums
    found: BoolArray = np.isin(sought, truth) & (item_nums != UNKNOWN)
    return found.reshape(customers, depth)


def top(hits: BoolArray, k: int) -> BoolArray:
    """Returns the first k ranks; fewer columns where the lists are not that deep.

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        message = f"k must be at least 1, not {k}"
        raise ValueError(message)
    return hits[:, :k]


def checked_sizes(hits: BoolArray, truth_sizes: NumArray) -> ValueArray:
    """Returns the truth sizes as floats.

    Raises:
        ValueError: there is not one size for each customer, or a size is below 1. A customer
            without truth has no recall: leave such customers out before measuring.
    """
    if truth_sizes.shape != (len(hits),) or (truth_sizes < 1).any():
        message = f"{len(hits)} customers need as many truth sizes, each at least 1"
        raise ValueError(message)
    return truth_sizes.astype(np.float64)
