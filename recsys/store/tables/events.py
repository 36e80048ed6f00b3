"""The event log: rows in commit order, each event once."""

from collections.abc import Sequence
from hashlib import blake2b

from recsys.store.database import Row, Session
from recsys.store.events import Appended, LogEvent
from recsys.store.tables import counters

KEY_BYTES = 16
"""Of a hash of `event_id`: two of a thousand million events share one with chance 1e-21."""
COLUMNS = ("position", *LogEvent._fields)


def event_key(event_id: str) -> bytes:
    """Returns what the store remembers an event by, however long its id."""
    return blake2b(event_id.encode(), digest_size=KEY_BYTES).digest()


def append(session: Session, events: Sequence[LogEvent]) -> Appended:
    """Stores the events that are new, in their order; every event has an id."""
    by_key: dict[bytes, LogEvent] = {}
    for event in events:
        by_key.setdefault(event_key(event.event_id or ""), event)
    fresh = session.insert_new("event_keys", "event_key", list(by_key))
    first = counters.read(session, "position") + 1
    rows = [event for key, event in by_key.items() if key in fresh]
    if rows:
        counters.bump(session, "position", len(rows))
        placed = [(first + place, *event) for place, event in enumerate(rows)]
        session.insert("events", COLUMNS, placed)
    return Appended(len(rows), len(events) - len(rows), 0, first - 1 + len(rows))


def rows_between(session: Session, after: int, up_to: int, limit: int) -> list[Row]:
    """Returns up to `limit` rows of `COLUMNS` with `after` < position <= `up_to`, in order."""
    return session.rows(
        f"SELECT {', '.join(COLUMNS)} FROM events "  # noqa: S608  our own names
        "WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
        (after, up_to, limit),
    )
