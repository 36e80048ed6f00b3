"""Turns a retailer's items and customers into our tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from recsys.data import cells
from recsys.data.attributes import typed_attribute
from recsys.data.checks import Check, id_checks, sift
from recsys.data.events import CUSTOMER_SCHEMA, ITEM_SCHEMA, MARKET
from recsys.data.mapping import CustomerMapping, FileMapping, ItemMapping
from recsys.data.raw import ROW
from recsys.data.times import parse_times
from recsys.types import VISITOR_PREFIX

_FALSE = ("false", "0", "no", "n", "f", "out of stock", "out_of_stock", "unavailable")
_TRUE = ("true", "1", "yes", "y", "t", "in stock", "in_stock", "available")
_PRICES = ("price", "list_price", "cost")
_RAW = "__raw_{}__"
_TITLE_SEPARATOR = " "


@dataclass(frozen=True, slots=True)
class EntityRows:
    """What became of a table's rows."""

    rows: pl.DataFrame
    """Our columns, then attributes; sorted by id, one row for each."""
    rejects: pl.DataFrame
    """`BROKEN_SCHEMA`."""
    duplicates: int
    """Rows left out because an earlier row has their id."""


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
    raw = [_raw(ours, found) for ours in (*_PRICES, "available", "created_at")]
    canonical = rows.select(ROW, *exprs, *raw).with_columns(created_at=created)
    good, bad = sift(canonical, _item_checks())
    return _finished(good, bad, rows, found, mapping, "item_id", list(ITEM_SCHEMA))


def convert_customers(
    rows: pl.DataFrame, found: Mapping[str, tuple[str, ...]], mapping: CustomerMapping
) -> EntityRows:
    """Converts and checks the whole customer table; arguments as for `convert_items`."""
    column = found["customer_id"][0]
    whole = "customer_id" in mapping.whole_number_ids
    read = cells.identifier(column, rows.schema[column], mapping, whole_number=whole)
    canonical = rows.select(ROW, read.alias("customer_id"))
    cell = pl.col("customer_id")
    checks = [
        Check("customer_id", "missing id", cell.is_null(), cell),
        Check(
            "customer_id",
            f"reserved id (begins with {VISITOR_PREFIX})",
            cell.str.starts_with(VISITOR_PREFIX),
            cell,
        ),
        *id_checks("customer_id"),
    ]
    good, bad = sift(canonical, checks)
    return _finished(good, bad, rows, found, mapping, "customer_id", list(CUSTOMER_SCHEMA))


def _finished(
    good: pl.DataFrame,
    bad: pl.DataFrame,
    rows: pl.DataFrame,
    found: Mapping[str, tuple[str, ...]],
    mapping: ItemMapping | CustomerMapping,
    key: str,
    ours: list[str],
) -> EntityRows:
    """Keeps the first row of each id, and puts the attributes beside our columns."""
    first = good.unique(key, keep="first", maintain_order=True)
    # What was put together from several columns keeps them as attributes of their own.
    used = {columns[0] for columns in found.values() if len(columns) == 1}
    others = [name for name in rows.columns if name not in {*used, *mapping.drop, *ours, ROW}]
    attributes = first.select(ROW).join(
        rows.select(ROW, *others), on=ROW, how="left", maintain_order="left"
    )
    typed = [typed_attribute(attributes[name], mapping) for name in others]
    table = first.select(ours).hstack(typed).sort(key)
    return EntityRows(table, bad, len(good) - len(first))


def _times(
    rows: pl.DataFrame, columns: tuple[str, ...] | None, mapping: FileMapping
) -> pl.Series | pl.Expr:
    if not columns:
        return pl.lit(None, ITEM_SCHEMA["created_at"])
    return parse_times(rows[columns[0]], mapping).utc


def _raw(ours: str, found: Mapping[str, tuple[str, ...]]) -> pl.Expr:
    columns = found.get(ours)
    cell = pl.col(columns[0]) if columns else pl.lit(None, pl.String)
    return cell.cast(pl.String, strict=False).alias(_RAW.format(ours))


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
        joined = pl.concat_str(parts, separator=_TITLE_SEPARATOR, ignore_nulls=True)
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
    return (
        pl.when(written.is_null() | written.is_in(_TRUE))
        .then(pl.lit(value=True))
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
    checks = [
        Check("item_id", "missing id", cell("item_id").is_null(), cell("item_id")),
        *id_checks("item_id"),
        *id_checks("group_id"),
    ]
    for ours in _PRICES:
        raw = cell(_RAW.format(ours))
        checks.append(Check(ours, "bad number", cell(ours).is_nan(), raw))
        checks.append(Check(ours, "negative price", cell(ours) < 0, raw))
    available = cell(_RAW.format("available"))
    checks.append(Check("available", "neither yes nor no", cell("available").is_null(), available))
    created = cell(_RAW.format("created_at"))
    bad_time = cell("created_at").is_null() & created.is_not_null() & (created != "")
    checks.append(Check("created_at", "bad time", bad_time, created))
    return checks
