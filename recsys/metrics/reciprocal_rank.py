"""MRR: how far down the first right item stood."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.types import BoolArray


def reciprocal_rank_at(hits: BoolArray, k: int) -> ValueArray:
    r"""Returns each customer's RR@k, shape (customers,), float64 in [0, 1]; mrr@k is its mean.

    .. math:: RR@k = 1 / \min \{ r \le k : h_r = 1 \}, \text{ or } 0 \text{ without a hit}

    >>> reciprocal_rank_at(np.array([[False, True], [False, False]]), 2)
    array([0.5, 0. ])

    Source: Voorhees: The TREC-8 question answering track report, TREC 1999.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    seen = top(hits, k)
    ranks = np.arange(1, seen.shape[1] + 1, dtype=np.float64)
    # The earliest hit has the largest 1 / rank.
    values: ValueArray = (seen / ranks).max(axis=1, initial=0.0)
    return values
