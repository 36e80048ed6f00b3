"""Attributes of offers as columns: which there are, and what kind of values each has."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import polars as pl

from recsys.data.plain_numbers import json_value, plain
from recsys.errors import DataError
from recsys.offers.offer import Offer

PREFIX = "attribute_"
_EXACT = 2**53
"""Below it every whole number is a float64."""


class AttributeKind(StrEnum):
    """What a column of attributes holds."""

    TEXT = "text"
    """Also where values are of several kinds; lists and tables as JSON."""
    NUMBER = "number"
    FLAG = "flag"

    @property
    def dtype(self) -> pl.DataType:
        """Returns the type of the column."""
        return {"text": pl.String(), "number": pl.Float64(), "flag": pl.Boolean()}[self.value]


def kinds_of(offers: Iterable[Offer]) -> dict[str, AttributeKind]:
    """Returns the attributes of some offers by name, in alphabetical order."""
    found: dict[str, set[AttributeKind]] = {}
    for offer in offers:
        for name, value in offer.attributes.items():
            kinds = found.setdefault(name, set())
            if value is not None:
                kinds.add(_kind(value))
    return {
        name: next(iter(kinds)) if len(kinds) == 1 else AttributeKind.TEXT
        for name, kinds in sorted(found.items())
    }


def attribute_columns(offer: Offer, kinds: Mapping[str, AttributeKind]) -> dict[str, Any]:
    """Returns the columns of an offer's attributes; null where it lacks one.

    Raises:
        DataError: the offer was changed since the kinds were looked at, to values of another.
    """
    return {f"{PREFIX}{name}": _value(offer, name, kind) for name, kind in kinds.items()}


def attribute_types(kinds: Mapping[str, AttributeKind]) -> dict[str, pl.DataType]:
    """Returns the types of the same columns."""
    return {f"{PREFIX}{name}": kind.dtype for name, kind in kinds.items()}


def _value(offer: Offer, name: str, kind: AttributeKind) -> Any:  # noqa: ANN401  JSON
    value = offer.attributes.get(name)
    if value is None or kind is AttributeKind.TEXT:
        return _text(value)
    if _kind(value) is not kind:
        message = (
            f"offer {offer.offer_id!r}: its attribute {name!r} was a {kind.value} when this "
            f"began and is {value!r} now: begin anew"
        )
        raise DataError(message, offer_id=offer.offer_id)
    return plain(float(value)) if kind is AttributeKind.NUMBER else value


def _kind(value: object) -> AttributeKind:
    if isinstance(value, bool):
        return AttributeKind.FLAG
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _EXACT):
        return AttributeKind.NUMBER
    return AttributeKind.TEXT


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(json_value(value), ensure_ascii=False)
