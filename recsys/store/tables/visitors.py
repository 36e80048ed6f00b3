"""Who a visitor turned out to be, and what the log says about a customer with all visitors."""

from recsys.errors import VisitorTakenError
from recsys.store.database import Session
from recsys.store.events import CustomerTail, Link, TailEvent
from recsys.store.tables import counters
from recsys.types import VISITOR_PREFIX, CustomerId, ItemId

COUNTER = "links"

_TAIL = f"""
WITH asked AS (
    SELECT COALESCE((SELECT customer_id FROM visitors WHERE visitor_id = ?), ?) AS id
), known_as AS (
    SELECT id, NULL AS visitor_id, 0 AS position, 0 AS sequence FROM asked
    UNION ALL
    SELECT '{VISITOR_PREFIX}' || v.visitor_id, v.visitor_id, v.position, v.sequence
    FROM visitors v JOIN asked ON v.customer_id = asked.id
)
SELECT k.id, k.visitor_id, k.position, k.sequence,
       e.position, e.item_id, e.event_type, e.event_time
FROM known_as k LEFT JOIN events e ON e.customer_id = k.id AND e.position > ?
ORDER BY k.sequence, e.position
"""  # noqa: S608  our own constant


def link(session: Session, visitor_id: str, customer_id: str) -> bool:
    """Makes a visitor's history the customer's; returns whether that is new.

    Raises:
        VisitorTakenError: the visitor is linked to another customer.
    """
    rows = session.rows("SELECT customer_id FROM visitors WHERE visitor_id = ?", (visitor_id,))
    if rows:
        if rows[0][0] != customer_id:
            raise VisitorTakenError("the visitor is linked to another customer")
        return False
    session.insert(
        "visitors",
        ("visitor_id", "customer_id", "position", "sequence"),
        [
            (
                visitor_id,
                customer_id,
                counters.read(session, "position"),
                counters.bump(session, COUNTER),
            )
        ],
    )
    return True


def links(session: Session, after: int = 0) -> list[Link]:
    """Returns the links that were made after the link number `after`, in order."""
    rows = session.rows(
        "SELECT visitor_id, customer_id, position, sequence FROM visitors "
        "WHERE sequence > ? ORDER BY sequence",
        (after,),
    )
    return [Link(*row) for row in rows]


def tail(session: Session, customer_id: str, after: int) -> CustomerTail:
    """Returns what was stored on a customer or visitor after a position, in one statement."""
    visitor_id = customer_id.removeprefix(VISITOR_PREFIX)
    if visitor_id == customer_id:
        visitor_id = ""
    rows = session.rows(_TAIL, (visitor_id, customer_id, after))
    asked = CustomerId(rows[0][0])
    known: dict[str, Link] = {}
    events: list[TailEvent] = []
    for key, visitor, linked_at, sequence, position, item_id, kind, time in rows:
        if visitor is not None:
            known.setdefault(visitor, Link(visitor, asked, linked_at, sequence))
        if position is not None:
            item = None if item_id is None else ItemId(item_id)
            events.append(TailEvent(position, CustomerId(key), item, kind, time))
    return CustomerTail(asked, tuple(sorted(events)), tuple(known.values()))
