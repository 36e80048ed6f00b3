"""What the store holds of an item: the columns that were given, over those of a bundle."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class ItemRow(NamedTuple):
    """An item as one change leaves it, whole or in some columns."""

    item_id: str
    replaces: bool
    """Whether a column that is not given is empty; otherwise it is what the bundle says."""
    removed: bool
    content: str
    """JSON text of an object: the given columns, keys in order. Times are microseconds since
    1970, UTC; null says that the column is empty."""
    change_number: int
    """1, 2, ... in commit order; the rows of one change share one."""


class ItemColumns(NamedTuple):
    """The columns that a caller gives for one item."""

    item_id: str
    columns: Mapping[str, Any]


class Upserted(NamedTuple):
    """What became of the items of a change."""

    created: int
    updated: int


class Removed(NamedTuple):
    """What became of the items to remove."""

    removed: int
    missing: int
    """Ids that were not there, or a second time in the list."""


def written(columns: Mapping[str, Any]) -> str:
    """Returns columns as the store keeps them: equal columns are equal text."""
    return json.dumps(columns, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
