"""The items that callers changed, one row per item, each with the number of its last change."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recsys.errors import UnknownItemError
from recsys.store.catalogue import ItemColumns, ItemRow, Removed, Upserted, written
from recsys.store.database import Session
from recsys.store.tables import catalogue_history, counters

COUNTER = "catalogue"
"""Bumped by every change, in its transaction."""
CREATED_AT = "created_at"
AT_ONCE = 500
"""Ids in one statement."""
_COLUMNS = ItemRow._fields


def changed_after(session: Session, after: int) -> list[ItemRow]:
    """Returns the rows whose last change has a number above `after`, in one statement."""
    rows = session.rows(
        f"SELECT {', '.join(_COLUMNS)} FROM catalogue "  # noqa: S608  our own names
        "WHERE change_number > ? ORDER BY change_number, item_id",
        (after,),
    )
    return [_row(row) for row in rows]


def upsert(
    session: Session, now: int, items: Sequence[ItemColumns], *, replaces: bool, bundled: set[str]
) -> Upserted:
    """Creates items or changes those that are there.

    Args:
        session: in a transaction.
        now: microseconds since 1970, UTC: when an item that is new here was created, unless its
            columns say so.
        items: each id once.
        replaces: whether a column that is not given becomes empty; otherwise it stays.
        bundled: ids among them that the bundle has.

    Raises:
        UnknownItemError: `replaces` is false, and an item is neither here nor in the bundle.
    """
    known = _known(session, [item.item_id for item in items])
    rows, created = [], 0
    for item in items:
        old = known.get(item.item_id)
        there = not old.removed if old is not None else item.item_id in bundled
        if not there and not replaces:
            raise UnknownItemError(
                f"there is no item {item.item_id!r} to change: upsert it whole",
                item_id=item.item_id,
            )
        created += not there
        rows.append(_changed(item, old if there else None, now, replaces=replaces, there=there))
    _write(session, rows, known, now)
    return Upserted(created, len(items) - created)


def remove(session: Session, now: int, item_ids: Sequence[str], *, bundled: set[str]) -> Removed:
    """Removes items; their rows stay, so that others learn of it.

    Args:
        session: in a transaction.
        now: microseconds since 1970, UTC.
        item_ids: of the items.
        bundled: ids among them that the bundle has.
    """
    known = _known(session, item_ids)
    gone = {
        item_id
        for item_id in item_ids
        if (not known[item_id].removed if item_id in known else item_id in bundled)
    }
    _write(session, [_removed(item_id) for item_id in sorted(gone)], known, now)
    return Removed(len(gone), len(item_ids) - len(gone))


def _changed(
    item: ItemColumns, old: ItemRow | None, now: int, *, replaces: bool, there: bool
) -> ItemRow:
    columns = dict(item.columns)
    before: dict[str, Any] = {} if old is None else json.loads(old.content)
    if not replaces:
        whole = old is not None and old.replaces
        return _present(item.item_id, {**before, **columns}, replaces=whole)
    if columns.get(CREATED_AT) is None:
        # An item keeps the time at which it was first known, here or in the bundle.
        columns.pop(CREATED_AT, None)
        if before.get(CREATED_AT) is not None:
            columns[CREATED_AT] = before[CREATED_AT]
        elif not there:
            columns[CREATED_AT] = now
    return _present(item.item_id, columns, replaces=True)


def _present(item_id: str, columns: Mapping[str, Any], *, replaces: bool) -> ItemRow:
    return ItemRow(item_id, replaces, removed=False, content=written(columns), change_number=0)


def _removed(item_id: str) -> ItemRow:
    return ItemRow(item_id, replaces=True, removed=True, content="{}", change_number=0)


def _write(
    session: Session, rows: Sequence[ItemRow], known: Mapping[str, ItemRow], now: int
) -> None:
    """Puts rows in the place of those that are known, which the history keeps."""
    rows = [row for row in rows if not _same(row, known.get(row.item_id))]
    if not rows:
        return
    number = counters.bump(session, COUNTER)
    for some in _parts([row.item_id for row in rows]):
        catalogue_history.keep(session, some, number, now)
        session.execute(f"DELETE FROM catalogue WHERE item_id IN ({_marks(some)})", some)  # noqa: S608
    session.insert(
        "catalogue",
        _COLUMNS,
        [(row.item_id, int(row.replaces), int(row.removed), row.content, number) for row in rows],
    )


def _same(row: ItemRow, old: ItemRow | None) -> bool:
    return old is not None and row == old._replace(change_number=row.change_number)


def _known(session: Session, item_ids: Sequence[str]) -> dict[str, ItemRow]:
    known: dict[str, ItemRow] = {}
    for some in _parts(item_ids):
        rows = session.rows(
            f"SELECT {', '.join(_COLUMNS)} FROM catalogue "  # noqa: S608  our own names
            f"WHERE item_id IN ({_marks(some)})",
            some,
        )
        known |= {row[0]: _row(row) for row in rows}
    return known


def _row(row: tuple[Any, ...]) -> ItemRow:
    item_id, replaces, removed, content, number = row
    return ItemRow(item_id, bool(replaces), bool(removed), content, number)


def _parts(item_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(item_ids), AT_ONCE):
        yield item_ids[start : start + AT_ONCE]


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
