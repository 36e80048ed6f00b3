"""Settles where the columns of a file of items or customers come from."""

from dataclasses import replace
from pathlib import Path

from recsys.data.event_names import bare
from recsys.data.reading.columns import MappedColumn, match_columns, require_columns, several
from recsys.data.reading.guess import CUSTOMER_NAMES, ITEM_NAMES, SALE_PRICE_NAMES
from recsys.data.reading.mapping import CustomerMapping, ItemMapping

Sources = dict[str, tuple[str, ...]]
Notes = tuple[MappedColumn, ...]


def match_item_columns(
    file: Path, columns: tuple[str, ...], mapping: ItemMapping
) -> tuple[Sources, Notes, ItemMapping]:
    """Returns our column -> the file's, how each was recognised, and the mapping with its price.

    Every column that tells a stock is looked at, the words for it before the counts. A reduced
    price with a usual name beside the usual price is one.

    Raises:
        DataError: the mapping names a column that the file does not have.
    """
    _require_named(file, columns, mapping)
    named = several(mapping.columns)
    given = dict(named)
    if mapping.guess:
        mapping = _with_sale_price(columns, mapping)
        given = several(mapping.columns)
        stock = _named_like(columns, ITEM_NAMES["available"])
        if "available" not in given and len(stock) > 1:
            given["available"] = stock
    sources, notes = match_columns(
        file, columns, given, ITEM_NAMES, optional=mapping.optional, guess=mapping.guess
    )
    notes = tuple(note if note.ours in named else replace(note, how="guessed") for note in notes)
    if mapping.sale_price in columns and "price" in sources:
        notes = tuple(_with_sale(note, mapping) for note in notes)
    return sources, notes, mapping


def match_customer_columns(
    file: Path, columns: tuple[str, ...], mapping: CustomerMapping
) -> tuple[Sources, Notes]:
    """Returns our column -> the file's, and how each was recognised.

    Raises:
        DataError: the mapping names a column that the file does not have.
    """
    _require_named(file, columns, mapping)
    return match_columns(
        file,
        columns,
        several(mapping.columns),
        CUSTOMER_NAMES,
        optional=mapping.optional,
        guess=mapping.guess,
    )


def named_by(mapping: ItemMapping | CustomerMapping) -> tuple[str, ...]:
    """Returns all columns of the file that a mapping names."""
    columns = [name for theirs in several(mapping.columns).values() for name in theirs]
    return (*columns, *(name for names in _settings(mapping).values() for name in names))


def _require_named(
    file: Path, columns: tuple[str, ...], mapping: ItemMapping | CustomerMapping
) -> None:
    for setting, wanted in _settings(mapping).items():
        require_columns(file, columns, wanted, setting, mapping.optional)


def _settings(mapping: ItemMapping | CustomerMapping) -> Sources:
    """Returns each setting that names columns of the file, beyond `columns`, with these."""
    ours = {*ITEM_NAMES, *CUSTOMER_NAMES}
    named: Sources = {
        "missing_in": tuple(mapping.missing_in),
        "drop": mapping.drop,
        "attributes": mapping.attributes or (),
        "require": tuple(mapping.require.keys() - ours),
        "exclude": tuple(mapping.exclude.keys() - ours),
    }
    if isinstance(mapping, ItemMapping):
        named["sale_price"] = () if mapping.sale_price is None else (mapping.sale_price,)
        named["sale_period"] = mapping.sale_period
        named["available_when"] = tuple(mapping.available_when.keys() - ours)
        named["unavailable"] = tuple(mapping.unavailable.keys() - ours)
    return named


def _named_like(columns: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the columns that go by one of several names, in the order of the names."""
    by_name = {bare(column): column for column in reversed(columns)}
    return tuple(by_name[name] for name in names if name in by_name)


def _with_sale_price(columns: tuple[str, ...], mapping: ItemMapping) -> ItemMapping:
    """Returns the mapping with the file's reduced price, where it has one and the usual one."""
    if "price" in mapping.columns or mapping.sale_price is not None:
        return mapping
    sale = _named_like(columns, SALE_PRICE_NAMES)
    usual = _named_like(columns, (*ITEM_NAMES["price"], *ITEM_NAMES["list_price"]))
    usual = tuple(column for column in usual if column not in sale)
    if not sale or not usual:
        return mapping
    theirs = {**mapping.columns, "price": usual[0]}
    return mapping.model_copy(update={"sale_price": sale[0], "columns": theirs})


def _with_sale(note: MappedColumn, mapping: ItemMapping) -> MappedColumn:
    if note.ours != "price" or mapping.sale_price is None:
        return note
    source = f"{mapping.sale_price}, else {note.source}"
    return replace(note, source=source, columns=(mapping.sale_price, *note.columns))
