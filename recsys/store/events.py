"""One line of the event log, as it is handed to the store."""

from typing import NamedTuple

from recsys.store.consent import Consent
from recsys.types import CustomerId, ItemId

MOST_EVENTS = 5_000
"""Of one customer, or of one visitor, the latest that an answer reads: robots are not awaited."""


class LogEvent(NamedTuple):
    """An event in the order of `EVENT_SCHEMA`; None where the event does not say."""

    event_id: str | None
    """None or empty: derived from the other fields, as for an event in a file."""
    customer_id: str
    """A customer, or a visitor as `visitor_key(id)`."""
    session_id: str | None
    basket_id: str | None
    item_id: str | None
    offer_id: str | None
    event_type: str
    event_time: int
    """Microseconds since 1970, UTC."""
    quantity: float = 1.0
    unit_price: float | None = None
    channel: str | None = None
    attribution_token: str | None = None
    value: float | None = None
    properties: str | None = None
    """JSON text of an object."""


class Appended(NamedTuple):
    """What became of a batch of events; the first three counts add up to its length."""

    stored: int
    duplicates: int
    """Known by `event_id` before, or the second of that id in the batch."""
    erased: int
    """Of a customer who was erased later than the event."""
    last_position: int
    """Position of the newest event of the log after this batch; 0: the log is empty."""
    unknown_types: int
    """Events among the stored ones whose type no model knows."""


class TailEvent(NamedTuple):
    """What request-time state needs of a stored event."""

    position: int
    customer_id: CustomerId
    """As stored: of a linked visitor it is still `visitor/<id>`."""
    item_id: ItemId
    event_type: str
    event_time: int
    """Microseconds since 1970, UTC."""
    quantity: float


class Asked(NamedTuple):
    """Whose tail is asked for, and from where on."""

    customer_id: CustomerId
    """A customer, or a visitor as `visitor_key(id)`."""
    after: int
    """Position in the log; 0: from the beginning."""


class Link(NamedTuple):
    """A visitor who turned out to be a customer."""

    visitor_id: str
    """Without the prefix of `visitor_key`."""
    customer_id: CustomerId
    position: int
    """Last position of the log when the link was made."""
    sequence: int
    """1, 2, ... in commit order of links: a bundle that was trained up to a smaller number does
    not know of this one."""
    link_time: int
    """Microseconds since 1970, UTC."""


class Linked(NamedTuple):
    """What became of a wish to link a visitor."""

    linked_now: bool
    """False: it was so before."""
    link_time: int
    """Microseconds since 1970, UTC: when the link was made."""


class CustomerTail(NamedTuple):
    """What the log says about one customer and a bundle may not know."""

    customer_id: CustomerId
    """Who is asked for: the customer, if a linked visitor was asked for."""
    events: tuple[TailEvent, ...]
    """On items, of the customer and all linked visitors, after the asked position; in commit
    order, of each the latest `MOST_EVENTS`."""
    links: tuple[Link, ...]
    """All visitors of the customer, in the order in which they were linked."""
    consent: Consent = Consent()
    """What the customer allows; a visitor who is not linked allows everything."""
