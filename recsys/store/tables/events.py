"""The event log: rows in commit order, each event once."""

from collections.abc import Sequence
from hashlib import blake2b

from recsys.store.database import Row, Session
from recsys.store.events import Appended, LogEvent
from recsys.store.tables import counters
from recsys.types import EVENT_CODES

KEY_BYTES = 16
"""Of a hash of `event_id`: two of a thousand million events share one with chance 1e-21."""
COLUMNS = ("position", *LogEvent._fields)


def event_key(event_id: str) -> bytes:
    """Returns what the store remembers an event by, however long its id."""
    return blake2b(event_id.encode(), digest_size=KEY_BYTES).digest()


def append(
    session: Session, batches: Sequence[Sequence[LogEvent]], last_position: int
) -> list[Appended]:
    """Stores the events that are new, in their order, and says so of each batch.

    Args:
        session: in a transaction.
        batches: of events, each of which has an id; the first of an id wins, in whichever batch.
        last_position: of the newest event so far.
    """
    first: dict[bytes, LogEvent] = {}
    met = [_meet(first, batch) for batch in batches]
    fresh = session.insert_new("event_keys", "event_key", list(first))
    answers: list[Appended] = []
    rows: list[Row] = []
    for keys, batch in zip(met, batches, strict=True):
        new = [first[key] for key in keys if key in fresh]
        rows += [(last_position + place, *event) for place, event in enumerate(new, len(rows) + 1)]
        answers.append(
            Appended(
                stored=len(new),
                duplicates=len(batch) - len(new),
                erased=0,
                last_position=last_position + len(rows),
                unknown_types=sum(event.event_type not in EVENT_CODES for event in new),
            )
        )
    if rows:
        counters.write(session, "position", last_position + len(rows))
        session.insert("events", COLUMNS, rows)
    return answers


def _meet(first: dict[bytes, LogEvent], batch: Sequence[LogEvent]) -> list[bytes]:
    """Adds the events whose ids are not there yet, and returns their keys."""
    keys: list[bytes] = []
    for event in batch:
        key = event_key(event.event_id or "")
        if key not in first:
            first[key] = event
            keys.append(key)
    return keys


def rows_between(session: Session, after: int, up_to: int, limit: int) -> list[Row]:
    """Returns up to `limit` rows of `COLUMNS` with `after` < position <= `up_to`, in order."""
    return session.rows(
        f"SELECT {', '.join(COLUMNS)} FROM events "  # noqa: S608  our own names
        "WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
        (after, up_to, limit),
    )


def customers_after(session: Session, after: int) -> list[str]:
    """Returns who has an event with a position above `after`: customers, visitors by their keys.

    Each once, in no order; who a visitor turned out to be is not looked at.
    """
    rows = session.rows("SELECT DISTINCT customer_id FROM events WHERE position > ?", (after,))
    return [str(row[0]) for row in rows]
