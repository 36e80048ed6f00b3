"""Every table that holds rows on customers: what an erasure empties and an export reads.

A table that is not here is one that knows no customer; a test walks the schema and asks of each
new one which of the two it is.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from recsys.store.consent import Consent
from recsys.store.database import Session
from recsys.store.tables import consents, contacts, events, impressions, visitors

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = (1 << 63) - 1
"""Microseconds since 1970, UTC; nothing is later."""
_AT_ONCE = 500
"""Values in one statement."""


@dataclass(frozen=True, slots=True)
class Place:
    """One table, and how a customer is found in it."""

    name: str
    """In receipts."""
    kind: str
    """Of its records, in exports."""
    table: str
    column: str
    """Holds the customer, or a visitor by the key."""
    time: str
    """Column that says when, in microseconds since 1970, UTC."""
    columns: Sequence[str]
    """All of them; the first puts the rows of a customer in order."""
    texts: Collection[str] = ()
    """Columns of JSON text."""
    flags: Collection[str] = ()
    """Columns of 1 for yes and 0 for no."""

    def count(self, session: Session, customer_ids: Sequence[str], until: int) -> int:
        """Returns how many rows there are on customers, or on visitors by their keys.

        Args:
            session: for queries.
            customer_ids: of the customers.
            until: last time that counts, in microseconds since 1970, UTC.
        """
        counted = f"SELECT COUNT(*) FROM {self.table} WHERE {self.time} <= ? AND {self.column}"  # noqa: S608
        return sum(
            int(session.rows(f"{counted} IN {marks}", [until, *part])[0][0])
            for part, marks in _parts(customer_ids)
        )

    def records(self, session: Session, customer_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yields the rows on customers by column, in order, in the words of JSON."""
        chosen = f"SELECT {', '.join(self.columns)} FROM {self.table} WHERE {self.column}"  # noqa: S608
        for part, marks in _parts(customer_ids):
            for row in session.rows(f"{chosen} IN {marks} ORDER BY {self.columns[0]}", part):
                named = zip(self.columns, row, strict=True)
                yield {name: self._readable(name, value) for name, value in named}

    def erase(self, session: Session, customer_ids: Sequence[str], until: int = LAST_TIME) -> int:
        """Removes the rows on customers up to a time; returns how many there were."""
        removed = f"DELETE FROM {self.table} WHERE {self.time} <= ? AND {self.column}"  # noqa: S608
        return sum(
            len(session.rows(f"{removed} IN {marks} RETURNING 1", [until, *part]))
            for part, marks in _parts(customer_ids)
        )

    def _readable(self, column: str, value: Any) -> Any:  # noqa: ANN401  of any column
        if value is None:
            return None
        if column.endswith("_time"):
            return (_EPOCH + timedelta(microseconds=value)).isoformat()
        if column in self.texts:
            return json.loads(value)
        if column in self.flags:
            return bool(value)
        return value.hex() if isinstance(value, bytes) else value


EVENTS = Place(
    name="events",
    kind="event",
    table="events",
    column="customer_id",
    time="event_time",
    columns=events.COLUMNS,
    texts={"properties"},
)
VISITORS = Place(
    name="visitors",
    kind="visitor",
    table="visitors",
    column="customer_id",
    time="link_time",
    columns=visitors.COLUMNS,
)
IMPRESSIONS = Place(
    name="impressions",
    kind="impression",
    table="impressions",
    column="customer_id",
    time="answer_time",
    columns=impressions.COLUMNS,
    texts={"item_ids", "scores", "sources", "query"},
)
CONSENT = Place(
    name="consent",
    kind="consent",
    table="consents",
    column="customer_id",
    time="set_time",
    columns=consents.COLUMNS,
    flags=Consent._fields,
)
CONTACTS = Place(
    name="contacts",
    kind="contact",
    table="contacts",
    column="customer_id",
    time="choose_time",
    columns=contacts.COLUMNS,
    texts={"answer"},
    flags={"held_out"},
)
PLACES: Sequence[Place] = (EVENTS, VISITORS, IMPRESSIONS, CONSENT, CONTACTS)


def _parts(values: Sequence[Any]) -> Iterator[tuple[Sequence[Any], str]]:
    """Yields values in parts that one statement takes, each with its marks."""
    for start in range(0, len(values), _AT_ONCE):
        part = values[start : start + _AT_ONCE]
        yield part, f"({', '.join('?' * len(part))})"
