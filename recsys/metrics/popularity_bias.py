"""Popularity bias: how well known the recommended items are."""

from recsys.metrics.hits import ValueArray
from recsys.metrics.lists import mean_of_shown
from recsys.types import NumArray


def average_popularity_at(item_nums: NumArray, popularity: ValueArray, k: int) -> ValueArray:
    r"""Returns each customer's ARP@k, shape (customers,), float64, in the unit of `popularity`.

    .. math:: ARP@k = \frac{1}{|L|} \sum_{i \in L} \phi(i), \quad L = \text{the first } k

    The average recommendation popularity: high where lists repeat what everybody buys. phi(i) is
    a count of training interactions in the paper; back-tests give the share of training buyers
    who bought the item, so that shops of different sizes can be compared. NaN for an empty list.

    >>> import numpy as np
    >>> lists = np.array([[0, 1], [1, -1], [-1, -1]], dtype=np.int32)
    >>> average_popularity_at(lists, np.array([0.5, 0.25]), 2)
    array([0.375, 0.25 ,   nan])

    Source: Abdollahpouri, Burke, Mobasher: Managing popularity bias in recommender systems with
    personalized re-ranking, FLAIRS 2019; Yin et al.: Challenging the long tail recommendation,
    VLDB 2012.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        popularity: shape (items,) float64.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    return mean_of_shown(item_nums, popularity, k)
