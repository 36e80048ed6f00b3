"""The four shapes of files that others have split, recognised by their columns."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from recsys.data.reading.guess import EVENT_NAMES, guess_columns


class Shape(StrEnum):
    """What a file says of the order of events."""

    PAIRS = "pairs"
    """customer_id, item_id: nothing."""
    SEQUENCES = "sequences"
    """customer_id, position, item_id: which came after which."""
    BASKETS = "baskets"
    """customer_id, basket_no, item_id: which came together, and which after which."""
    EVENTS = "events"
    """customer_id, item_id, event_time, perhaps event_type: when."""


ORDER: Mapping[Shape, str] = {
    Shape.SEQUENCES: "position",
    Shape.BASKETS: "basket_no",
    Shape.EVENTS: "event_time",
}
"""The column that makes the shape."""

SPLIT = "split"
"""Column that says which part a row belongs to, where one file holds several."""

NAMES: Mapping[str, tuple[str, ...]] = {
    SPLIT: ("split", "part", "fold"),
    "customer_id": EVENT_NAMES["customer_id"],
    "session_id": EVENT_NAMES["session_id"],
    "item_id": EVENT_NAMES["item_id"],
    "basket_no": ("basketno", "basketnumber", "basketindex", "ordernumber", "orderno"),
    "position": ("position", "pos", "step", "rank"),
    "event_type": EVENT_NAMES["event_type"],
    "event_time": EVENT_NAMES["event_time"],
}
"""Our column -> names it goes by, as in `EVENT_NAMES`."""


def found_columns(columns: Iterable[str]) -> dict[str, str]:
    """Returns our column -> the file's; where no customer is named, a session counts as one."""
    columns = list(columns)
    found = guess_columns(columns, NAMES)
    if "customer_id" not in found:
        visitors = guess_columns(columns, {"visitor_id": EVENT_NAMES["visitor_id"]})
        owner = visitors.get("visitor_id", found.get("session_id"))
        found |= {} if owner is None else {"customer_id": owner}
    return found


def shape_of(found: Iterable[str]) -> Shape:
    """Returns the shape of a file with these columns of ours.

    A basket number tells more than a position, and either more than a time.
    """
    names = set(found)
    for shape in (Shape.BASKETS, Shape.SEQUENCES, Shape.EVENTS):
        if ORDER[shape] in names:
            return shape
    return Shape.PAIRS
