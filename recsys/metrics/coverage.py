"""Coverage: how much of the catalogue anybody gets to see."""

import numpy as np

from recsys.types import UNKNOWN, NumArray


def coverage_at(item_nums: NumArray, k: int, n_items: int) -> float:
    r"""Returns coverage@k: the share of the catalogue that stands in at least one list's first k.

    .. math:: C@k = \frac{1}{|I|} \left| \bigcup_c L_c[1..k] \right|

    A property of all lists together, not a mean over customers: it has no value per customer and
    no interval, and it can only grow with more customers.

    >>> coverage_at(np.array([[0, 1], [1, UNKNOWN]], dtype=np.int32), 2, n_items=4)
    0.5

    Source: Ge, Delgado-Battenfeld, Jannach: Beyond accuracy: evaluating recommender systems by
    coverage and serendipity, RecSys 2010 (catalogue coverage).

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        k: places to look at, from 1.
        n_items: the number of items that could have been recommended, from 1.

    Raises:
        ValueError: k or `n_items` is below 1.
    """
    if k < 1 or n_items < 1:
        message = f"k and n_items must be at least 1, not {k} and {n_items}"
        raise ValueError(message)
    shown = item_nums[:, :k]
    return len(np.unique(shown[shown != UNKNOWN])) / n_items
