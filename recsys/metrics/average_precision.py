"""MAP: precision at every right item, so that both order and completeness count."""

import numpy as np

from recsys.metrics.hits import ValueArray, checked_sizes, top
from recsys.types import BoolArray, NumArray


def average_precision_at(hits: BoolArray, truth_sizes: NumArray, k: int) -> ValueArray:
    r"""Returns each customer's AP@k, shape (customers,), float64 in [0, 1]; map@k is its mean.

    .. math:: AP@k = \frac{1}{\min(|T|, k)} \sum_{r=1}^{k} h_r P@r

    Divided by min(\|T\|, k), so that 1 can be reached, as in Kaggle's MAP@k and
    in implicit. trec_eval, ranx and RecTools divide by \|T\|: `average_precision_full_at`.

    >>> hits = np.array([[True, False, True], [False, True, False]])
    >>> average_precision_at(hits, np.array([2, 5]), 3).round(4)  # (1 + 2/3) / 2, (1/2) / 3
    array([0.8333, 0.1667])

    Source: Buckley, Voorhees: Evaluating evaluation measure stability, SIGIR 2000.

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        truth_sizes: shape (customers,) int, from 1: the number of right items there are.
        k: places to look at, from 1.

    Raises:
        ValueError: k or a truth size is below 1.
    """
    sizes = checked_sizes(hits, truth_sizes)
    seen = top(hits, k)
    ranks = np.arange(1, seen.shape[1] + 1, dtype=np.float64)
    precisions = np.cumsum(seen, axis=1) / ranks
    total: ValueArray = (precisions * seen).sum(axis=1)
    return total / np.minimum(sizes, k)
