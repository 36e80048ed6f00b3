"""How much of the exact answer an index finds."""

import numpy as np

from recsys.index.protocol import Allowed, VectorIndex
from recsys.types import UNKNOWN, FloatArray

TIE = 1e-6
"""Scores closer than this, relative to scores above 1, count as equal."""


def recall_at(
    index: VectorIndex,
    reference: VectorIndex,
    queries: FloatArray,
    k: int,
    allowed: Allowed = None,
) -> float:
    """Returns the mean share of the reference's best `k` that `index` finds, from 0 to 1.

    An item counts if its score reaches the reference's k-th, so that equal scores may be
    exchanged. Queries (queries, dim) for which the reference finds nothing are left out.

    Raises:
        ValueError: the reference finds nothing for any query.
    """
    exact_nums, exact_scores = reference.search(queries, k, allowed)
    nums, scores = index.search(queries, k, allowed)
    sizes = (exact_nums != UNKNOWN).sum(axis=1)
    asked = np.flatnonzero(sizes)
    if asked.size == 0:
        message = "recall needs a query with an answer"
        raise ValueError(message)
    last = exact_scores[asked, sizes[asked] - 1]
    floor = last - TIE * np.maximum(1.0, np.abs(last))
    hits = ((scores[asked] >= floor[:, None]) & (nums[asked] != UNKNOWN)).sum(axis=1)
    return float(np.mean(hits / sizes[asked]))
