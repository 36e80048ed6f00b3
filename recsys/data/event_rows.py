"""Turns a batch of a retailer's rows into canonical events, and tells what is wrong with the rest.

Every row of a batch comes out exactly once: as an event or as a reject.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from recsys.data import cells
from recsys.data.checks import Check, id_checks, sift
from recsys.data.columns import EventColumns
from recsys.data.events import EVENT_SCHEMA
from recsys.data.guess import EVENT_TYPE_NAMES, bare
from recsys.data.mapping import EventMapping
from recsys.data.raw import ROW, RawBatch
from recsys.data.rejects import FILTERED
from recsys.data.times import parse_times
from recsys.types import VISITOR_PREFIX, EventType

FUTURE_TOLERANCE = timedelta(days=1)
"""Clocks and zones are wrong by this much in honest data; later events are rejected."""

ZONED = "__zoned__"
"""Boolean column: the time named its zone."""

IDS = ("event_id", "customer_id", "session_id", "basket_id", "item_id", "offer_id")
_TEXTS = ("channel", "attribution_token", "properties")
_NUMBERS = ("quantity", "unit_price", "value")
_RAW_TIME, _IS_RETURN, _WANTS = "__time__", "__return__", "__wants__"
_WITHOUT_ITEM = (
    EventType.SEARCH,
    EventType.IMPRESSION,
    EventType.EMAIL_OPEN,
    EventType.EMAIL_CLICK,
    EventType.OFFER_SHOWN,
    EventType.OFFER_REDEEMED,
    EventType.SURVEY,
)
_NEEDS_ITEM = [kind.value for kind in EventType if kind not in _WITHOUT_ITEM]


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
        now: events later than this, by more than `FUTURE_TOLERANCE`, are rejected.
    """
    rows = batch.rows
    table = _with_constants(rows, columns)
    sources = {**columns.found, **{ours: f"__{ours}__" for ours in columns.constants}}
    times = parse_times(table[sources["event_time"]], mapping)
    types = dict(table.schema)
    table = table.with_columns(times.utc.alias("__utc__"), times.zoned.alias(ZONED))

    def cell(ours: str, read: Callable[[str, pl.DataType], pl.Expr]) -> pl.Expr:
        source = sources.get(ours)
        found = pl.lit(None, pl.String) if source is None else read(source, types[source])
        return found.alias(ours)

    def read_id(ours: str) -> pl.Expr:
        whole = ours in mapping.whole_number_ids
        return cell(ours, lambda c, t: cells.identifier(c, t, mapping, whole_number=whole))

    def read_text(ours: str) -> pl.Expr:
        return cell(ours, lambda c, t: cells.text(c, t, mapping))

    def read_number(ours: str) -> pl.Expr:
        return cell(ours, lambda c, t: cells.number(c, t, mapping)).cast(pl.Float64)

    canonical = table.select(
        ROW,
        ZONED,
        *(read_id(ours) for ours in (*IDS, "visitor_id")),
        *(read_text(ours) for ours in _TEXTS if not (ours == "properties" and mapping.properties)),
        *_packed(mapping),
        *(read_number(ours) for ours in _NUMBERS),
        *(_raw(ours, sources) for ours in _NUMBERS),
        read_text("event_type"),
        pl.col("__utc__").alias("event_time"),
        pl.col(sources["event_time"]).cast(pl.String, strict=False).alias(_RAW_TIME),
        _told_return(mapping, types).alias(_IS_RETURN),
        _line_value(mapping, types).alias("__line__"),
    )
    canonical = _settled(canonical, mapping)
    good, bad = sift(canonical, _checks(mapping, now))
    events = good.select(ROW, ZONED, *EVENT_SCHEMA)
    return EventBatch(events, pl.concat([batch.broken, bad]))


def _with_constants(rows: pl.DataFrame, columns: EventColumns) -> pl.DataFrame:
    return rows.with_columns(
        pl.lit(value).alias(f"__{ours}__") for ours, value in columns.constants.items()
    )


def _raw(ours: str, sources: dict[str, str]) -> pl.Expr:
    source = sources.get(ours)
    cell = pl.lit(None, pl.String) if source is None else pl.col(source)
    return cell.cast(pl.String, strict=False).alias(f"__raw_{ours}__")


def _packed(mapping: EventMapping) -> list[pl.Expr]:
    if not mapping.properties:
        return []
    return [pl.struct(mapping.properties).struct.json_encode().alias("properties")]


def _told_return(mapping: EventMapping, types: dict[str, pl.DataType]) -> pl.Expr:
    column, prefix = mapping.returns.column, mapping.returns.prefix
    if column is None or prefix is None:
        return pl.lit(value=False)
    told = cells.text(column, types[column], mapping).str.starts_with(prefix)
    return told.fill_null(value=False)


def _line_value(mapping: EventMapping, types: dict[str, pl.DataType]) -> pl.Expr:
    if mapping.line_value is None:
        return pl.lit(None, pl.Float64)
    return cells.number(mapping.line_value, types[mapping.line_value], mapping)


def _settled(rows: pl.DataFrame, mapping: EventMapping) -> pl.DataFrame:
    """Names event types and visitors, and settles returns, quantities and prices."""
    kinds = _type_names(rows["event_type"], mapping)
    quantity, kind = pl.col("quantity"), pl.col("event_type")
    rows = rows.with_columns(
        kind.replace_strict(kinds, return_dtype=pl.String),
        quantity.fill_null(1.0),
        pl.coalesce("customer_id", VISITOR_PREFIX + pl.col("visitor_id")),
        pl.col("customer_id").str.starts_with(VISITOR_PREFIX).alias("__reserved__"),
    )
    returned = pl.col(_IS_RETURN)
    if mapping.returns.negative_quantity:
        returned = returned | (quantity < 0)
    returned = (returned & (kind == EventType.PURCHASE.value)) | (kind == EventType.RETURN.value)
    rows = rows.with_columns(
        pl.when(returned).then(pl.lit(EventType.RETURN.value)).otherwise(kind).alias("event_type"),
        pl.when(returned).then(quantity.abs()).otherwise(quantity).alias("quantity"),
        pl.when(returned).then(pl.col("__line__").abs()).otherwise("__line__").alias("__line__"),
    )
    if mapping.zero_quantity_is_one:
        rows = rows.with_columns(
            pl.when(quantity == 0).then(1.0).otherwise(quantity).alias("quantity")
        )
    if mapping.line_value is not None:
        rows = rows.with_columns(unit_price=pl.col("__line__") / quantity)
    return rows


def _type_names(kinds: pl.Series, mapping: EventMapping) -> dict[str, str]:
    """Returns written event type -> ours; an unknown one keeps its name in kebab-case."""
    given = {bare(theirs): ours for theirs, ours in mapping.event_types.items()}
    names: dict[str, str] = {}
    for written in kinds.drop_nulls().unique().to_list():
        plain = bare(written)
        known = mapping.event_types.get(written) or given.get(plain)
        usual = EVENT_TYPE_NAMES.get(plain)
        names[written] = known or (
            usual.value if usual else "-".join(written.lower().replace("_", " ").split())
        )
    return names


def _checks(mapping: EventMapping, now: datetime) -> list[Check]:
    cell = pl.col
    time, start = cell("event_time"), pl.datetime(1970, 1, 1, time_zone="UTC")
    raw_time, quantity = cell(_RAW_TIME), cell("quantity")
    raw = {ours: cell(f"__raw_{ours}__") for ours in _NUMBERS}
    checks = [
        Check(
            "customer_id",
            "reserved id (begins with visitor/)",
            cell("__reserved__"),
            cell("customer_id"),
        ),
        Check("customer_id", "missing id", cell("customer_id").is_null(), cell("customer_id")),
        Check(
            "event_type", "missing event type", cell("event_type").is_null(), cell("event_type")
        ),
        Check(
            "item_id",
            "missing id",
            cell("item_id").is_null() & cell("event_type").is_in(_NEEDS_ITEM),
            cell("event_type"),
        ),
        Check("event_time", "missing time", time.is_null() & raw_time.is_null(), raw_time),
        Check("event_time", "bad time", time.is_null(), raw_time),
        Check("event_time", "time before 1970", time < start, raw_time),
        Check("event_time", "time in the future", time > pl.lit(now + FUTURE_TOLERANCE), raw_time),
    ]
    for ours in IDS:
        checks += id_checks(ours)
    checks += [Check(ours, "bad number", cell(ours).is_nan(), raw[ours]) for ours in _NUMBERS]
    checks += [
        Check("quantity", "zero quantity", quantity == 0, raw["quantity"]),
        Check("quantity", "negative quantity", quantity < 0, raw["quantity"]),
        Check("unit_price", "negative price", cell("unit_price") < 0, cell("unit_price")),
    ]
    return checks + _rules(mapping)


def _rules(mapping: EventMapping) -> list[Check]:
    checks: list[Check] = []
    for ours, rule in mapping.require.items():
        cell = pl.col(ours)
        if rule.pattern is not None:
            wanted = cell.str.contains(rule.pattern)
            reason = f"{FILTERED}: does not match {rule.pattern}"
            checks.append(Check(ours, reason, ~wanted.fill_null(value=False), cell))
        if rule.above is not None:
            wanted = cell > rule.above
            reason = f"{FILTERED}: not above {rule.above:g}"
            checks.append(Check(ours, reason, ~wanted.fill_null(value=False), cell))
    return checks
