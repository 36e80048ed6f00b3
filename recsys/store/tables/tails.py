"""What the log says of customers and a bundle may not know: one statement for any number."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter

from recsys.store.consent import Consent
from recsys.store.database import Row, Session
from recsys.store.events import MOST_EVENTS, Asked, CustomerTail, Link, TailEvent
from recsys.types import VISITOR_PREFIX, CustomerId, visitor_key

_FLOOR = """COALESCE((
    SELECT position FROM events
    WHERE customer_id = {owner} AND position > {after} AND position <= {up_to}
    ORDER BY position DESC LIMIT 1 OFFSET {most}
), {after} + 1)"""
"""Position of the oldest of the latest events; one more than this is never read, however many a
robot has left."""

_LAST = 2**62

_TAILS = """
WITH asked (place, visitor_id, own_id, after) AS (VALUES {asked}),
customers AS MATERIALIZED (
    SELECT place, after, COALESCE(
        (SELECT v.customer_id FROM visitors v WHERE v.visitor_id = asked.visitor_id), own_id
    ) AS id
    FROM asked
), known_as AS (
    SELECT place, after, id, id AS owner, NULL AS visitor_id, 0 AS position, 0 AS sequence,
           0 AS link_time, recommend_on_site, use_in_email, use_in_training
    FROM customers LEFT JOIN consents ON customer_id = id
    UNION ALL
    SELECT place, after, id, '{prefix}' || v.visitor_id, v.visitor_id, v.position, v.sequence,
           v.link_time, NULL, NULL, NULL
    FROM customers JOIN visitors v ON v.customer_id = id
), bounded AS MATERIALIZED (SELECT known_as.*, {floor} AS first FROM known_as)
SELECT k.place, k.sequence, k.id, k.recommend_on_site, k.use_in_email, k.use_in_training,
       k.visitor_id, k.position, k.link_time,
       e.position, e.customer_id, e.item_id, e.event_type, e.event_time, e.quantity
FROM bounded k LEFT JOIN events e
    ON e.customer_id = k.owner AND e.position >= k.first AND e.item_id IS NOT NULL
"""

_COUNTED = """
SELECT position, customer_id, item_id, event_type, event_time, quantity FROM events
WHERE customer_id = ? AND position <= ? AND position >= {floor} AND item_id IS NOT NULL
"""

_ITEMS_IN_SQL = 32
"""Items that are sought by the database; more are sought here, so that few statements exist."""


def read(session: Session, asked: Sequence[Asked]) -> list[CustomerTail]:
    """Returns what was stored on customers or visitors after a position, in their order."""
    if not asked:
        return []
    places = [
        value
        for place, (customer_id, after) in enumerate(asked)
        for value in (place, _visitor_id(customer_id), customer_id, after)
    ]
    rows = session.rows(_statement(len(asked), MOST_EVENTS), places)
    if len(asked) == 1:
        return [_tail(rows)]
    rows.sort(key=itemgetter(0))
    return [_tail(list(own)) for _, own in groupby(rows, key=itemgetter(0))]


def counted(
    session: Session, customer_ids: Sequence[str], items: frozenset[str], up_to: int
) -> list[TailEvent]:
    """Returns the events on some items up to a position, of the latest of each customer."""
    floor = _FLOOR.format(owner="?", after="0", up_to="?", most=MOST_EVENTS - 1)
    sql = _COUNTED.format(floor=floor)
    named = sorted(items) if len(items) <= _ITEMS_IN_SQL else []
    if named:
        sql += f" AND item_id IN ({', '.join('?' * len(named))})"
    rows = [
        row
        for customer_id in customer_ids
        for row in session.rows(sql, (customer_id, up_to, customer_id, up_to, *named))
    ]
    return [TailEvent._make(row) for row in rows if row[2] in items]


def read_until(
    session: Session, customer_id: str, after: int, up_to: int, last_link: int
) -> CustomerTail:
    """Returns what `read` gave of a customer or visitor when the log and links ended there.

    Args:
        session: for queries.
        customer_id: whose; of a visitor not the customer whom they turned out to be later.
        after: position before the first event.
        up_to: position of the last event.
        last_link: number of the last link of a visitor that counts.
    """
    linked = session.rows(
        "SELECT visitor_id, customer_id, position, sequence, link_time FROM visitors "
        "WHERE customer_id = ? AND sequence <= ? ORDER BY sequence",
        (customer_id, last_link),
    )
    links = tuple(Link(*row) for row in linked)
    floor = _FLOOR.format(owner="?", after=int(after), up_to="?", most=MOST_EVENTS - 1)
    events = [
        TailEvent._make(row)
        for name in (customer_id, *(visitor_key(link.visitor_id) for link in links))
        for row in session.rows(_COUNTED.format(floor=floor), (name, up_to, name, up_to))
    ]
    return CustomerTail(CustomerId(customer_id), tuple(sorted(events)), links)


@lru_cache(maxsize=256)
def _statement(count: int, most: int) -> str:
    floor = _FLOOR.format(owner="owner", after="after", up_to=_LAST, most=most - 1)
    marks = ", ".join(["(?, ?, ?, ?)"] * count)
    return _TAILS.format(asked=marks, prefix=VISITOR_PREFIX, floor=floor)


def _visitor_id(customer_id: str) -> str | None:
    visitor_id = customer_id.removeprefix(VISITOR_PREFIX)
    return None if visitor_id == customer_id else visitor_id


def _tail(rows: Sequence[Row]) -> CustomerTail:
    """Returns the tail that the rows of one customer tell."""
    customer_id, on_site, email, training = next(row for row in rows if row[6] is None)[2:6]
    links = {
        row[6]: Link(row[6], customer_id, row[7], row[1], row[8])
        for row in rows
        if row[6] is not None
    }
    events = [TailEvent._make(row[9:]) for row in rows if row[9] is not None]
    if links:  # otherwise the index gave them in order
        events.sort()
    consent = Consent()
    if on_site is not None:
        consent = Consent(bool(on_site), bool(email), bool(training))
    in_order = sorted(links.values(), key=attrgetter("sequence"))
    return CustomerTail(CustomerId(customer_id), tuple(events), tuple(in_order), consent)
