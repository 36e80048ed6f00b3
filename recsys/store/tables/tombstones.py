"""Who was erased, and when: enough to know an old event again, too little to name anybody."""

from collections.abc import Iterable, Sequence

from recsys.store.database import Session
from recsys.store.tables import counters, meta
from recsys.store.tombstones import Tombstone, id_hash

COUNTER = "tombstones"
COLUMNS = Tombstone._fields
_ALL = f"SELECT {', '.join(COLUMNS)} FROM tombstones"  # noqa: S608  our own names


def lay(session: Session, customer_ids: Sequence[str], erase_time: int) -> None:
    """Remembers that customers, or visitors by their keys, were erased.

    Args:
        session: in a transaction.
        customer_ids: as events have them.
        erase_time: microseconds since 1970, UTC; events up to it are covered.
    """
    secret = meta.secret(session)
    position = counters.read(session, "position")
    for customer_id in customer_ids:
        hashed = id_hash(secret, customer_id)
        session.execute("DELETE FROM tombstones WHERE id_hash = ?", (hashed,))
        row = (hashed, erase_time, position, counters.bump(session, COUNTER))
        session.insert("tombstones", COLUMNS, [row])


def erase_times(session: Session, customer_ids: Iterable[str]) -> dict[str, int]:
    """Returns the time up to which events are erased, for those of the customers who were."""
    if not counters.read(session, COUNTER):
        return {}
    secret = meta.secret(session)
    by_hash = {id_hash(secret, customer_id): customer_id for customer_id in set(customer_ids)}
    found = session.existing("tombstones", "id_hash", by_hash)
    return {by_hash[hashed]: _erase_time(session, hashed) for hashed in found}


def read(session: Session, customer_id: str) -> Tombstone | None:
    """Returns the tombstone of a customer, or of a visitor by the key."""
    hashed = id_hash(meta.secret(session), customer_id)
    rows = session.rows(f"{_ALL} WHERE id_hash = ?", (hashed,))
    return Tombstone(*rows[0]) if rows else None


def newer(session: Session, after: int) -> list[Tombstone]:
    """Returns the tombstones whose sequence is above `after`, in order."""
    rows = session.rows(f"{_ALL} WHERE sequence > ? ORDER BY sequence", (after,))
    return [Tombstone(*row) for row in rows]


def _erase_time(session: Session, hashed: bytes) -> int:
    rows = session.rows("SELECT erase_time FROM tombstones WHERE id_hash = ?", (hashed,))
    return int(rows[0][0])
