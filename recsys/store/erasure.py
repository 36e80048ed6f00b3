"""Forgets a customer: rows of all tables in one transaction, and a tombstone in their place."""

from collections.abc import Sequence
from typing import NamedTuple

from recsys.errors import VisitorTakenError
from recsys.store.database import Session
from recsys.store.places import LAST_TIME, PLACES
from recsys.store.tables import events, tombstones
from recsys.types import VISITOR_PREFIX, visitor_key

_AT_ONCE = 500
"""Values in one statement."""


class ErasedRows(NamedTuple):
    """What one transaction removed."""

    erase_time: int
    """Microseconds since 1970, UTC; events up to it are refused from now on."""
    counts: Sequence[tuple[str, int]]
    """Rows by place, in the order of `PLACES`."""
    customer_ids: Sequence[str]
    """Under which the customer was known: the customer and the linked visitors' keys."""


def known_as(session: Session, customer_id: str) -> list[str]:
    """Returns under which names events have a customer: the own one, and linked visitors' keys.

    Raises:
        VisitorTakenError: it is the key of a visitor who is linked to a customer.
    """
    visitor_id = customer_id.removeprefix(VISITOR_PREFIX)
    if visitor_id != customer_id and session.existing("visitors", "visitor_id", [visitor_id]):
        raise VisitorTakenError("the visitor is linked to a customer: name the customer instead")
    rows = session.rows(
        "SELECT visitor_id FROM visitors WHERE customer_id = ? ORDER BY sequence", (customer_id,)
    )
    return [customer_id, *(visitor_key(row[0]) for row in rows)]


def erase(session: Session, customer_id: str, now: int) -> ErasedRows:
    """Removes all rows on a customer and lays tombstones; `session` is in a transaction.

    Raises:
        VisitorTakenError: it is the key of a visitor who is linked to a customer.
    """
    customer_ids = known_as(session, customer_id)
    # A clock ahead of ours has made events that lie in the future: they must not come back.
    times = [_newest_event(session, name) for name in customer_ids]
    times += tombstones.erase_times(session, customer_ids).values()
    erase_time = max(now, *times)
    tombstones.lay(session, customer_ids, erase_time)
    _forget_keys(session, customer_ids)
    counts = [(place.name, place.erase(session, customer_ids)) for place in PLACES]
    return ErasedRows(erase_time, counts, customer_ids)


def extend(session: Session, customer_id: str, visitor_id: str) -> None:
    """Erases all of a visitor from before the customer, whom the visitor turns out to be, was.

    What is later stays and is the customer's, who is somebody new. Of a customer who was never
    erased nothing goes.
    """
    key = visitor_key(visitor_id)
    laid = tombstones.erase_times(session, [customer_id, key])
    if customer_id not in laid:
        return
    until = laid[customer_id]
    # The visitor may have been erased alone, later than the customer.
    tombstones.lay(session, [key], max(until, laid.get(key, until)))
    _forget_keys(session, [key], until)
    for place in PLACES:
        place.erase(session, [key], until)


def forget_events(session: Session, event_ids: Sequence[str]) -> None:
    """Forgets that events with these ids were ever stored."""
    for start in range(0, len(event_ids), _AT_ONCE):
        keys = [events.event_key(event_id) for event_id in event_ids[start : start + _AT_ONCE]]
        marks = ", ".join("?" * len(keys))
        session.execute(f"DELETE FROM event_keys WHERE event_key IN ({marks})", keys)  # noqa: S608


def _newest_event(session: Session, customer_id: str) -> int:
    rows = session.rows(
        "SELECT COALESCE(MAX(event_time), 0) FROM events WHERE customer_id = ?", (customer_id,)
    )
    return int(rows[0][0])


def _forget_keys(session: Session, customer_ids: Sequence[str], until: int = LAST_TIME) -> None:
    """Forgets ids of events, which may tell of the customer: the tombstone refuses them now."""
    ids = [
        event_id
        for name in customer_ids
        for (event_id,) in session.rows(
            "SELECT event_id FROM events WHERE customer_id = ? AND event_time <= ?", (name, until)
        )
    ]
    forget_events(session, ids)
