"""Names for the ids, numbers and arrays that every room of the library passes around."""

from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType, TypeAlias

import numpy as np
from numpy.typing import NDArray

CustomerId = NewType("CustomerId", str)
ItemId = NewType("ItemId", str)

NumArray: TypeAlias = NDArray[np.int32]
"""Dense numbers of customers or items; `UNKNOWN` where there is none."""
FloatArray: TypeAlias = NDArray[np.float32]
TimeArray: TypeAlias = NDArray[np.int64]
"""Unix seconds, UTC."""
BoolArray: TypeAlias = NDArray[np.bool_]
CodeArray: TypeAlias = NDArray[np.uint8]
"""Event type codes: positions in `EVENT_TYPES`."""
OffsetArray: TypeAlias = NDArray[np.int64]
"""Row boundaries of flat arrays: row i is `flat[offsets[i]:offsets[i + 1]]`."""

UNKNOWN = -1
"""The number of an id that is not in a vocabulary."""


class LogPosition(NamedTuple):
    """How far an event log was read."""

    store_id: str
    """Of the store that the log is in: positions of two stores have nothing to do with each
    other."""
    position: int
    """Of the last event that was read, 0 for none."""
    links: int = 0
    """Number of the last link of a visitor that was applied, 0 for none."""


DAY_S = 86_400
"""Seconds in a day."""

VISITOR_PREFIX = "visitor/"
"""Begins the customer id of a visitor who has not logged in; callers' customer ids must not."""


class EventType(StrEnum):
    """What happened. The order is the storage code: append, never reorder."""

    VIEW = "view"
    CLICK = "click"
    ADD_TO_CART = "add-to-cart"
    REMOVE_FROM_CART = "remove-from-cart"
    PURCHASE = "purchase"
    RETURN = "return"
    WISHLIST = "wishlist"
    RATING = "rating"
    SEARCH = "search"
    IMPRESSION = "impression"
    EMAIL_OPEN = "email-open"
    EMAIL_CLICK = "email-click"
    OFFER_SHOWN = "offer-shown"
    OFFER_REDEEMED = "offer-redeemed"
    SURVEY = "survey"


EVENT_TYPES: tuple[EventType, ...] = tuple(EventType)
EVENT_CODES: dict[EventType, int] = {kind: code for code, kind in enumerate(EVENT_TYPES)}


class Tier(IntEnum):
    """How much an answer knows about its reader, best first."""

    PERSONALISED = 0
    SESSION = 1
    SEGMENT = 2
    POPULAR = 3


def visitor_key(visitor_id: str) -> CustomerId:
    """Returns the customer id under which a visitor's history is kept."""
    return CustomerId(VISITOR_PREFIX + visitor_id)
