"""The free part of an event as text: equal properties give equal text, whatever their order."""

import json

from google.protobuf.struct_pb2 import Struct, Value

EXACT = 2.0**53
"""Whole numbers below this are the same as integer and as double."""


def properties_text(properties: Struct) -> str:
    """Returns JSON with sorted keys and no spaces; nothing if a number is NaN or infinite.

    A protobuf number is a double: whole ones are written as the caller meant them, `3`, not `3.0`.
    """
    try:
        return json.dumps(
            _object(properties),
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
        )
    except ValueError:
        return ""


def _object(properties: Struct) -> dict[str, object]:
    return {name: _plain(value) for name, value in properties.fields.items()}


def _plain(value: Value) -> object:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < EXACT else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _object(value.struct_value)
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    return None
