"""Who a visitor turned out to be, and what the log says about a customer with all visitors."""

from recsys.errors import VisitorTakenError
from recsys.store.consent import Consent
from recsys.store.database import Session
from recsys.store.events import CustomerTail, Link, Linked, TailEvent
from recsys.store.tables import counters
from recsys.types import VISITOR_PREFIX, CustomerId, ItemId

COUNTER = "links"
COLUMNS = Link._fields

_TAIL = f"""
WITH asked AS (
    SELECT COALESCE((SELECT customer_id FROM visitors WHERE visitor_id = ?), ?) AS id
), known_as AS (
    SELECT id, NULL AS visitor_id, 0 AS position, 0 AS sequence, 0 AS link_time,
           recommend_on_site, use_in_email, use_in_training
    FROM asked LEFT JOIN consents ON customer_id = id
    UNION ALL
    SELECT '{VISITOR_PREFIX}' || v.visitor_id, v.visitor_id, v.position, v.sequence,
           v.link_time, NULL, NULL, NULL
    FROM visitors v JOIN asked ON v.customer_id = asked.id
)
SELECT k.recommend_on_site, k.use_in_email, k.use_in_training,
       k.id, k.visitor_id, k.position, k.sequence, k.link_time,
       e.position, e.item_id, e.event_type, e.event_time
FROM known_as k LEFT JOIN events e ON e.customer_id = k.id AND e.position > ?
ORDER BY k.sequence, e.position
"""  # noqa: S608  our own constant


def link(session: Session, visitor_id: str, customer_id: str, now: int) -> Linked:
    """Makes a visitor's history the customer's.

    Raises:
        VisitorTakenError: the visitor is linked to another customer.
    """
    rows = session.rows(
        "SELECT customer_id, link_time FROM visitors WHERE visitor_id = ?", (visitor_id,)
    )
    if rows:
        if rows[0][0] != customer_id:
            raise VisitorTakenError("the visitor is linked to another customer")
        return Linked(linked_now=False, link_time=rows[0][1])
    position, sequence = counters.read(session, "position"), counters.bump(session, COUNTER)
    row = (visitor_id, customer_id, position, sequence, now)
    session.insert("visitors", COLUMNS, [row])
    return Linked(linked_now=True, link_time=now)


def links(session: Session, after: int = 0) -> list[Link]:
    """Returns the links that were made after the link number `after`, in order."""
    rows = session.rows(
        f"SELECT {', '.join(COLUMNS)} FROM visitors "  # noqa: S608  our own names
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
    allowed, asked = rows[0][:3], CustomerId(rows[0][3])
    consent = Consent() if allowed[0] is None else Consent(*map(bool, allowed))
    known: dict[str, Link] = {}
    events: list[TailEvent] = []
    for row in rows:
        key, visitor, linked_at, sequence, link_time, position, item_id, kind, time = row[3:]
        if visitor is not None:
            known.setdefault(visitor, Link(visitor, asked, linked_at, sequence, link_time))
        if position is not None:
            item = None if item_id is None else ItemId(item_id)
            events.append(TailEvent(position, CustomerId(key), item, kind, time))
    return CustomerTail(asked, tuple(sorted(events)), tuple(known.values()), consent)
