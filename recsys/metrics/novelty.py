"""Novelty: how far from the obvious the lists are."""

import numpy as np

from recsys.metrics.hits import ValueArray
from recsys.metrics.lists import mean_of_shown
from recsys.types import NumArray


def novelty_at(item_nums: NumArray, buyers: NumArray, n_customers: int, k: int) -> ValueArray:
    r"""Returns each customer's novelty@k in bits, shape (customers,), float64.

    .. math:: N@k = \frac{1}{|L|} \sum_{i \in L} -\log_2 p(i), \quad L = \text{the first } k

    with p(i) the share of the training customers who bought item i: an item that everybody buys
    carries 0 bits, one that a thousandth buys carries 10. An item without a buyer counts as if it
    had one, so that the value stays finite. NaN for an empty list: it has no novelty.

    >>> lists = np.array([[0, 1], [1, -1], [-1, -1]], dtype=np.int32)
    >>> novelty_at(lists, buyers=np.array([8, 2], dtype=np.int32), n_customers=8, k=2)
    array([ 1.,  2., nan])

    Source: Vargas, Castells: Rank and relevance in novelty and diversity metrics for recommender
    systems, RecSys 2011 (mean self-information); Zhou et al., PNAS 107(10), 2010.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        buyers: shape (items,) int: distinct training customers who bought each item.
        n_customers: training customers with a purchase, from 1.
        k: places to look at, from 1.

    Raises:
        ValueError: k or `n_customers` is below 1.
    """
    if n_customers < 1:
        message = f"n_customers must be at least 1, not {n_customers}"
        raise ValueError(message)
    information: ValueArray = -np.log2(np.maximum(buyers, 1) / n_customers)
    return mean_of_shown(item_nums, information, k)
