"""Who a visitor turned out to be."""

from recsys.errors import VisitorTakenError
from recsys.store.database import Session
from recsys.store.events import Link, Linked
from recsys.store.tables import counters

COUNTER = "links"
COLUMNS = Link._fields


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
