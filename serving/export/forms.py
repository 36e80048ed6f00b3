"""Rows as files: Parquet, JSON Lines, or CSV without lists."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
from polars.datatypes import DataTypeClass

from recsys.data.durable import sync
from recsys.data.plain_numbers import csv_table, json_value
from serving.export.job import Format

SUFFIXES: Mapping[Format, str] = {"parquet": ".parquet", "csv": ".csv", "jsonl": ".jsonl"}

_Type: TypeAlias = pl.DataType | DataTypeClass


def write_rows(
    rows: Sequence[Mapping[str, Any]],
    schema: Mapping[str, pl.DataType],
    form: Format,
    path: Path,
    *,
    places: int = 0,
) -> None:
    """Writes rows, at least none; they are on disk when it returns.

    Args:
        rows: with values by column; one that is missing is null.
        schema: the columns, in order.
        form: of the file.
        path: of the file.
        places: of CSV: items of a row, each in columns of its own.
    """
    if form == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{_line(row, schema)}\n" for row in rows)
    else:
        frame = pl.DataFrame(list(rows), schema=dict(schema), orient="row")
        if form == "parquet":
            frame.write_parquet(path)
        else:
            csv_table(_flat(frame, schema, places)).write_csv(path)
    sync(path)


def _line(row: Mapping[str, Any], schema: Mapping[str, pl.DataType]) -> str:
    whole = _whole(row, schema)
    return json.dumps(json_value(whole), ensure_ascii=False, separators=(",", ":"))


def _whole(row: Mapping[str, Any], schema: Mapping[str, _Type]) -> dict[str, Any]:
    """Returns a row with exactly the columns of a schema, those of structs within too."""
    return {name: _value(row.get(name), dtype) for name, dtype in schema.items()}


def _value(value: Any, dtype: _Type) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, Mapping) and isinstance(dtype, pl.Struct):
        return _whole(value, {each.name: each.dtype for each in dtype.fields})
    if isinstance(value, list | tuple) and isinstance(dtype, pl.List):
        return [_value(each, dtype.inner) for each in value]
    return value


def _flat(frame: pl.DataFrame, schema: Mapping[str, pl.DataType], places: int) -> pl.DataFrame:
    """Returns a table without lists: columns `item_1_id`, `item_1_title`, ... for every place."""
    cells: list[pl.Expr] = []
    for name, dtype in schema.items():
        if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
            continue
        if isinstance(dtype, pl.Struct):
            cells += [
                pl.col(name).struct.field(each.name).alias(f"{name}_{_short(each.name, name)}")
                for each in dtype.fields
            ]
        else:
            cells.append(pl.col(name))
    items = schema.get("items")
    if isinstance(items, pl.List) and isinstance(items.inner, pl.Struct):
        cells += [
            _cell(
                pl.col("items").list.get(place, null_on_oob=True).struct.field(each.name), each
            ).alias(f"item_{place + 1}_{_short(each.name, 'item')}")
            for place in range(places)
            for each in items.inner.fields
            if each.name != "rank"
        ]
    return frame.select(cells)


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(f"{prefix}_")


def _cell(value: pl.Expr, field: pl.Field) -> pl.Expr:
    """Returns what a cell of a table can hold; parts of a list stand one behind the other."""
    if isinstance(field.dtype, pl.List):
        return value.cast(pl.List(pl.String)).list.join(" > ")
    if field.dtype == pl.Datetime:
        return value.dt.to_string("iso:strict")
    return value
