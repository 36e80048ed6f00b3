"""Reads one part of pre-split data: a file, or the rows of it that belong to the part."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.event_names import canonical_event_type
from recsys.data.reading import cells
from recsys.data.reading.ids import marked_for
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.raw import ROW, RawTable
from recsys.data.reading.readers import find_files, open_table
from recsys.data.reading.times import parse_times
from recsys.errors import DataError
from recsys.protocols.shapes import ORDER, SPLIT, Shape, found_columns, shape_of

SELECTS = "::"
"""Between a file's name and which of its rows are meant: `baskets.parquet::split=train`."""

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "validate", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
"""What a part is called in a column `split`."""

_MAPPING = FileMapping()
_IDS = ("customer_id", "item_id")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of one part."""

    source: str
    """Where they come from, as the user said it."""
    shape: Shape
    rows: pl.DataFrame
    """customer_id, item_id (String), session_id (where the file has it) and what the shape has:
    basket_no or position (Int64), or event_time (`TIME`) and event_type (String, null where the
    file has no such column)."""


def read_table(source: str | Path, part: str | None = None) -> Table:
    """Reads a part.

    Args:
        source: a file, a folder or a pattern; `::column=value` behind it keeps only such rows.
        part: one of `PARTS`: of a file with a column `split`, its rows are meant, unless the
            source says which. None: all rows.

    Raises:
        DataError: the file cannot be read, lacks a column, or a row is not usable; the text
            names file, row and field.
    """
    name, _, selection = str(source).partition(SELECTS)
    tables: list[pl.DataFrame] = []
    shapes: dict[Shape, Path] = {}
    for file in find_files(name):
        opened = open_table(file)
        found = _columns(file, opened)
        shapes.setdefault(shape_of(found), file)
        tables += _converted(opened, found, _wanted(file, opened, found, selection, part))
    if len(shapes) > 1:
        told = " and ".join(f"{file} ({shape.value})" for shape, file in shapes.items())
        message = f"{name}: files of several shapes cannot be read together: {told}"
        raise DataError(message, file=name)
    rows = pl.concat(tables) if tables else pl.DataFrame()
    if rows.is_empty():
        message = f"{source}: holds no row{f' of the part {part}' if part else ''}"
        raise DataError(message, file=name)
    return Table(str(source), next(iter(shapes)), rows)


def _columns(file: Path, opened: RawTable) -> dict[str, str]:
    found = found_columns(opened.columns)
    missing = [name for name in _IDS if name not in found]
    if missing:
        message = (
            f"{file}: there is no column {missing[0]} among {', '.join(opened.columns)}; wanted: "
            "customer_id, item_id, and none or one of basket_no, position, event_time"
        )
        raise DataError(message, file=str(file), field=missing[0])
    return found


def _wanted(
    file: Path, opened: RawTable, found: dict[str, str], selection: str, part: str | None
) -> tuple[str, tuple[str, ...]] | None:
    """Returns which values of which column of the file belong to the part, None for all rows."""
    if selection:
        column, equals, value = selection.partition("=")
        if not equals or column not in opened.columns:
            message = (
                f"{file}{SELECTS}{selection}: write {SELECTS}COLUMN=VALUE with one of the columns "
                f"{', '.join(opened.columns)}"
            )
            raise DataError(message, file=str(file))
        return column, (value,)
    if part is not None and SPLIT in found:
        return found[SPLIT], PARTS[part]
    return None


def _converted(
    opened: RawTable, found: dict[str, str], wanted: tuple[str, tuple[str, ...]] | None
) -> Iterator[pl.DataFrame]:
    for batch in opened.batches:
        for row, field, reason, value in batch.broken.iter_rows():
            raise _unusable(opened.file, row, field or "row", reason, value)
        rows = batch.rows
        if wanted is not None:
            column, values = wanted
            rows = rows.filter(pl.col(column).cast(pl.String).str.strip_chars().is_in(values))
        yield _checked(opened.file, rows, found)


def _checked(file: Path, raw: pl.DataFrame, found: dict[str, str]) -> pl.DataFrame:
    shape, schema = shape_of(found), raw.schema
    columns = {
        name: cells.identifier(found[name], schema[found[name]], _MAPPING, whole_number=True)
        for name in (*_IDS, "session_id")
        if name in found
    }
    rows = raw.select(ROW, **columns)
    _refuse_lost_ids(file, rows, raw, {name: found[name] for name in columns})
    needed: list[str] = list(_IDS)
    if shape is not Shape.PAIRS:
        order = ORDER[shape]
        cell = raw[found[order]]
        if shape is Shape.EVENTS:
            values = parse_times(cell, _MAPPING).utc
            kinds = _event_types(raw, found.get("event_type"))
            rows = rows.with_columns(event_type=kinds)
        else:
            number = raw.select(cells.number(found[order], cell.dtype, _MAPPING)).to_series()
            values = number.set(number != number.round(), None).cast(pl.Int64, strict=False)
        rows = rows.with_columns(values.alias(order))
        needed.append(order)
    _refuse_gaps(file, rows, raw, {name: found[name] for name in needed})
    return rows.drop(ROW)


def _event_types(raw: pl.DataFrame, column: str | None) -> pl.Series:
    """Returns our names of event types; one that nobody knows keeps its own, in kebab-case."""
    if column is None:
        return pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    told = raw[column].cast(pl.String)
    names = {name: canonical_event_type(name) for name in told.drop_nulls().unique().to_list()}
    return told.replace_strict(names, default=None, return_dtype=pl.String)


def _refuse_lost_ids(
    file: Path, rows: pl.DataFrame, raw: pl.DataFrame, names: dict[str, str]
) -> None:
    """Fails on the first id that is not the one it was."""
    for name, source in names.items():
        for reason, fails in marked_for(pl.col(name)).items():
            places = rows.select(fails.fill_null(value=False)).to_series().arg_true()
            if len(places):
                place = places[0]
                raise _unusable(file, rows[ROW][place], source, reason, raw[source][place])


def _refuse_gaps(file: Path, rows: pl.DataFrame, raw: pl.DataFrame, names: dict[str, str]) -> None:
    """Fails on the first row without a value that it needs."""
    gaps: Iterable[str] = (name for name in names if rows[name].null_count())
    for name in gaps:
        place = rows[name].is_null().arg_true()[0]
        value = raw[names[name]][place]
        reason = "is empty" if value is None or not str(value).strip() else "cannot be read"
        raise _unusable(file, rows[ROW][place], names[name], reason, value)


def _unusable(file: Path, row: int, field: str, reason: str, value: object) -> DataError:
    told = "" if value is None else f": {str(value)[:100]!r}"
    message = f"{file}: row {row}: {field}: {reason}{told}"
    return DataError(message, file=str(file), row=str(row), field=field)
