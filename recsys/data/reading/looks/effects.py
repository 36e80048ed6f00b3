"""Counts how often each setting of the mapping did something, so that idle ones can be named."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import polars as pl

from recsys.data.event_names import bare
from recsys.data.reading import cells
from recsys.data.reading.mapping import EventMapping, FileMapping, ItemMapping

Sources = Mapping[str, tuple[str, ...]]
"""Our column -> the file's columns that it comes from."""

_Happens = Callable[[pl.DataFrame, Sources], bool]


class Effects:
    """Counts rows by table and setting.

    Conversions report to it what they do anyway (`add`). Settings whose effect nobody counts are
    looked for in the raw rows (`look`), each only until it was seen once.
    """

    def __init__(self) -> None:
        """Starts with no setting."""
        self._rows: dict[tuple[str, str], int] = {}
        self._pending: dict[str, dict[str, _Happens]] = {}

    def add(self, table: str, setting: str, rows: int = 0) -> None:
        """Counts rows that a setting had an effect on; with 0 it is idle until it has one.

        Args:
            table: `events`, `items` or `customers`.
            setting: its place in the table's part of the mapping (`joins.orders`).
            rows: how many rows it changed, joined, marked or left out.
        """
        self._rows[table, setting] = self._rows.get((table, setting), 0) + rows

    def expect(self, table: str, mapping: FileMapping) -> None:
        """Registers the settings of a table's mapping that `look` can recognise in rows."""
        pending = self._pending[table] = dict(_recognisable(mapping))
        for setting in pending:
            self.add(table, setting)

    def look(self, table: str, rows: pl.DataFrame, sources: Sources) -> None:
        """Looks for effects of settings that had none so far, in rows as the file has them."""
        pending = self._pending.get(table, {})
        for setting, happens in list(pending.items()):
            if happens(rows, sources):
                self.add(table, setting, 1)
                del pending[setting]

    def idle(self, table: str) -> tuple[str, ...]:
        """Returns the settings of a table that never had an effect, in the order they came."""
        return tuple(
            setting for (of, setting), rows in self._rows.items() if of == table and rows == 0
        )


def _recognisable(mapping: FileMapping) -> Iterator[tuple[str, _Happens]]:
    for ours in mapping.whole_number_ids:
        yield f"whole_number_ids ({ours})", partial(_has_decimal_id, ours, mapping)
    for ours, width in mapping.id_width.items():
        yield f"id_width ({ours})", partial(_has_short_id, ours, width, mapping)
    for ours in mapping.lower_case_ids:
        yield f"lower_case_ids ({ours})", partial(_has_upper_case, ours, mapping)
    if isinstance(mapping, ItemMapping):
        yield from _separators(mapping)
    if isinstance(mapping, EventMapping):
        yield from _of_events(mapping)


def _of_events(mapping: EventMapping) -> Iterator[tuple[str, _Happens]]:
    for theirs in mapping.event_types:
        yield f"event_types ({theirs})", partial(_has_event_type, theirs, mapping)
    returns = mapping.returns
    if returns.column is not None and returns.prefix is not None:
        yield "returns.prefix", partial(_has_prefix, returns.column, returns.prefix, mapping)
    if returns.negative_quantity:
        yield "returns.negative_quantity", partial(_has_quantity, mapping, negative=True)
    if mapping.zero_quantity_is_one:
        yield "zero_quantity_is_one", partial(_has_quantity, mapping, negative=False)
    for column in mapping.properties:
        yield f"properties ({column})", partial(_has_value, column, mapping)


def _separators(mapping: ItemMapping) -> Iterator[tuple[str, _Happens]]:
    """Yields the separators that the mapping itself gives."""
    for setting, ours, separator in (
        ("category_separator", "category", mapping.category_separator),
        ("categories_separator", "category", mapping.categories_separator),
        ("tags_separator", "tags", mapping.tags_separator),
    ):
        if separator is not None and setting in mapping.model_fields_set:
            yield setting, partial(_contains, ours, separator, mapping)


def _contains(
    ours: str, part: str, mapping: FileMapping, rows: pl.DataFrame, sources: Sources
) -> bool:
    texts = _texts(ours, rows, sources, mapping)
    return _any(rows, *(text.str.contains(part, literal=True) for text in texts))


def _any(rows: pl.DataFrame, *conditions: pl.Expr) -> bool:
    return any(rows.select(condition.any()).item() for condition in conditions)


def _texts(ours: str, rows: pl.DataFrame, sources: Sources, mapping: FileMapping) -> list[pl.Expr]:
    """Returns the texts of the file's columns that one of ours comes from."""
    columns = [column for column in sources.get(ours, ()) if column in rows.columns]
    return [cells.text(column, rows.schema[column], mapping) for column in columns]


def _has_decimal_id(ours: str, mapping: FileMapping, rows: pl.DataFrame, sources: Sources) -> bool:
    texts = _texts(ours, rows, sources, mapping)
    return _any(rows, *(text.str.contains(r"^-?\d+\.0+$") for text in texts))


def _has_upper_case(ours: str, mapping: FileMapping, rows: pl.DataFrame, sources: Sources) -> bool:
    texts = _texts(ours, rows, sources, mapping)
    return _any(rows, *(text.str.to_lowercase() != text for text in texts))


def _has_short_id(
    ours: str, width: int, mapping: FileMapping, rows: pl.DataFrame, sources: Sources
) -> bool:
    texts = _texts(ours, rows, sources, mapping)
    return _any(
        rows, *(text.str.contains(r"^\d+$") & (text.str.len_chars() < width) for text in texts)
    )


def _has_event_type(
    theirs: str, mapping: FileMapping, rows: pl.DataFrame, sources: Sources
) -> bool:
    for text in _texts("event_type", rows, sources, mapping):
        for kind in rows.select(text.drop_nulls().unique()).to_series().to_list():
            if kind == theirs or (bare(theirs) and bare(kind) == bare(theirs)):
                return True
    return False


def _has_prefix(
    column: str, prefix: str, mapping: FileMapping, rows: pl.DataFrame, sources: Sources
) -> bool:
    del sources
    if column not in rows.columns:
        return False
    text = cells.text(column, rows.schema[column], mapping)
    return _any(rows, text.str.starts_with(prefix))


def _has_quantity(
    mapping: FileMapping, rows: pl.DataFrame, sources: Sources, *, negative: bool
) -> bool:
    columns = [column for column in sources.get("quantity", ()) if column in rows.columns]
    numbers = [cells.number(column, rows.schema[column], mapping) for column in columns]
    return _any(rows, *(number < 0 if negative else number == 0 for number in numbers))


def _has_value(column: str, mapping: FileMapping, rows: pl.DataFrame, sources: Sources) -> bool:
    del sources
    if column not in rows.columns:
        return False
    return _any(rows, cells.text(column, rows.schema[column], mapping).is_not_null())
