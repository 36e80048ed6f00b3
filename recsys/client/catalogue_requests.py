"""From columns of items to requests of the contract."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from recsys.client import checks
from recsys.client.errors import ArgumentError
from recsys.client.times import to_timestamp
from recsys.errors import FieldViolation, InvalidItemError
from recsys.v1 import catalog_service_pb2 as pb

CREATED_AT = "created_at"
CREATE_TIME = "create_time"
ATTRIBUTES = "attributes"
MARKETS = "markets"
_TEXT_LISTS = ("category", "tags")
_OWN = {
    name: field
    for name, field in pb.Item.DESCRIPTOR.fields_by_name.items()
    if name not in (CREATE_TIME, ATTRIBUTES)
}
"""Columns that the contract names; all others are attributes."""
_CHECKS: Mapping[int, Callable[[str, Any], Any]] = {
    FieldDescriptor.TYPE_STRING: checks.text,
    FieldDescriptor.TYPE_DOUBLE: checks.number,
    FieldDescriptor.TYPE_BOOL: checks.flag,
}


def upsert_request(
    items: Sequence[Mapping[str, object]], columns: Sequence[str]
) -> pb.UpsertItemsRequest:
    """Returns the request that creates or changes items.

    Raises:
        ArgumentError: `items` or `columns` is no list.
        InvalidItemError: a value is none of its column; all wrong columns of an item are named.
    """
    found = checks.elements("items", items, "items, each a mapping of columns")
    paths = [_path(name) for name in checks.texts("columns", columns)]
    messages = [_item(f"items[{place}]", item) for place, item in enumerate(found)]
    return pb.UpsertItemsRequest(items=messages, update_mask=FieldMask(paths=paths))


def _path(name: str) -> str:
    if name == CREATED_AT:
        return CREATE_TIME
    return name if name in _OWN else f"{ATTRIBUTES}.{name}"


def _item(path: str, columns: object) -> pb.Item:
    if not isinstance(columns, Mapping):
        text = f"must be a mapping such as {{'item_id': 'tea-1'}}, {checks.saying(columns)}"
        raise InvalidItemError([FieldViolation(path, text)])
    item, wrong = pb.Item(), list[FieldViolation]()
    for name, value in columns.items():
        if value is None:
            continue
        try:
            _set(item, str(name), f"{path}.{name}", value)
        except ArgumentError as error:
            wrong.extend(error.violations)
    if wrong:
        raise InvalidItemError(wrong)
    return item


def _set(item: pb.Item, name: str, path: str, value: object) -> None:
    """Sets one column.

    Raises:
        ArgumentError: the value is none of the column.
    """
    if name == CREATED_AT:
        item.create_time.CopyFrom(to_timestamp(value, path))
    elif name not in _OWN:
        try:
            item.attributes.MergeFrom(ParseDict({name: value}, Struct()))
        except Exception as error:  # ParseError of protobuf, whatever is inside
            text = f"must be text, a number, a truth value or a list, {checks.saying(value)}"
            raise ArgumentError(path, text) from error
    elif name in _TEXT_LISTS:
        getattr(item, name).extend(checks.texts(path, value))
    elif name == MARKETS:
        _set_markets(item, path, value)
    else:
        setattr(item, name, _CHECKS[_OWN[name].type](path, value))


def _set_markets(item: pb.Item, path: str, value: object) -> None:
    for place, market in enumerate(checks.elements(path, value, "markets")):
        try:
            item.markets.add(**market)
        except (TypeError, ValueError) as error:
            names = ", ".join(pb.MarketOffer.DESCRIPTOR.fields_by_name)
            text = f"must have {names}, {checks.saying(market)}"
            raise ArgumentError(f"{path}[{place}]", text) from error
