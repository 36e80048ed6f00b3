"""Turns a batch of a retailer's rows into canonical events, and tells what is wrong with the rest.

Every row of a batch comes out exactly once: as an event or as a reject.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from recsys.data.events import EVENT_SCHEMA
from recsys.data.reading import cells
from recsys.data.reading.checks import sift
from recsys.data.reading.columns import EventColumns
from recsys.data.reading.event_checks import IDS, NUMBERS, RESERVED, event_checks, written
from recsys.data.reading.guess import EVENT_TYPE_NAMES, bare
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.raw import ROW, RawBatch
from recsys.data.reading.times import parse_times
from recsys.types import VISITOR_PREFIX, EventType

ZONED = "__zoned__"
"""Boolean column: the time named its zone."""

ID_COLUMNS = (*IDS, "visitor_id")
"""Our columns that hold ids in a file."""

_TOLD_RETURN = "__told_return__"
_TEXTS = ("event_type", "channel", "attribution_token")


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What became of a batch."""

    events: pl.DataFrame
    """`EVENT_SCHEMA` with `ROW` and `ZONED`; `event_id` is null where the row has none."""
    rejects: pl.DataFrame
    """`BROKEN_SCHEMA`."""


def convert_events(
    batch: RawBatch, columns: EventColumns, mapping: EventMapping, *, now: datetime
) -> EventBatch:
    """Converts and checks one batch.

    Args:
        batch: rows as read.
        columns: where our columns come from.
        mapping: how values are read.
        now: events that are later, beyond a tolerance, are rejected.
    """
    constants = {f"__{ours}__": pl.lit(value) for ours, value in columns.constants.items()}
    table = batch.rows.with_columns(**constants)
    sources = {**columns.found, **{ours: f"__{ours}__" for ours in columns.constants}}
    times = parse_times(table[sources["event_time"]], mapping)
    rows = table.select(ROW, *_cells(sources, table.schema, mapping)).with_columns(
        times.utc.alias("event_time"), times.zoned.alias(ZONED)
    )
    rows = _settle_numbers(_settle_names(rows, mapping), mapping)
    good, bad = sift(rows, event_checks(mapping, now))
    return EventBatch(good.select(ROW, ZONED, *EVENT_SCHEMA), pl.concat([batch.broken, bad]))


def _cells(sources: dict[str, str], schema: pl.Schema, mapping: EventMapping) -> Iterator[pl.Expr]:
    """Yields every canonical column but the time, and what the file says for numbers and time."""
    nothing = pl.lit(None, pl.String)
    for ours in ID_COLUMNS:
        whole = ours in mapping.whole_number_ids
        found = nothing
        if ours in sources:
            dtype = schema[sources[ours]]
            found = cells.identifier(sources[ours], dtype, mapping, whole_number=whole)
        yield found.alias(ours)
    for ours in (*_TEXTS, *(() if mapping.properties else ("properties",))):
        source = sources.get(ours)
        found = nothing if source is None else cells.text(source, schema[source], mapping)
        yield found.alias(ours)
    if mapping.properties:
        # As texts, so that a number is the same in a file that has types and one that has none.
        texts = [
            cells.text(name, schema[name], mapping).alias(name) for name in mapping.properties
        ]
        yield pl.struct(texts).struct.json_encode().alias("properties")
    for ours in (*NUMBERS, "event_time"):
        source = sources.get(ours)
        found = nothing if source is None else cells.text(source, schema[source], mapping)
        yield found.alias(written(ours))
        if ours in NUMBERS:
            found = nothing if source is None else cells.number(source, schema[source], mapping)
            yield found.cast(pl.Float64).alias(ours)
    column, prefix = mapping.returns.column, mapping.returns.prefix
    told = pl.lit(value=False)
    if column is not None and prefix is not None:
        told = cells.text(column, schema[column], mapping).str.starts_with(prefix)
    yield told.fill_null(value=False).alias(_TOLD_RETURN)


def _settle_names(rows: pl.DataFrame, mapping: EventMapping) -> pl.DataFrame:
    """Gives event types and visitors the names that we know them by."""
    names = _type_names(rows["event_type"], mapping)
    return rows.with_columns(
        pl.col("event_type").replace_strict(names, return_dtype=pl.String),
        pl.coalesce("customer_id", VISITOR_PREFIX + pl.col("visitor_id")),
        pl.col("customer_id").str.starts_with(VISITOR_PREFIX).alias(RESERVED),
    )


def _type_names(kinds: pl.Series, mapping: EventMapping) -> dict[str, str]:
    """Returns the file's event type -> ours; an unknown one keeps its name, in kebab-case."""
    given = {bare(theirs): ours for theirs, ours in mapping.event_types.items()}
    given.pop("", None)  # Names in other scripts have no bare form: they are taken as written.
    names: dict[str, str] = {}
    for told in kinds.drop_nulls().unique().to_list():
        kebab = "-".join(told.lower().replace("_", " ").split())
        usual = EVENT_TYPE_NAMES.get(bare(told))
        ours = mapping.event_types.get(told) or given.get(bare(told))
        names[told] = ours or (usual.value if usual else kebab)
    return names


def _settle_numbers(rows: pl.DataFrame, mapping: EventMapping) -> pl.DataFrame:
    """Tells returns from purchases, makes quantities count units, and prices be of one unit."""
    kind, quantity, price = pl.col("event_type"), pl.col("quantity"), pl.col("unit_price")
    told = pl.col(_TOLD_RETURN)
    if mapping.returns.negative_quantity:
        told = told | (quantity < 0)
    back = (told & (kind == EventType.PURCHASE.value)) | (kind == EventType.RETURN.value)
    rows = rows.with_columns(quantity.fill_null(1.0)).with_columns(
        pl.when(back).then(pl.lit(EventType.RETURN.value)).otherwise(kind).alias("event_type"),
        pl.when(back).then(quantity.abs()).otherwise(quantity).alias("quantity"),
        pl.when(back).then(price.abs()).otherwise(price).alias("unit_price"),
    )
    if mapping.zero_quantity_is_one:
        one = pl.when(quantity == 0).then(1.0).otherwise(quantity)
        rows = rows.with_columns(one.alias("quantity"))
    if mapping.line_value is not None:
        rows = rows.with_columns(price / quantity)
    return rows
