"""Plans; their rows are contacts, whose ids say which row of which plan they are."""

from collections.abc import Iterator, Sequence
from json import loads
from typing import Any

from recsys.store.consent import Consent
from recsys.store.contacts import Contact
from recsys.store.database import Row, Session
from recsys.store.tables import contacts
from recsys.types import visitor_key

COLUMNS = (
    "plan_id",
    "create_time",
    "contact_time",
    "row_count",
    "expected_value",
    "gap",
    "finished",
    "details",
)
ROW_DIGITS = 9
REPLACED_BY = "replaced_by"
"""In the note of a planned contact: which contact stands in its place."""
_CONTACTS = f"SELECT {', '.join(Contact._fields)} FROM contacts"  # noqa: S608  our own names
_HELD_OUT = Contact._fields.index("held_out")


def contact_id(plan_id: str, row: int) -> str:
    """Returns the id of a planned contact: in the order of the rows as text too."""
    return f"{plan_id}-{row:0{ROW_DIGITS}}"


def row_of(planned_id: str) -> int:
    """Returns which row of its plan a planned contact is."""
    return int(planned_id[-ROW_DIGITS:])


def insert(session: Session, note: Sequence[Any]) -> None:
    """Adds a plan, unless it is there."""
    if read(session, note[0]) is None:
        row = [int(value) if name == "finished" else value for name, value in _named(note)]
        session.insert("plans", COLUMNS, [tuple(row)])


def read(session: Session, plan_id: str) -> Row | None:
    """Returns a plan's columns; None: there is none."""
    rows = session.rows(
        f"SELECT {', '.join(COLUMNS)} FROM plans WHERE plan_id = ?",  # noqa: S608
        (plan_id,),
    )
    return _plain(rows[0]) if rows else None


def read_all(session: Session) -> list[Row]:
    """Returns the columns of the finished plans, the latest first."""
    rows = session.rows(
        f"SELECT {', '.join(COLUMNS)} FROM plans WHERE finished = 1 "  # noqa: S608
        "ORDER BY create_time DESC, plan_id"
    )
    return list(map(_plain, rows))


def finish(
    session: Session, plan_id: str, row_count: int, expected_value: float, gap: float
) -> None:
    """Makes a plan known."""
    session.execute(
        "UPDATE plans SET finished = 1, row_count = ?, expected_value = ?, gap = ? "
        "WHERE plan_id = ?",
        (row_count, expected_value, gap, plan_id),
    )


def contacts_after(session: Session, plan_id: str, row: int, limit: int) -> list[Contact]:
    """Returns the planned contacts after a row, in order; not those that replaced some."""
    first, last = contact_id(plan_id, row), contact_id(plan_id, 10**ROW_DIGITS - 1)
    rows = session.rows(
        f"{_CONTACTS} WHERE contact_id > ? AND contact_id <= ? "
        "AND LENGTH(contact_id) = ? AND plan_id = ? ORDER BY contact_id LIMIT ?",
        (first, last, len(first), plan_id, limit),
    )
    return list(map(_contact, rows))


def of_customer(
    session: Session, plan_id: str, names: Sequence[str], channel: str
) -> list[Contact]:
    """Returns what was planned for a customer, known by some names, on a channel, in order."""
    length = len(contact_id(plan_id, 0))
    found = [
        contact
        for contact in contacts.of_names(session, names)
        if contact.plan_id == plan_id
        and contact.channel == channel
        and len(contact.contact_id) == length
    ]
    return sorted(found, key=lambda contact: contact.contact_id)


def current(session: Session, planned: Contact) -> Contact:
    """Returns the contact that stands in the place of a planned one, or that itself."""
    other = loads(planned.answer).get(REPLACED_BY)
    return planned if other is None else contacts.by_id(session, [other]).get(other, planned)


def note(session: Session, planned_id: str, text: str) -> None:
    """Keeps what became of a planned contact with it."""
    session.execute("UPDATE contacts SET answer = ? WHERE contact_id = ?", (text, planned_id))


def contacted_since(
    session: Session, number: int, plan_id: str, customer_ids: Sequence[str]
) -> set[str]:
    """Returns which customers had contacts after a number of the ledger, also as visitors.

    Looks only at the contacts of these customers: a plan asks for a part of its customers at a
    time, and all contacts since would be the parts that it made itself.

    Args:
        session: for queries.
        number: of the ledger.
        plan_id: whose contacts do not count.
        customer_ids: at most some hundreds.
    """
    owners = {customer_id: customer_id for customer_id in customer_ids}
    linked = session.rows(
        "SELECT visitor_id, customer_id FROM visitors "  # noqa: S608
        f"WHERE customer_id IN ({', '.join('?' * len(customer_ids))})",
        customer_ids,
    )
    owners |= {visitor_key(visitor_id): customer_id for visitor_id, customer_id in linked}
    # One look into the index for each: PostgreSQL reads the whole table for a list of hundreds as
    # long as it has no statistics of it, and a plan fills the table in less time than that takes.
    rows = session.rows(
        f"SELECT column1 FROM (VALUES {', '.join(['(?)'] * len(owners))}) AS asked "  # noqa: S608
        "WHERE (SELECT number FROM contacts WHERE customer_id = column1 AND number > ? "
        "AND plan_id <> ? AND cancelled_time IS NULL ORDER BY choose_time DESC LIMIT 1) "
        "IS NOT NULL",
        (*owners, number, plan_id),
    )
    return {owners[row[0]] for row in rows}


def refusing(session: Session) -> dict[str, set[str]]:
    """Returns who refuses what, by the field of `Consent`."""
    return {
        purpose: {
            row[0]
            for row in session.rows(f"SELECT customer_id FROM consents WHERE {purpose} = 0")  # noqa: S608
        }
        for purpose in Consent._fields
    }


def ledger_rows(session: Session, after: int, up_to: int, limit: int) -> list[Row]:
    """Returns contacts of a stretch of the ledger that were not cancelled, in order.

    Args:
        session: for queries.
        after: number before the first.
        up_to: number of the last.
        limit: rows at most.

    Returns:
        Number, customer (who a visitor turned out to be), offer, channel, whether held out (1 or
        0), and the times of choice and redemption, of each.
    """
    return session.rows(
        "SELECT number, COALESCE(visitors.customer_id, contacts.customer_id), offer_id, channel, "
        "held_out, choose_time, redeemed_time FROM contacts "
        "LEFT JOIN visitors ON contacts.customer_id = 'visitor/' || visitors.visitor_id "
        "WHERE number > ? AND number <= ? AND cancelled_time IS NULL ORDER BY number LIMIT ?",
        (after, up_to, limit),
    )


def _contact(row: Row) -> Contact:
    return Contact(*row)._replace(held_out=bool(row[_HELD_OUT]))


def _named(row: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return zip(COLUMNS, row, strict=True)


def _plain(row: Row) -> Row:
    return tuple(bool(value) if name == "finished" else value for name, value in _named(row))
