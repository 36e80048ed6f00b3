"""The contact ledger: rows in the order in which they were made, each contact once."""

from collections.abc import Collection, Iterator, Sequence

from recsys.store.contacts import Contact
from recsys.store.database import Row, Session
from recsys.store.tables import counters

COUNTER = "contacts"
COLUMNS = ("number", *Contact._fields)
_CONTACTS = f"SELECT {', '.join(Contact._fields)} FROM contacts"  # noqa: S608  our own names
_HELD_OUT = Contact._fields.index("held_out")
_AT_ONCE = 500
"""Values in one statement."""


def add_many(session: Session, contacts: Sequence[Contact]) -> None:
    """Adds contacts that are new; takes nothing of their offers."""
    if not contacts:
        return
    first = counters.bump(session, COUNTER, len(contacts)) - len(contacts) + 1
    rows = [
        (number, *contact[:_HELD_OUT], int(contact.held_out), *contact[_HELD_OUT + 1 :])
        for number, contact in enumerate(contacts, first)
    ]
    session.insert("contacts", COLUMNS, rows)


def by_id(session: Session, contact_ids: Collection[str]) -> dict[str, Contact]:
    """Returns those of the contacts that there are, by id."""
    return {
        contact.contact_id: contact
        for part in _parts(contact_ids)
        for contact in map(
            _contact,
            session.rows(f"{_CONTACTS} WHERE contact_id IN ({', '.join('?' * len(part))})", part),
        )
    }


def of_names(session: Session, names: Sequence[str], limit: int = 1 << 31) -> list[Contact]:
    """Returns contacts of a customer, the latest first.

    Args:
        session: for queries.
        names: of the customer, and the keys of the visitors who turned out to be them.
        limit: contacts at most.
    """
    found = [
        contact
        for part in _parts(names)
        for contact in map(
            _contact,
            session.rows(
                f"{_CONTACTS} WHERE customer_id IN ({', '.join('?' * len(part))}) "
                "ORDER BY choose_time DESC, number DESC LIMIT ?",
                (*part, limit),
            ),
        )
    ]
    found.sort(key=lambda contact: -contact.choose_time)
    return found[:limit]


def between(
    session: Session, names: Sequence[str], after: int, before: int
) -> list[tuple[str, str, int]]:
    """Returns offer, channel and time of contacts within a time that were not cancelled.

    Those who were held out count as if they had had their contact: else they would be asked
    more often than those whom they are compared with.

    Args:
        session: for queries.
        names: of the customer, and the keys of the visitors who turned out to be them.
        after: microseconds since 1970, UTC, exclusive.
        before: the same, exclusive.
    """
    return [
        (row[0], row[1], int(row[2]))
        for part in _parts(names)
        for row in session.rows(
            "SELECT offer_id, channel, choose_time FROM contacts "  # noqa: S608  marks alone
            f"WHERE customer_id IN ({', '.join('?' * len(part))}) "
            "AND choose_time > ? AND choose_time < ? AND cancelled_time IS NULL",
            (*part, after, before),
        )
    ]


def past(session: Session, names: Sequence[str], before: int) -> tuple[int, int, int, int]:
    """Returns what a customer was given: contacts, redemptions, and the last time of either.

    Args:
        session: for queries.
        names: of the customer, and the keys of the visitors who turned out to be them.
        before: microseconds since 1970, UTC, exclusive.

    Returns:
        Times are microseconds since 1970, UTC; -1 where there is none.
    """
    found = [
        session.rows(
            "SELECT COUNT(*), COUNT(redeemed_time), COALESCE(MAX(choose_time), -1), "  # noqa: S608
            "COALESCE(MAX(redeemed_time), -1) FROM contacts "
            f"WHERE customer_id IN ({', '.join('?' * len(part))}) AND held_out = 0 "
            "AND cancelled_time IS NULL AND choose_time < ?",
            (*part, before),
        )[0]
        for part in _parts(names)
    ]
    counts, redeemed, last, last_redeemed = zip(*found, strict=True)
    return sum(counts), sum(redeemed), max(last), max(last_redeemed)


def update(session: Session, contact: Contact) -> None:
    """Writes what became of a contact that is there."""
    session.execute(
        "UPDATE contacts SET cost = ?, sent_time = ?, shown_time = ?, opened_time = ?, "
        "redeemed_time = ?, cancelled_time = ? WHERE contact_id = ?",
        (
            contact.cost,
            contact.sent_time,
            contact.shown_time,
            contact.opened_time,
            contact.redeemed_time,
            contact.cancelled_time,
            contact.contact_id,
        ),
    )


def rows_between(session: Session, after: int, up_to: int, limit: int) -> list[Row]:
    """Returns up to `limit` rows of `COLUMNS` with `after` < number <= `up_to`, in order."""
    return session.rows(
        f"SELECT {', '.join(COLUMNS)} FROM contacts "  # noqa: S608  our own names
        "WHERE number > ? AND number <= ? ORDER BY number LIMIT ?",
        (after, up_to, limit),
    )


def of_campaign(
    session: Session,
    columns: Sequence[str],
    after: int,
    limit: int,
    *,
    plan_id: str = "",
    offer_id: str = "",
) -> list[Row]:
    """Returns contacts of one plan or of one offer, cancelled ones too, in order.

    Args:
        session: for queries.
        columns: of `COLUMNS`, the number first.
        after: number before the first.
        limit: rows at most.
        plan_id: whose contacts, those that stand in for others among them.
        offer_id: instead: whose contacts, of all plans and of none.
    """
    column, value = ("plan_id", plan_id) if plan_id else ("offer_id", offer_id)
    return session.rows(
        f"SELECT {', '.join(columns)} FROM contacts "  # noqa: S608  our own names
        f"WHERE number > ? AND {column} = ? ORDER BY number LIMIT ?",
        (after, value, limit),
    )


def _contact(row: Row) -> Contact:
    return Contact(*row)._replace(held_out=bool(row[_HELD_OUT]))


def _parts(values: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = list(values)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
