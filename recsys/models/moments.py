"""What was chosen one after another: the log as sequences of moments."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recsys.data.interactions import Interactions
from recsys.data.state import type_weight_array
from recsys.models.protocol import EventWeights
from recsys.types import DAY_S, FloatArray, NumArray, TimeArray


class SequenceConfig(Protocol):
    """What decides how a log is read as sequences."""

    @property
    def over(self) -> Literal["customers", "sessions"]:
        """Returns what a sequence is."""
        ...

    @property
    def event_weights(self) -> EventWeights:
        """Returns the weight of one event of each type."""
        ...

    @property
    def half_life_days(self) -> float | None:
        """Returns the days after which a moment weighs half."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The items of each second in which a sequence goes on, in order within each sequence."""

    owners: NumArray
    """Shape (moments,), ascending: the customer, or the session, that a moment belongs to."""
    items: csr_array
    """Moments x items, float32: the largest weight of the item's events at the moment."""
    weights: FloatArray
    """Shape (moments,): 1, halved per half-life of the moment's age."""


def moments(log: Interactions, config: SequenceConfig) -> Moments:
    """Reads a log as sequences.

    Items of the same second have no order among them. An item that is chosen again at the next
    moment (viewed, put into the cart, bought) does not make a new one.
    """
    type_weights = type_weight_array(config.event_weights)
    kept = np.flatnonzero(type_weights[log.event_types] > 0)
    groups = log.customer_nums if config.over == "customers" else log.basket_nums
    kept = kept[np.lexsort((log.item_nums[kept], log.times[kept], groups[kept]))]
    owners, times, nums = groups[kept], log.times[kept], log.item_nums[kept]
    weights = type_weights[log.event_types[kept]]
    places = _places(owners, times)
    fresh = _not_again(places, owners, nums)
    owners, times, nums, weights = owners[fresh], times[fresh], nums[fresh], weights[fresh]
    places = _places(owners, times)
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    # A customer's event types at one moment: the heaviest counts.
    order = np.lexsort((-weights, nums, places))
    first = np.append(True, (np.diff(places[order]) != 0) | (np.diff(nums[order]) != 0))
    entries = order[first[: len(order)]]
    shape = (len(starts), len(log.items))
    matrix = csr_array((weights[entries], (places[entries], nums[entries])), shape=shape)
    return Moments(owners[starts], matrix, _faded(log.end_time - times[starts], config))


def _faded(ages_s: TimeArray, config: SequenceConfig) -> FloatArray:
    if config.half_life_days is None:
        return np.ones(len(ages_s), dtype=np.float32)
    return np.exp2(-ages_s / DAY_S / config.half_life_days).astype(np.float32)


def _places(owners: NumArray, times: TimeArray) -> NDArray[np.int64]:
    """Numbers the moments of sorted rows, shape (rows,)."""
    if len(owners) == 0:
        return np.zeros(0, dtype=np.int64)
    return np.cumsum(np.append(False, (np.diff(owners) != 0) | (np.diff(times) != 0)))


def _not_again(places: NDArray[np.int64], owners: NumArray, nums: NumArray) -> NDArray[np.intp]:
    """Returns the rows whose item was not chosen at its sequence's moment before, in order."""
    order = np.lexsort((places, nums, owners))
    same = (np.diff(owners[order]) == 0) & (np.diff(nums[order]) == 0)
    again = same & (np.diff(places[order]) == 1)
    return np.sort(order[np.append(True, ~again)[: len(order)]])
