"""What items were before they were changed, so that the catalogue of a moment can be had again."""

from collections.abc import Sequence

from recsys.store.catalogue import ItemRow
from recsys.store.database import Session
from recsys.store.tables import counters

KEPT = "catalogue_kept"
"""Counter: catalogues of this change number and of later ones can be had, earlier ones not."""
_ITEM = "item_id, replaces, removed, content, change_number"


def keep(session: Session, item_ids: Sequence[str], until_number: int, now: int) -> None:
    """Copies the rows of items that are about to be replaced; `session` is in a transaction.

    Args:
        session: of the change.
        item_ids: of some items, as many as one statement takes.
        until_number: of the change that replaces them.
        now: microseconds since 1970, UTC.
    """
    marks, until = ", ".join("?" * len(item_ids)), f"{int(until_number)}, {int(now)}"
    columns = "item_id, change_number, until_number, until_time, replaces, removed, content"
    rows = f"SELECT item_id, change_number, {until}, replaces, removed, content FROM catalogue"  # noqa: S608
    session.execute(
        f"INSERT INTO catalogue_history ({columns}) {rows} WHERE item_id IN ({marks})",
        item_ids,
    )


def rows_at(session: Session, number: int) -> list[ItemRow] | None:
    """Returns all items as the change of a number left them, in the order of their changes.

    None where that is not known any more.
    """
    if number == 0:
        return []
    if number < counters.read(session, KEPT):
        return None
    rows = session.rows(
        f"SELECT {_ITEM} FROM catalogue WHERE change_number <= ? UNION ALL "  # noqa: S608  own names
        f"SELECT {_ITEM} FROM catalogue_history WHERE change_number <= ? AND until_number > ?",
        (number, number, number),
    )
    found = [
        ItemRow(item_id, bool(replaces), bool(removed), content, change)
        for item_id, replaces, removed, content, change in rows
    ]
    return sorted(found, key=lambda row: (row.change_number, row.item_id))


def remove_before(session: Session, time: int, limit: int) -> int:
    """Forgets up to `limit` rows that were replaced before a time, the oldest first.

    Returns:
        How many there were; fewer than `limit`: none is left.
    """
    removed = session.rows(
        "DELETE FROM catalogue_history WHERE (item_id, change_number) IN "
        "(SELECT item_id, change_number FROM catalogue_history WHERE until_time < ? "
        "ORDER BY until_number LIMIT ?) RETURNING until_number",
        (time, limit),
    )
    if removed:
        counters.write(session, KEPT, max(number for (number,) in removed))
    return len(removed)
