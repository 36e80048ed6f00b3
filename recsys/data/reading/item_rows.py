"""Turns a retailer's catalogue into our items table."""

from collections.abc import Mapping

import polars as pl

from recsys.data.events import ITEM_SCHEMA, MARKET
from recsys.data.reading import cells
from recsys.data.reading.checks import Check, id_checks, rule_checks, sift
from recsys.data.reading.entity_rows import EntityRows, with_attributes
from recsys.data.reading.mapping import FileMapping, ItemMapping
from recsys.data.reading.raw import ROW
from recsys.data.reading.times import parse_times
from recsys.data.reading.value_checks import number_checks, time_checks

_FALSE = ("false", "0", "no", "n", "f", "out of stock", "out_of_stock", "unavailable")
_TRUE = ("true", "yes", "y", "t", "in stock", "in_stock", "available")
_PRICES = ("price", "list_price", "cost")
_CHECKED = (*_PRICES, "available", "created_at", "markets")


def convert_items(
    rows: pl.DataFrame, found: Mapping[str, tuple[str, ...]], mapping: ItemMapping
) -> EntityRows:
    """Converts and checks the whole catalogue.

    Args:
        rows: as read, with `ROW`.
        found: our column -> the retailer's columns.
        mapping: how values are read.
    """
    types = dict(rows.schema)
    created = _times(rows, found.get("created_at"), mapping)
    exprs = [_item_cell(ours, found.get(ours, ()), types, mapping) for ours in ITEM_SCHEMA]
    told = [_written(ours, found.get(ours), types, mapping) for ours in _CHECKED]
    canonical = rows.select(ROW, *exprs, *told).with_columns(created_at=created)
    good, bad = sift(canonical, [*_item_checks(), *rule_checks(mapping.require)])
    return EntityRows(with_attributes(good.select(ROW, *ITEM_SCHEMA), rows, found, mapping), bad)


def _times(
    rows: pl.DataFrame, columns: tuple[str, ...] | None, mapping: FileMapping
) -> pl.Series | pl.Expr:
    if not columns:
        return pl.lit(None, ITEM_SCHEMA["created_at"])
    return parse_times(rows[columns[0]], mapping).utc


def _name(ours: str) -> str:
    return f"__written_{ours}__"


def _written(
    ours: str,
    columns: tuple[str, ...] | None,
    types: dict[str, pl.DataType],
    mapping: ItemMapping,
) -> pl.Expr:
    """Returns what the file says for one of our columns, null where it says nothing."""
    if not columns:
        return pl.lit(None, pl.String).alias(_name(ours))
    return cells.text(columns[0], types[columns[0]], mapping).alias(_name(ours))


def _item_cell(
    ours: str, columns: tuple[str, ...], types: dict[str, pl.DataType], mapping: ItemMapping
) -> pl.Expr:
    """Returns one of our item columns; `created_at` is filled in by the caller."""
    target = ITEM_SCHEMA[ours]
    if not columns or ours == "created_at":
        default = pl.lit(value=True) if ours == "available" else pl.lit(None, target)
        return default.alias(ours)
    column, dtype = columns[0], types[columns[0]]
    if ours in _PRICES:
        cell = cells.number(column, dtype, mapping)
    elif ours == "available":
        cell = _flag(column, dtype, mapping)
    elif ours == "category":
        cell = _path(columns, types, mapping)
    elif ours == "tags":
        cell = _split(column, dtype, mapping, mapping.tags_separator)
    elif ours == "markets":
        cell = _markets(column, dtype)
    elif ours == "title":
        parts = [cells.text(name, types[name], mapping) for name in columns]
        joined = pl.concat_str(parts, separator=" ", ignore_nulls=True)
        cell = pl.when(joined == "").then(None).otherwise(joined)
    else:
        whole = ours in mapping.whole_number_ids
        cell = cells.identifier(column, dtype, mapping, whole_number=whole)
    return cell.alias(ours)


def _flag(column: str, dtype: pl.DataType, mapping: ItemMapping) -> pl.Expr:
    """Reads availability; no value means available, and null remains for what is neither."""
    if dtype == pl.Boolean():
        return pl.col(column).fill_null(value=True)
    if dtype.is_numeric():
        return (pl.col(column) > 0).fill_null(value=True)
    written = cells.text(column, dtype, mapping).str.to_lowercase()
    count = written.cast(pl.Float64, strict=False)
    return (
        pl.when(written.is_null() | written.is_in(_TRUE))
        .then(pl.lit(value=True))
        .when(count.is_finite())
        .then(count > 0)
        .when(written.is_in(_FALSE))
        .then(pl.lit(value=False))
    )


def _path(
    columns: tuple[str, ...], types: dict[str, pl.DataType], mapping: ItemMapping
) -> pl.Expr:
    if len(columns) == 1:
        return _split(columns[0], types[columns[0]], mapping, mapping.category_separator)
    steps = pl.concat_list([cells.text(name, types[name], mapping) for name in columns])
    return _without_gaps(steps)


def _split(column: str, dtype: pl.DataType, mapping: ItemMapping, separator: str) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return _without_gaps(pl.col(column).cast(pl.List(pl.String)))
    steps = cells.text(column, dtype, mapping).str.split(separator)
    return _without_gaps(steps.list.eval(pl.element().str.strip_chars()))


def _without_gaps(steps: pl.Expr) -> pl.Expr:
    kept = steps.list.eval(pl.element().filter(pl.element().is_not_null() & (pl.element() != "")))
    return pl.when(kept.list.len() > 0).then(kept)


def _markets(column: str, dtype: pl.DataType) -> pl.Expr:
    """Reads a list of structs; fields that a market does not have are null."""
    if not (isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct)):
        return pl.lit(None, pl.List(MARKET))
    names = {field.name for field in dtype.inner.fields}
    fields = [
        (pl.element().struct.field(name) if name in names else pl.lit(None, pl.String))
        .pipe(_market_value, name)
        .alias(name)
        for name in ("market", "available", "price")
    ]
    return pl.col(column).list.eval(pl.struct(fields))


def _market_value(cell: pl.Expr, name: str) -> pl.Expr:
    if name == "available":
        written = cell.cast(pl.String).str.to_lowercase()
        return ~written.is_in(_FALSE).fill_null(value=False)
    return cell.cast(pl.Float64 if name == "price" else pl.String, strict=False)


def _item_checks() -> list[Check]:
    cell = pl.col
    told = {ours: cell(_name(ours)) for ours in _CHECKED}
    checks = [
        Check("item_id", "missing id", cell("item_id").is_null(), cell("item_id")),
        *id_checks("item_id"),
        *id_checks("group_id"),
    ]
    for ours in _PRICES:
        checks += number_checks(ours, cell(ours), told[ours])
        checks.append(Check(ours, "negative price", cell(ours) < 0, told[ours]))
    for ours, reason in (
        ("available", "neither yes nor no"),
        ("markets", "not a list of markets"),
    ):
        unread = cell(ours).is_null() & told[ours].is_not_null()
        checks.append(Check(ours, reason, unread, told[ours]))
    checks += time_checks("created_at", cell("created_at"), told["created_at"])
    market = pl.element().struct
    wrong = market.field("market").is_null() | (market.field("price").fill_null(0) < 0)
    some_wrong = cell("markets").list.eval(wrong).list.any()
    reason = "a market without a name or with a negative price"
    return [*checks, Check("markets", reason, some_wrong, told["markets"])]
