"""Offers, and what was taken of each: vouchers, and money in millionths of the shop's currency."""

from collections.abc import Collection, Iterator, Sequence

from recsys.store.contacts import StoredOffer
from recsys.store.database import Row, Session
from recsys.store.tables import counters

COUNTER = "offers"
"""Grows with every change of an offer itself, not with what is taken of one."""
COLUMNS = StoredOffer._fields
_AT_ONCE = 500
"""Values in one statement."""


def read_all(session: Session, *, removed: bool = False) -> list[StoredOffer]:
    """Returns all offers in the order of their ids.

    Args:
        session: for queries.
        removed: whether to return removed ones too.
    """
    chosen = "" if removed else "WHERE removed = 0"
    rows = session.rows(f"SELECT {', '.join(COLUMNS)} FROM offers {chosen} ORDER BY offer_id")  # noqa: S608
    return list(map(_offer, rows))


def read(session: Session, offer_ids: Collection[str]) -> dict[str, StoredOffer]:
    """Returns those of the offers that there are or were, by id."""
    return {
        row[0]: _offer(row)
        for part in _parts(offer_ids)
        for row in session.rows(
            f"SELECT {', '.join(COLUMNS)} FROM offers "  # noqa: S608  our own names
            f"WHERE offer_id IN ({', '.join('?' * len(part))})",
            part,
        )
    }


def upsert(
    session: Session, offers: Sequence[tuple[str, str, int | None, int | None]]
) -> tuple[int, int]:
    """Creates or replaces offers; what was taken of one that is replaced stays taken.

    Args:
        session: in a transaction.
        offers: id, content, voucher stock and budget of each, each id once.

    Returns:
        How many were created, one that had been removed among them, and how many replaced.
    """
    known = read(session, [offer[0] for offer in offers])
    last = counters.bump(session, COUNTER, len(offers))
    created = replaced = 0
    for number, (offer_id, content, stock, budget) in enumerate(offers, last - len(offers) + 1):
        was = known.get(offer_id)
        if was is None:
            row = (offer_id, content, stock, budget, 0, 0, 0, 0, 0, number)
            session.insert("offers", COLUMNS, [row])
        else:
            session.execute(
                "UPDATE offers SET content = ?, voucher_stock = ?, budget = ?, removed = 0, "
                "change_number = ? WHERE offer_id = ?",
                (content, stock, budget, number, offer_id),
            )
        there = was is not None and not was.removed
        created, replaced = created + (not there), replaced + there
    return created, replaced


def remove(session: Session, offer_ids: Collection[str]) -> tuple[int, int]:
    """Takes offers from everybody; returns how many were there, and how many were not."""
    known = read(session, offer_ids)
    there = [offer_id for offer_id, offer in known.items() if not offer.removed]
    last = counters.bump(session, COUNTER, len(there)) if there else 0
    for number, offer_id in enumerate(there, last - len(there) + 1):
        session.execute(
            "UPDATE offers SET removed = 1, change_number = ? WHERE offer_id = ?",
            (number, offer_id),
        )
    return len(there), len(set(offer_ids)) - len(there)


def has_left(offer: StoredOffer, cost: int) -> bool:
    """Says whether one more contact of this cost may be made by an offer."""
    if offer.removed:
        return False
    if offer.voucher_stock is not None and offer.vouchers_taken >= offer.voucher_stock:
        return False
    return offer.budget is None or offer.spent + cost <= offer.budget


def take(session: Session, offer_id: str, vouchers: int, cost: int) -> bool:
    """Takes vouchers, one contact each, and money of an offer, all or nothing.

    Returns:
        Whether there was enough left, of an offer that is not removed.
    """
    taken = session.rows(
        "UPDATE offers SET vouchers_taken = vouchers_taken + ?, spent = spent + ?, "
        "contact_count = contact_count + ? WHERE offer_id = ? AND removed = 0 "
        "AND (voucher_stock IS NULL OR vouchers_taken + ? <= voucher_stock) "
        "AND (budget IS NULL OR spent + ? <= budget) "
        "RETURNING 1",
        (vouchers, cost, vouchers, offer_id, vouchers, cost),
    )
    return bool(taken)


def give_back(session: Session, offer_id: str, vouchers: int, cost: int) -> None:
    """Frees vouchers and money of contacts that were not made after all."""
    session.execute(
        "UPDATE offers SET vouchers_taken = vouchers_taken - ?, spent = spent - ?, "
        "contact_count = contact_count - ? WHERE offer_id = ?",
        (vouchers, cost, vouchers, offer_id),
    )


def redeem(session: Session, offer_id: str, more_cost: int) -> None:
    """Counts a redemption, and by how much more than expected it cost."""
    session.execute(
        "UPDATE offers SET spent = spent + ?, redemption_count = redemption_count + 1 "
        "WHERE offer_id = ?",
        (more_cost, offer_id),
    )


def _offer(row: Row) -> StoredOffer:
    return StoredOffer(*row)._replace(removed=bool(row[4]))


def _parts(values: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = list(values)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
