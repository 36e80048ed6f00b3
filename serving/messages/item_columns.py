"""From items of the contract to columns of the catalogue, all checked before any is kept."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

import polars as pl
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.data.events import ITEM_SCHEMA, TIME
from recsys.errors import FieldViolation, InvalidItemError, InvalidQueryError
from recsys.live.changed_rows import TEXTS, type_of
from recsys.store.catalogue import ItemColumns, written
from recsys.v1.catalog_service_pb2 import Item, MarketOffer
from serving.messages.limits import MAX_ID_BYTES, MAX_TIME_S, check_count, text_fault

MAX_ITEMS = 1_000
MAX_TITLE_BYTES = 4_096
MAX_STEPS = 16
MAX_MARKETS = 300
MAX_TAGS = 100
MAX_ATTRIBUTES = 200
MAX_ATTRIBUTE_BYTES = 4_096
MAX_COLUMNS = 500
"""Of a whole catalogue: every attribute that any item has is one."""
MAX_ITEM_BYTES = 65_536
"""As JSON text."""

ATTRIBUTES = "attributes."
CREATED_AT = "created_at"
_Text: TypeAlias = Literal["group_id", "title", "brand"]
_Price: TypeAlias = Literal["price", "list_price", "cost"]
_TEXTS: Mapping[_Text, int] = {
    "group_id": MAX_ID_BYTES,
    "title": MAX_TITLE_BYTES,
    "brand": MAX_ID_BYTES,
}
_LISTS = {"category": MAX_STEPS, "tags": MAX_TAGS}
_PRICES: Sequence[_Price] = ("price", "list_price", "cost")
PATHS = (*_TEXTS, *_LISTS, *_PRICES, "available", "markets", "create_time")
"""What an update mask may name besides attributes."""
_NANOS_PER_S = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Schema = Mapping[str, pl.DataType]


def to_columns(
    items: Sequence[Item], mask: Sequence[str], schema: Schema
) -> tuple[list[ItemColumns], bool]:
    """Returns what is to be stored of items, and whether it is all of each.

    Args:
        items: as they came.
        mask: paths to change; none: all.
        schema: of the catalogue that answers.

    Raises:
        InvalidQueryError: there are too many items, or none, or the mask names no column.
        InvalidItemError: a field of an item is wrong.
    """
    if not items:
        raise InvalidQueryError("items", "must have at least one element")
    check_count(items, "items", MAX_ITEMS)
    paths = _checked_mask(mask)
    types = dict(schema)
    violations, columns, seen = [], [], set()
    for place, item in enumerate(items):
        path = f"items[{place}]"
        violations += [
            FieldViolation(f"{path}.{field}", fault) for field, fault in _faults(item, types)
        ]
        if item.item_id in seen:
            violations.append(FieldViolation(f"{path}.item_id", "must stand once in a request"))
        seen.add(item.item_id)
        if not violations:
            columns.append(_stored(item, paths, types))
            if len(written(columns[-1].columns).encode()) > MAX_ITEM_BYTES:
                violations.append(FieldViolation(path, f"must be at most {MAX_ITEM_BYTES} bytes"))
    if violations:
        raise InvalidItemError(violations)
    return columns, not paths


def _checked_mask(mask: Sequence[str]) -> tuple[str, ...]:
    check_count(mask, "update_mask", MAX_COLUMNS)
    for path in mask:
        name = path.removeprefix(ATTRIBUTES)
        if path not in PATHS and (name == path or _name_fault(name)):
            text = f"{path[:MAX_ID_BYTES]!r} is no column that can be changed"
            raise InvalidQueryError("update_mask", text)
    return tuple(dict.fromkeys(mask))


def _faults(item: Item, types: dict[str, pl.DataType]) -> Iterator[tuple[str, str]]:
    if fault := text_fault(item.item_id):
        yield "item_id", fault
    for text, most in _TEXTS.items():
        if item.HasField(text) and (fault := text_fault(getattr(item, text), most)):
            yield text, fault
    for texts, count in _LISTS.items():
        yield from _list_faults(texts, getattr(item, texts), count)
    for price in _PRICES:
        if item.HasField(price) and not 0 <= getattr(item, price) < math.inf:
            yield price, "must be a number of 0 or more"
    yield from _market_faults(item.markets)
    if item.HasField("create_time"):
        yield from _time_faults(item.create_time)
    yield from _attribute_faults(item.attributes, types)


def _time_faults(time: Timestamp) -> Iterator[tuple[str, str]]:
    if not 0 <= time.seconds <= MAX_TIME_S:
        yield "create_time", "must lie in the years 1970 to 9999"
    elif not 0 <= time.nanos < _NANOS_PER_S:
        yield "create_time", "must have 0 to 999,999,999 nanoseconds"


def _list_faults(field: str, values: Sequence[str], most: int) -> Iterator[tuple[str, str]]:
    if len(values) > most:
        yield field, f"must have at most {most} elements"
    for place, text in enumerate(values):
        if fault := text_fault(text):
            yield f"{field}[{place}]", fault


def _market_faults(markets: Sequence[MarketOffer]) -> Iterator[tuple[str, str]]:
    if len(markets) > MAX_MARKETS:
        yield "markets", f"must have at most {MAX_MARKETS} elements"
    seen = set()
    for place, offer in enumerate(markets):
        if fault := text_fault(offer.market):
            yield f"markets[{place}].market", fault
        elif offer.market in seen:
            yield f"markets[{place}].market", "must stand once in an item"
        seen.add(offer.market)
        if offer.HasField("price") and not 0 <= offer.price < math.inf:
            yield f"markets[{place}].price", "must be a number of 0 or more"


def _attribute_faults(
    attributes: Struct, types: dict[str, pl.DataType]
) -> Iterator[tuple[str, str]]:
    """Yields what is wrong; a column that is new gets its type from the first of its values."""
    if len(attributes.fields) > MAX_ATTRIBUTES:
        yield "attributes", f"must have at most {MAX_ATTRIBUTES} elements"
        return
    for name, value in sorted(attributes.fields.items()):
        if fault := _name_fault(name):
            yield "attributes", fault
            continue
        field = f"{ATTRIBUTES}{name}"
        plain = _plain(value)
        if plain is None and value.WhichOneof("kind") not in (None, "null_value"):
            yield field, "must be a text, a number, a boolean or a list of texts"
        elif fault := _value_fault(plain) or _type_fault(name, plain, types):
            yield field, fault


def _name_fault(name: str) -> str | None:
    if fault := text_fault(name):
        return f"has a name that {fault}"
    if name in ITEM_SCHEMA or name == "create_time":
        return f"must not be named {name!r}: the item has a field of its own for it"
    return None


def _value_fault(plain: Any) -> str | None:  # noqa: ANN401  one of several types
    if isinstance(plain, float) and not math.isfinite(plain):
        return "must be a finite number"
    for text in [plain] if isinstance(plain, str) else plain if isinstance(plain, list) else ():
        if len(text.encode()) > MAX_ATTRIBUTE_BYTES:
            return f"must be at most {MAX_ATTRIBUTE_BYTES} bytes"
    return None


def _type_fault(
    name: str,
    plain: Any,  # noqa: ANN401  one of several types
    types: dict[str, pl.DataType],
) -> str | None:
    if plain is None:
        return None
    dtype = types.get(name)
    if dtype is None:
        found = type_of(plain)
        if found is not None and len(types) >= MAX_COLUMNS:
            return f"is a new column, and the catalogue has {MAX_COLUMNS} of them"
        if found is not None:
            types[name] = found
        return None
    wanted, fits = _KINDS[str(dtype)]
    return None if fits(plain) else f"must be {wanted}, as the column is in the catalogue"


def _stored(item: Item, paths: Sequence[str], schema: Schema) -> ItemColumns:
    given = _given(item, schema)
    if not paths:
        return ItemColumns(item.item_id, given)
    names = [
        CREATED_AT if path == "create_time" else path.removeprefix(ATTRIBUTES) for path in paths
    ]
    return ItemColumns(item.item_id, {name: given.get(name) for name in names})


def _given(item: Item, schema: Schema) -> dict[str, Any]:
    """Returns the columns that the item says something of."""
    columns: dict[str, Any] = {
        field: getattr(item, field) for field in (*_TEXTS, *_PRICES) if item.HasField(field)
    }
    if item.HasField("available"):
        columns["available"] = item.available
    columns |= {field: list(getattr(item, field)) for field in _LISTS if getattr(item, field)}
    if item.markets:
        columns["markets"] = [
            {
                "market": offer.market,
                "available": offer.available if offer.HasField("available") else None,
                "price": offer.price if offer.HasField("price") else None,
            }
            for offer in item.markets
        ]
    if item.HasField("create_time"):
        columns[CREATED_AT] = item.create_time.ToMicroseconds()
    for name, value in item.attributes.fields.items():
        plain = _plain(value)
        if plain is not None and schema.get(name) == TIME:
            plain = (datetime.fromisoformat(plain).astimezone(UTC) - _EPOCH) // _MICROSECOND
        columns[name] = plain
    return columns


def _plain(value: Value) -> Any:  # noqa: ANN401  one of several types
    """Returns a text, number, boolean or list of texts; None for null and for all else."""
    kind = value.WhichOneof("kind")
    if kind in ("string_value", "number_value", "bool_value"):
        return getattr(value, kind)
    if kind == "list_value":
        parts = value.list_value.values
        if all(part.WhichOneof("kind") == "string_value" for part in parts):
            return [part.string_value for part in parts]
    return None


def _is_time(plain: Any) -> bool:  # noqa: ANN401  one of several types
    try:
        moment = datetime.fromisoformat(plain)
    except (TypeError, ValueError):
        return False
    return moment.tzinfo is not None


_KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    str(pl.String()): ("a text", lambda plain: isinstance(plain, str)),
    str(pl.Boolean()): ("a boolean", lambda plain: isinstance(plain, bool)),
    str(pl.Float64()): ("a number", lambda plain: isinstance(plain, float)),
    str(pl.Int64()): (
        "a whole number",
        lambda plain: isinstance(plain, float) and plain.is_integer() and abs(plain) < 2.0**53,
    ),
    str(TEXTS): ("a list of texts", lambda plain: isinstance(plain, list)),
    str(TIME): ("a time such as '2026-11-22T08:00:00Z'", _is_time),
}
