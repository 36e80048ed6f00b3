"""From what the store holds of items to rows of the catalogue."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import polars as pl

from recsys.data.events import TIME
from recsys.store.catalogue import ItemRow

Schema = Mapping[str, pl.DataType]
TEXTS = pl.List(pl.String)
_KEPT_UNLESS_GIVEN = "created_at"
"""An item that is replaced keeps the time at which it came."""
_EMPTY_IN_REMOVED = ("available", "markets")


def contents(rows: Sequence[ItemRow]) -> list[dict[str, Any]]:
    """Returns the given columns of each row."""
    return [json.loads(row.content) for row in rows]


def further_columns(given: Sequence[Mapping[str, Any]], schema: Schema) -> dict[str, pl.DataType]:
    """Returns the columns that rows have beside `schema`; the first value decides the type."""
    found: dict[str, pl.DataType] = {}
    for columns in given:
        for name, value in columns.items():
            if name not in schema and name not in found and (dtype := type_of(value)) is not None:
                found[name] = dtype
    return found


def type_of(value: Any) -> pl.DataType | None:  # noqa: ANN401  JSON
    """Returns the type of a new column by one of its values; None where that says nothing."""
    if isinstance(value, bool):
        return pl.Boolean()
    if isinstance(value, int | float):
        return pl.Float64()
    if isinstance(value, str):
        return pl.String()
    return TEXTS if isinstance(value, list) and value else None


def laid_over(
    rows: Sequence[ItemRow], given: Sequence[Mapping[str, Any]], base: pl.DataFrame
) -> pl.DataFrame:
    """Returns the rows of changed items as they are now.

    A value that is not of its column's type is empty: the bundle's catalogue may have come with
    another type than the value was checked against.

    Args:
        rows: of the store.
        given: their columns.
        base: what the bundle has, one row for each, all columns of the result; nulls for an item
            that it does not have.
    """
    if not rows:
        return base
    columns = [
        _column(name, dtype, rows, given, base)
        for name, dtype in base.schema.items()
        if name != "item_id"
    ]
    ids = pl.Series("item_id", [row.item_id for row in rows], pl.String)
    return pl.DataFrame([ids, *columns]).select(base.columns)


def _column(
    name: str,
    dtype: pl.DataType,
    rows: Sequence[ItemRow],
    given: Sequence[Mapping[str, Any]],
    base: pl.DataFrame,
) -> pl.Series:
    told = [
        name in _EMPTY_IN_REMOVED
        if row.removed
        else name in columns or (row.replaces and name != _KEPT_UNLESS_GIVEN)
        for row, columns in zip(rows, given, strict=True)
    ]
    values = _series(name, dtype, [columns.get(name) for columns in given])
    if name == "available":
        gone = pl.Series([row.removed for row in rows])
        values = values.fill_null(value=True) & ~gone
        return values.zip_with(pl.Series(told), base[name]).fill_null(value=True).alias(name)
    if all(told):
        return values
    return values.zip_with(pl.Series(told), base[name])


def _series(name: str, dtype: pl.DataType, values: Sequence[Any]) -> pl.Series:
    if dtype == TIME:
        whole = [_whole(value) for value in values]
        return pl.Series(name, whole, pl.Int64).cast(TIME)
    fits = _FITTING.get(name if name == "markets" else str(dtype))
    return pl.Series(name, [None if fits is None else fits(value) for value in values], dtype)


def _whole(value: Any) -> int | None:  # noqa: ANN401  JSON
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isfinite(value) and value == int(value) and abs(value) < 2**63 else None


def _number(value: Any) -> float | None:  # noqa: ANN401  JSON
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _text(value: Any) -> str | None:  # noqa: ANN401  JSON
    return value if isinstance(value, str) else None


def _flag(value: Any) -> bool | None:  # noqa: ANN401  JSON
    return value if isinstance(value, bool) else None


def _texts(value: Any) -> list[str] | None:  # noqa: ANN401  JSON
    if not isinstance(value, list):
        return None
    return [text for text in value if isinstance(text, str)]


def _markets(value: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401  JSON
    if not isinstance(value, list):
        return None
    return [
        {
            "market": _text(offer.get("market")),
            "available": _flag(offer.get("available")),
            "price": _number(offer.get("price")),
        }
        for offer in value
    ]


_FITTING = {
    "markets": _markets,
    str(pl.String()): _text,
    str(pl.Float64()): _number,
    str(pl.Int64()): _whole,
    str(pl.Boolean()): _flag,
    str(TEXTS): _texts,
}
