"""Sources asked backwards: not which items a history speaks for, but who speaks for an item."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from recsys.data.state import CustomerStates, type_weight_array
from recsys.types import EventType, FloatArray

BACKWARD_KINDS = frozenset({"neighbours", "repurchase", "vectors"})
"""Kinds of sources, as a configuration names them, that are `Backward`."""


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """How much each item of a history speaks for one item."""

    of_items: FloatArray
    """Shape (items,): what an entry of 1 for each item adds, of either sign; what comes after the
    last one adds nothing."""
    event_weights: Mapping[EventType, float]
    """Of the events that make entries."""
    half_life_days: float | None
    entries: Callable[[FloatArray], FloatArray]
    """From weights to entries, element by element."""


@runtime_checkable
class Backward(Protocol):
    """A source whose scores are sums over the history, and which can be asked backwards."""

    def worth_of(self, item_num: int) -> Worth | None:
        """Returns what speaks for an item; None where the source's model cannot tell."""
        ...


def interest(states: CustomerStates, items: int, worth: Worth, now: int) -> FloatArray:
    """Returns what the histories of all customers add up to for an item, at least 0.

    Shape (customers,).
    One pass over the states. The entries are those of single rows: a customer who viewed and
    bought an item has two, where a list made for the customer has one for both.

    Args:
        states: of all customers.
        items: number of items that the states may name.
        worth: what speaks for the item.
        now: Unix seconds that ages are counted from.
    """
    rows, scale, days = states.rows, states.scale, worth.half_life_days
    type_weights = type_weight_array(dict(worth.event_weights))
    of_items = np.zeros(items, dtype=np.float32)
    of_items[: len(worth.of_items)] = worth.of_items
    speaking = of_items[rows.item_nums]
    places = np.flatnonzero((speaking != 0) & (type_weights[rows.event_types] > 0))
    counted = rows.days[places] if days is None else rows.decayed[places, scale.column(days)]
    seen = 1 if days is None else scale.seen_from(now, days)
    entries = worth.entries(counted * type_weights[rows.event_types[places]] * seen)
    if 4 * len(places) > len(speaking):  # counting off all rows is faster than looking up many
        owners = states.customer_nums()[places]
    else:
        owners = (np.searchsorted(states.offsets, places, side="right") - 1).astype(np.int32)
    sums = np.bincount(owners, weights=entries * speaking[places], minlength=len(states))
    interests: FloatArray = np.maximum(sums, 0).astype(np.float32)
    return interests


def plain(weights: FloatArray) -> FloatArray:
    """Returns weights as they are: entries of those who sum weights."""
    return weights
