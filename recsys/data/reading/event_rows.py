"""Turns a batch of a retailer's rows into canonical events, and tells what is wrong with the rest.

Every row of a batch comes out exactly once: as an event or as a reject.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from recsys.data.event_names import bare, canonical_event_type
from recsys.data.events import EVENT_SCHEMA
from recsys.data.reading import cells
from recsys.data.reading.checks import Check, id_checks, sift
from recsys.data.reading.event_checks import IDS, NUMBERS, RESERVED, event_checks, written
from recsys.data.reading.event_columns import EventColumns
from recsys.data.reading.event_times import read_times
from recsys.data.reading.first_value import first, in_one_form
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.raw import ROW, RawBatch
from recsys.data.reading.rules import (
    exclude_checks,
    fulfils,
    fulfils_any,
    raw_cells,
    require_checks,
    rule_cells,
    rule_texts,
)
from recsys.data.reading.shape.explode import place_column
from recsys.types import VISITOR_PREFIX, EventType

ZONED = "__zoned__"
"""Boolean column: the time named its zone."""

_IS_RETURN = "__is_return__"
ID_COLUMNS = (*IDS, "visitor_id")
"""Our columns that hold ids in a file."""

_TEXTS = ("event_type", "channel", "attribution_token")


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What became of a batch."""

    events: pl.DataFrame
    """`EVENT_SCHEMA` with `ROW` and `ZONED`; `event_id` is null where the row has none."""
    rejects: pl.DataFrame
    """`BROKEN_SCHEMA`."""
    links: pl.DataFrame
    """`visitor_id`, `customer_id` of all rows that name both, each pair once."""
    mentions: tuple[int, ...]
    """Events of each of the mapping's mentions."""
    effects: Mapping[str, int]
    """Setting of the mapping -> rows that it had an effect on."""


def convert_events(
    batch: RawBatch, columns: EventColumns, mapping: EventMapping, *, now: datetime
) -> EventBatch:
    """Converts and checks one batch.

    Args:
        batch: rows as read, in shape.
        columns: where our columns come from.
        mapping: how values are read.
        now: events that are later, beyond a tolerance, are rejected.
    """
    constants = {f"__{ours}__": pl.lit(value) for ours, value in columns.constants.items()}
    table = batch.rows.with_columns(**constants)
    sources = {**columns.sources, **{ours: (f"__{ours}__",) for ours in columns.constants}}
    times = read_times(table, sources["event_time"], mapping)
    rows = table.select(ROW, *_cells(sources, table.schema, mapping)).with_columns(
        times.utc.alias("event_time"), times.zoned.alias(ZONED)
    )
    # A file that may lack the line's value has the price of one unit, or none.
    line_value = mapping.line_value is not None and sources.get("unit_price") == (
        mapping.line_value,
    )
    rows = _settle_numbers(_settle_names(rows, mapping), mapping, line_value=line_value)
    good, bad = sift(rows, _checks(rows, mapping, now))
    return EventBatch(
        good.select(ROW, ZONED, *EVENT_SCHEMA),
        pl.concat([batch.broken, bad]),
        _links(rows),
        tuple(_mentions(good, mapping)),
        _effects(rows, table, mapping),
    )


def _effects(rows: pl.DataFrame, table: pl.DataFrame, mapping: EventMapping) -> dict[str, int]:
    """Counts the rows that settings change whose effect the raw rows do not show."""
    counts: dict[str, int] = {}
    when = {name: rule for name, rule in mapping.returns.when.items() if name in table.columns}
    if when:
        fits = fulfils_any(when, raw_cells(when, table.schema, mapping))
        counts["returns.when"] = int(table.select(fits.sum()).item())
    for ours, rules in mapping.type_when.items():
        cells_of = rule_cells(rules, rows.schema, mapping)
        if rules.keys() <= cells_of.keys():
            fits = fulfils(rules, cells_of)
            counts[f"type_when.{ours}"] = int(rows.select(fits.sum()).item())
    return counts


def _links(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns each pair of visitor and customer once, of rows that are left out, too.

    A row that only says who somebody is (a login) is no event, but it says that.
    """
    pairs = rows.filter(
        pl.col("visitor_id").is_not_null(),
        ~pl.col("customer_id").str.starts_with(VISITOR_PREFIX),
    )
    broken = [check.fails.fill_null(value=False) for check in id_checks("customer_id")]
    return pairs.filter(~pl.any_horizontal(broken)).select("visitor_id", "customer_id").unique()


def _checks(rows: pl.DataFrame, mapping: EventMapping, now: datetime) -> list[Check]:
    """Returns every rule: what is not wanted at all goes before what is wrong with a row."""
    cells_of = rule_cells({*mapping.require, *mapping.exclude}, rows.schema, mapping)
    require = {column: rule for column, rule in mapping.require.items() if column in cells_of}
    first = {c: r for c, r in require.items() if c not in EVENT_SCHEMA or r.present}
    last = {column: rule for column, rule in require.items() if column not in first}
    exclude = {column: rule for column, rule in mapping.exclude.items() if column in cells_of}
    return [
        *exclude_checks(exclude, cells_of),
        *require_checks(first, cells_of),
        *event_checks(now),
        *require_checks(last, cells_of),
    ]


def _mentions(events: pl.DataFrame, mapping: EventMapping) -> Iterator[int]:
    for mention in mapping.mentions:
        cells_of = rule_cells(mention.rows, events.schema, mapping)
        rules = {column: rule for column, rule in mention.rows.items() if column in cells_of}
        some = fulfils(rules, cells_of) if rules else pl.lit(value=False)
        yield int(events.select(some.sum()).item()) if rules else 0


def _cells(
    sources: Mapping[str, tuple[str, ...]], schema: pl.Schema, mapping: EventMapping
) -> Iterator[pl.Expr]:
    """Yields every canonical column but the time, and what the file says for numbers and time."""

    def text(ours: str) -> pl.Expr:
        return first(cells.text(name, schema[name], mapping) for name in sources.get(ours, ()))

    for ours in ID_COLUMNS:
        whole = ours in mapping.whole_number_ids
        ids = [
            cells.identifier(name, schema[name], mapping, whole_number=whole)
            for name in sources.get(ours, ())
        ]
        cell = _event_id(ids, schema, mapping) if ours == "event_id" else first(ids)
        yield in_one_form(cell, ours, mapping).alias(ours)
    for ours in _TEXTS:
        yield text(ours).alias(ours)
    # As texts, so that a number is the same in a file that has types and one that has none.
    packed = [
        cells.text(name, schema[name], mapping).alias(name)
        for name in mapping.properties
        if name in schema
    ]
    properties = pl.struct(packed).struct.json_encode() if packed else text("properties")
    yield properties.alias("properties")
    for ours in NUMBERS:
        yield text(ours).alias(written(ours))
        names = sources.get(ours, ())
        numbers = first(cells.number(name, schema[name], mapping) for name in names)
        yield numbers.cast(pl.Float64).alias(ours)
    yield _time_text(sources["event_time"], schema, mapping).alias(written("event_time"))
    yield _return_flag(schema, mapping).alias(_IS_RETURN)
    yield from _rule_cells(schema, mapping)


def _time_text(names: tuple[str, ...], schema: pl.Schema, mapping: EventMapping) -> pl.Expr:
    """Returns what the file says of the time: of its parts, all."""
    texts = [cells.text(name, schema[name], mapping) for name in names]
    if names[0] not in mapping.time_parts:
        return first(texts)
    joined = pl.concat_str(texts, separator=" ", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


def _event_id(ids: Sequence[pl.Expr], schema: pl.Schema, mapping: EventMapping) -> pl.Expr:
    """Joins the parts of an event's id; null where the first is missing.

    Of several items in one row, each has an id of its own.
    """
    if not ids:
        return pl.lit(None, pl.String)
    if len(ids) == 1:
        whole = ids[0]
    else:
        joined = pl.concat_str(ids, separator="/", ignore_nulls=True)
        whole = pl.when(ids[0].is_not_null()).then(joined)
    place = None if mapping.explode is None else place_column(mapping.explode)
    if place is None or place not in schema:
        return whole
    return (
        pl.when(pl.col(place) > 0)
        .then(whole + "/" + pl.col(place).cast(pl.String))
        .otherwise(whole)
    )


def _return_flag(schema: pl.Schema, mapping: EventMapping) -> pl.Expr:
    """Returns whether the retailer's own columns say that a row is a return."""
    column, prefix = mapping.returns.column, mapping.returns.prefix
    flag = pl.lit(value=False)
    if column is not None and prefix is not None and column in schema:
        begins = cells.text(column, schema[column], mapping).str.starts_with(prefix)
        flag = begins.fill_null(value=False)
    when = {name: rule for name, rule in mapping.returns.when.items() if name in schema}
    if when:
        flag = flag | fulfils_any(when, raw_cells(when, schema, mapping))
    return flag


def _rule_cells(schema: pl.Schema, mapping: EventMapping) -> Iterator[pl.Expr]:
    """Yields what rules look at of the retailer's own columns."""
    mentions = (mention.rows for mention in mapping.mentions)
    every = (mapping.require, mapping.exclude, *mapping.type_when.values(), *mentions)
    names = {name for rules in every for name in rules} - EVENT_SCHEMA.keys()
    return rule_texts(names, schema, mapping)


def _settle_names(rows: pl.DataFrame, mapping: EventMapping) -> pl.DataFrame:
    """Gives event types and visitors the names that we know them by."""
    names = _type_names(rows["event_type"], mapping)
    kind = pl.col("event_type").replace_strict(names, return_dtype=pl.String)
    for ours, rules in mapping.type_when.items():
        cells_of = rule_cells(rules, rows.schema, mapping)
        if rules.keys() <= cells_of.keys():
            kind = pl.when(fulfils(rules, cells_of)).then(pl.lit(ours)).otherwise(kind)
    return rows.with_columns(
        kind.alias("event_type"),
        pl.coalesce("customer_id", VISITOR_PREFIX + pl.col("visitor_id")),
        pl.col("customer_id").str.starts_with(VISITOR_PREFIX).alias(RESERVED),
    )


def _type_names(kinds: pl.Series, mapping: EventMapping) -> dict[str, str]:
    """Returns the file's event type -> ours; an unknown one keeps its name, in kebab-case."""
    given = {bare(theirs): ours for theirs, ours in mapping.event_types.items()}
    given.pop("", None)  # Names in other scripts have no bare form: they are taken as written.
    names: dict[str, str] = {}
    for name in kinds.drop_nulls().unique().to_list():
        ours = mapping.event_types.get(name) or given.get(bare(name))
        names[name] = ours or canonical_event_type(name)
    return names


def _settle_numbers(
    rows: pl.DataFrame, mapping: EventMapping, *, line_value: bool
) -> pl.DataFrame:
    """Tells returns from purchases, makes quantities count units, and prices be of one unit."""
    kind, quantity, price = pl.col("event_type"), pl.col("quantity"), pl.col("unit_price")
    is_return = pl.col(_IS_RETURN)
    if mapping.returns.negative_quantity:
        is_return = is_return | (quantity < 0)
    back = (is_return & (kind == EventType.PURCHASE.value)) | (kind == EventType.RETURN.value)
    rows = rows.with_columns(quantity.fill_null(1.0)).with_columns(
        pl.when(back).then(pl.lit(EventType.RETURN.value)).otherwise(kind).alias("event_type"),
        pl.when(back).then(quantity.abs()).otherwise(quantity).alias("quantity"),
        pl.when(back).then(price.abs()).otherwise(price).alias("unit_price"),
    )
    if mapping.zero_quantity_is_one:
        one = pl.when(quantity == 0).then(1.0).otherwise(quantity)
        rows = rows.with_columns(one.alias("quantity"))
    if line_value:
        rows = rows.with_columns(price / quantity)
    return rows
