"""MAP against the whole truth: a list of k can only be perfect where k places are enough."""

import numpy as np

from recsys.metrics.average_precision import average_precision_at
from recsys.metrics.hits import ValueArray, checked_sizes
from recsys.types import BoolArray, NumArray


def average_precision_full_at(hits: BoolArray, truth_sizes: NumArray, k: int) -> ValueArray:
    r"""Returns each customer's AP@k over the whole truth; map_full@k is its mean.

    .. math:: \frac{1}{|T|} \sum_{r=1}^{k} h_r P@r

    As `average_precision_at`, but divided by \|T\|: with more than k right items 1 cannot be
    reached, as with recall. Never above it; equal where \|T\| <= k. This is `map_cut` of
    trec_eval, `map@k` of ranx, and `MAP` of RecTools unless it is told to divide by k.

    >>> hits = np.array([[True, False, True], [False, True, False]])
    >>> average_precision_full_at(hits, np.array([2, 5]), 3).round(4)  # (1 + 2/3) / 2, (1/2) / 5
    array([0.8333, 0.1   ])

    Source: Buckley, Voorhees: Evaluating evaluation measure stability, SIGIR 2000.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        truth_sizes: shape (customers,) int, from 1: the number of right items there are.
        k: places to look at, from 1.

    Returns:
        Shape (customers,), float64 in [0, 1].

    Raises:
        ValueError: k or a truth size is below 1.
    """
    sizes = checked_sizes(hits, truth_sizes)
    return average_precision_at(hits, truth_sizes, k) * np.minimum(sizes, k) / sizes
