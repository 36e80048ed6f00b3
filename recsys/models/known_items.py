"""Which items a model knows: rows of its arrays, found by item number."""

import numpy as np
from numpy.typing import NDArray

from recsys.types import BoolArray, NumArray


def places_of(known: NumArray, item_nums: NumArray) -> tuple[NDArray[np.intp], BoolArray]:
    """Finds item numbers among the ones that a model knows.

    Args:
        known: ascending, shape (trained,).
        item_nums: in any order, shape (items,).

    Returns:
        The rows of the items that are known, in their order, and which items these are, shape
        (items,).
    """
    places = np.searchsorted(known, item_nums)
    places[places == len(known)] = 0
    found: BoolArray = known[places] == item_nums if len(known) else item_nums < 0
    return places[found], found
