"""Exposure Gini: whether a few items take most of the places."""

import numpy as np

from recsys.metrics.lists import first
from recsys.types import UNKNOWN, NumArray


def exposure_gini_at(item_nums: NumArray, k: int, n_items: int) -> float:
    r"""Returns the Gini coefficient of how often each item is shown, in [0, 1).

    .. math:: G@k = \frac{\sum_{j=1}^{n} (2j - n - 1) x_{(j)}}{n \sum_j x_{(j)}}

    with x_(j) the number of lists that show an item in their first k places, ascending, over all
    n items, also those never shown: 0 where all are shown equally often, 1 - 1/n where one takes
    every place. A property of all lists together: it has no value per customer and no interval.
    It falls with more customers and larger k. NaN where nothing is shown at all.

    >>> lists = np.array([[0, 1], [0, 2]], dtype=np.int32)
    >>> exposure_gini_at(lists, 1, n_items=4), exposure_gini_at(lists, 2, n_items=4)
    (0.75, 0.375)

    Source: Fleder, Hosanagar: Blockbuster culture's next rise or fall, Management Science 55(5),
    2009; Castells, Hurley, Vargas: Novelty and diversity in recommender systems, Recommender
    Systems Handbook (2015), who divide by n - 1.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        k: places to look at, from 1.
        n_items: the number of items that could have been recommended, from 1.

    Raises:
        ValueError: k or `n_items` is below 1.
    """
    if n_items < 1:
        message = f"n_items must be at least 1, not {n_items}"
        raise ValueError(message)
    shown = first(item_nums, k)
    exposure = np.sort(np.bincount(shown[shown != UNKNOWN], minlength=n_items))
    if not exposure.any():
        return float("nan")
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float(weights @ exposure / (n_items * exposure.sum()))
