"""Long histories cut to their heaviest items, by one rule at fitting and at request time."""

import numpy as np
from scipy.sparse import csr_array

from recsys.types import FloatArray, NumArray


def heaviest(matrix: csr_array, limit: int) -> csr_array:
    """Keeps the heaviest entries of each row; ties keep the lower column."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    place = np.arange(len(rows)) - np.asarray(matrix.indptr)[rows]
    kept = order[place < limit]
    entries = (matrix.data[kept], (rows[kept], matrix.indices[kept]))
    return csr_array(entries, shape=matrix.shape, dtype=np.float32)


def heaviest_items(
    item_nums: NumArray, weights: FloatArray, limit: int
) -> tuple[NumArray, FloatArray]:
    """Keeps the heaviest items of one history, ascending; ties keep the lower number.

    Args:
        item_nums: ascending, shape (items,).
        weights: shape (items,).
        limit: items at most.
    """
    if len(item_nums) <= limit:
        return item_nums, weights
    kept = np.sort(np.argsort(-weights, kind="stable")[:limit])
    return item_nums[kept], weights[kept]
