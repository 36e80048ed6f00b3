"""The order of a history: what came last, and how many steps ago the rest was."""

import numpy as np

from recsys.data.state import StateRows
from recsys.types import FloatArray, NumArray


def latest_first(
    rows: StateRows, type_weights: FloatArray, limit: int
) -> tuple[NumArray, NumArray, FloatArray]:
    """Orders the items of one customer by their last event, the newest first.

    Args:
        rows: one customer's rows.
        type_weights: weight per event type code; events of weight 0 are not looked at.
        limit: items at most.

    Returns:
        Item numbers, distinct; steps back, 0 for the newest, the same for items of the same
        second; and the largest weight of each item's types: all of shape (items,). Items of the
        same second stand by number.
    """
    kept = type_weights[rows.event_types] > 0
    nums, times = rows.item_nums[kept], rows.last_times[kept]
    weights = type_weights[rows.event_types[kept]]
    if len(nums) == 0:
        return nums, nums.copy(), weights
    starts = np.flatnonzero(np.append(True, nums[1:] != nums[:-1]))
    nums, times = nums[starts], np.maximum.reduceat(times, starts)
    weights = np.maximum.reduceat(weights, starts)
    order = np.lexsort((nums, -times))[:limit]
    times = times[order]
    steps = np.cumsum(np.append(False, times[1:] != times[:-1]))
    return nums[order], steps.astype(np.int32), weights[order]
