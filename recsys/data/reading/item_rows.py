"""Turns a retailer's catalogue into our items table."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from recsys.data.events import ITEM_SCHEMA, MARKET
from recsys.data.reading import cells
from recsys.data.reading.availability import availability, is_no
from recsys.data.reading.category_texts import several_categories
from recsys.data.reading.checks import Check, id_checks, sift
from recsys.data.reading.entity_rows import PLACE, EntityRows, with_attributes
from recsys.data.reading.event_times import first_times
from recsys.data.reading.first_value import first, in_one_form
from recsys.data.reading.literal import column as named
from recsys.data.reading.mapping import FileMapping, ItemMapping
from recsys.data.reading.raw import ROW
from recsys.data.reading.rules import (
    exclude_checks,
    fulfils_any,
    require_checks,
    rule_cells,
    rule_texts,
)
from recsys.data.reading.sale_prices import sale_checks, with_sale_prices
from recsys.data.reading.value_checks import number_checks, time_checks

_PRICES = ("price", "list_price", "cost")
_CHECKED = (*_PRICES, "available", "created_at", "markets")
_TAGS = "__tags__"
SEVERAL = "|"
"""Between several categories in one text (`Action|Adventure`), where no path is in any."""


def convert_items(
    rows: pl.DataFrame,
    sources: Mapping[str, tuple[str, ...]],
    mapping: ItemMapping,
    *,
    now: datetime,
) -> EntityRows:
    """Converts and checks the whole catalogue.

    Args:
        rows: as read, in shape.
        sources: our column -> the retailer's columns.
        mapping: how values are read.
        now: decides whether a reduced price holds.
    """
    types = dict(rows.schema)
    mapping, notes = _with_separator(rows, sources.get("category", ()), mapping)
    created = _times(rows, sources.get("created_at"), mapping)
    exprs = [_item_cell(ours, sources.get(ours, ()), types, mapping) for ours in ITEM_SCHEMA]
    tags = _tags(sources.get("tags", ()), sources.get("category", ()), types, mapping)
    texts = [_written(ours, sources.get(ours, ()), types, mapping) for ours in _CHECKED]
    theirs = rule_texts(_ruled_columns(mapping), types, mapping)
    table = rows.select(ROW, *exprs, *texts, *theirs, tags.alias(_TAGS))
    table = table.with_columns(created_at=created, tags=_TAGS)
    table = with_sale_prices(table, rows, mapping, now)
    table, effects = _with_shown(table, mapping)
    table = table.with_row_index(PLACE)
    good, bad = sift(table, _checks(table, mapping))
    # Nothing said of an item's stock: it may be shown.
    kept = good.select(PLACE, *ITEM_SCHEMA).with_columns(pl.col("available").fill_null(value=True))
    return EntityRows(with_attributes(kept, rows, sources, mapping), bad, notes, effects)


def _with_separator(
    rows: pl.DataFrame, columns: tuple[str, ...], mapping: ItemMapping
) -> tuple[ItemMapping, tuple[str, ...]]:
    """Returns the mapping with the separator of several categories, where one text has some."""
    text = len(columns) == 1 and rows.schema[columns[0]] == pl.String()
    if not (text and mapping.guess) or mapping.categories_separator is not None:
        return mapping, ()
    bars = rows[columns[0]].str.contains(SEVERAL, literal=True)
    paths = rows[columns[0]].str.contains(mapping.category_separator, literal=True)
    if mapping.category_separator == SEVERAL or not bars.any() or paths.any():
        return mapping, ()
    note = (
        f"{columns[0]}: what stands between bars ({SEVERAL}) is taken as several categories: the "
        "first is the item's, all are tags; if it is one path, set category_separator"
    )
    return mapping.model_copy(update={"categories_separator": SEVERAL}), (note,)


def _ruled_columns(mapping: ItemMapping) -> set[str]:
    """Returns the retailer's columns that rules look at."""
    rules = (mapping.require, mapping.exclude, mapping.available_when, mapping.unavailable)
    return {name for rule in rules for name in rule} - ITEM_SCHEMA.keys()


def _with_shown(table: pl.DataFrame, mapping: ItemMapping) -> tuple[pl.DataFrame, dict[str, int]]:
    """Returns the items with what rules say of whether they may be shown, and how many each fits.

    A rule that hides counts more than one that shows, and both more than a stock.
    """
    effects: dict[str, int] = {}
    for setting, shown in (("available_when", True), ("unavailable", False)):
        rules = getattr(mapping, setting)
        cells_of = rule_cells(rules, table.schema, mapping)
        there = {column: rule for column, rule in rules.items() if column in cells_of}
        if there:
            fits = table.select(fits=fulfils_any(there, cells_of))["fits"]
            effects[setting] = int(fits.sum())
            table = table.with_columns(available=pl.when(fits).then(shown).otherwise("available"))
    return table, effects


def _checks(table: pl.DataFrame, mapping: ItemMapping) -> list[Check]:
    """Returns every rule: what is not wanted at all goes before what is wrong with a row."""
    cells_of = rule_cells({*mapping.require, *mapping.exclude}, table.schema, mapping)
    require = {column: rule for column, rule in mapping.require.items() if column in cells_of}
    before = {c: r for c, r in require.items() if c not in ITEM_SCHEMA or r.present}
    after = {column: rule for column, rule in require.items() if column not in before}
    exclude = {column: rule for column, rule in mapping.exclude.items() if column in cells_of}
    return [
        *exclude_checks(exclude, cells_of),
        *require_checks(before, cells_of),
        *_item_checks(),
        *sale_checks(table.columns),
        *require_checks(after, cells_of),
    ]


def _times(
    rows: pl.DataFrame, columns: tuple[str, ...] | None, mapping: FileMapping
) -> pl.Series | pl.Expr:
    if not columns:
        return pl.lit(None, ITEM_SCHEMA["created_at"])
    return first_times(rows, columns, mapping).utc


def _name(ours: str) -> str:
    return f"__written_{ours}__"


def _written(
    ours: str, columns: tuple[str, ...], types: dict[str, pl.DataType], mapping: ItemMapping
) -> pl.Expr:
    """Returns what the file says for one of our columns, null where it says nothing."""
    texts = first(cells.text(name, types[name], mapping) for name in columns)
    return texts.cast(pl.String).alias(_name(ours))


def _item_cell(
    ours: str, columns: tuple[str, ...], types: dict[str, pl.DataType], mapping: ItemMapping
) -> pl.Expr:
    """Returns one of our item columns; `created_at` and `tags` are filled in by the caller."""
    target = ITEM_SCHEMA[ours]
    if not columns or ours in {"created_at", "tags"}:
        default = pl.lit(value=True) if ours == "available" else pl.lit(None, target)
        return default.alias(ours)
    if ours in _PRICES:
        cell = first(cells.number(name, types[name], mapping) for name in columns)
    elif ours == "available":
        cell = first(availability(name, types[name], mapping) for name in columns)
    elif ours == "category":
        cell = _path(columns, types, mapping)
    elif ours == "markets":
        cell = first(_markets(name, types[name]) for name in columns)
    elif ours == "title":
        parts = [cells.text(name, types[name], mapping) for name in columns]
        joined = pl.concat_str(parts, separator=" ", ignore_nulls=True)
        cell = pl.when(joined == "").then(None).otherwise(joined)
    else:
        whole = ours in mapping.whole_number_ids
        ids = [cells.identifier(n, types[n], mapping, whole_number=whole) for n in columns]
        cell = in_one_form(first(ids), ours, mapping)
    return cell.alias(ours)


def _path(
    columns: tuple[str, ...], types: dict[str, pl.DataType], mapping: ItemMapping
) -> pl.Expr:
    if len(columns) > 1:
        each = [cells.text(name, types[name], mapping) for name in columns]
        if mapping.categories_separator is not None:
            each = [several_categories(step, mapping).list.first() for step in each]
        return _without_gaps(pl.concat_list([step.str.strip_chars() for step in each]))
    column, dtype = columns[0], types[columns[0]]
    if isinstance(dtype, pl.List):
        return _split(column, dtype, mapping, mapping.category_separator)
    several = _categories(column, dtype, mapping)
    steps = several.list.first().str.split(mapping.category_separator)
    return _without_gaps(steps.list.eval(pl.element().str.strip_chars()))


def _tags(
    columns: tuple[str, ...],
    categories: tuple[str, ...],
    types: dict[str, pl.DataType],
    mapping: ItemMapping,
) -> pl.Expr:
    """Returns tags; where several categories may stand in one text, each is one, too."""
    lists = [_split(name, types[name], mapping, mapping.tags_separator) for name in columns]
    if len(categories) == 1 and categories != columns:
        column, dtype = categories[0], types[categories[0]]
        if mapping.categories_separator is not None:
            lists.append(_categories(column, dtype, mapping))
        elif not dtype.is_nested():
            several = _categories(column, dtype, mapping)
            lists.append(pl.when(several.list.len() > 1).then(several))
    if not lists:
        return pl.lit(None, ITEM_SCHEMA["tags"])
    if len(lists) == 1:
        return lists[0]
    every = pl.concat_list([tags.fill_null([]) for tags in lists])
    return _without_gaps(every.list.unique(maintain_order=True))


def _categories(column: str, dtype: pl.DataType, mapping: ItemMapping) -> pl.Expr:
    """Returns the categories of a column: those of a list, or of a text that has several."""
    if isinstance(dtype, pl.List):
        return _without_gaps(named(column).cast(pl.List(pl.String)))
    texts = cells.text(column, dtype, mapping).cast(pl.String)
    several = several_categories(texts, mapping)
    return _without_gaps(several.list.eval(pl.element().str.strip_chars()))


def _split(column: str, dtype: pl.DataType, mapping: ItemMapping, separator: str) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return _without_gaps(named(column).cast(pl.List(pl.String)))
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
    return named(column).list.eval(pl.struct(fields))


def _market_value(cell: pl.Expr, name: str) -> pl.Expr:
    if name == "available":
        return ~is_no(cell)
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
