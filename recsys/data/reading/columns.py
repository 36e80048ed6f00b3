"""Settles which of the retailer's columns is which of ours, and explains it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recsys.data.reading.guess import EVENT_NAMES, guess_columns
from recsys.data.reading.mapping import EventMapping
from recsys.errors import DataError
from recsys.types import EventType


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """Where one of our columns comes from."""

    ours: str
    source: str
    """The retailer's column or columns, or the constant."""
    how: str
    """`mapping`, `guessed`, `constant` or `default`."""


def match_columns(
    file: Path,
    columns: tuple[str, ...],
    given: Mapping[str, tuple[str, ...]],
    names: Mapping[str, tuple[str, ...]],
    *,
    taken: Iterable[str] = (),
) -> tuple[dict[str, tuple[str, ...]], tuple[MappedColumn, ...]]:
    """Returns our column -> the file's columns, given or guessed, and how each was found.

    Args:
        file: named in errors.
        columns: the file's columns.
        given: our column -> columns that the mapping names.
        names: our column -> what it may be called.
        taken: our columns that need none (constants).

    Raises:
        DataError: the mapping names a column that the file does not have.
    """
    for ours, theirs in given.items():
        require_columns(file, columns, theirs, f"columns.{ours}")
    used = {column for theirs in given.values() for column in theirs}
    free = [column for column in columns if column not in used]
    wanted = {ours: by for ours, by in names.items() if ours not in given and ours not in taken}
    guessed = {ours: (column,) for ours, column in guess_columns(free, wanted).items()}
    either = {**guessed, **given}
    found = {ours: either[ours] for ours in names if ours in either}
    notes = tuple(
        MappedColumn(ours, " + ".join(theirs), "mapping" if ours in given else "guessed")
        for ours, theirs in found.items()
    )
    return found, notes


def require_columns(
    file: Path, columns: tuple[str, ...], wanted: Iterable[str], setting: str
) -> None:
    """Checks that the file has the columns that a setting of the mapping names.

    Raises:
        DataError: it has not; the text lists what it has.
    """
    for column in wanted:
        if column not in columns:
            message = (
                f"{file}: has no column {column!r}, which the mapping names in {setting}; "
                f"its columns are {', '.join(columns)}"
            )
            raise DataError(message, file=str(file), column=column)


class Announce(Protocol):
    """Hears where the columns of a table come from, before its rows are read."""

    def __call__(self, table: str, columns: tuple[MappedColumn, ...]) -> None:
        """Takes `events`, `items` or `customers`, and the columns of the table's first file."""


def unannounced(table: str, columns: tuple[MappedColumn, ...]) -> None:
    """Is an `Announce` that tells nobody."""
    del table, columns


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Where each event column of one file comes from."""

    found: Mapping[str, str]
    """Our column -> the file's; under `unit_price` the line's value, where the mapping has one."""
    constants: Mapping[str, str]
    notes: tuple[MappedColumn, ...]


def match_event_columns(
    file: Path, columns: tuple[str, ...], mapping: EventMapping
) -> EventColumns:
    """Settles the columns of an events file; without an event type, every row is a purchase.

    Raises:
        DataError: a needed column is missing; the text says how to name it.
    """
    given = {ours: (column,) for ours, column in mapping.columns.items()}
    if mapping.line_value is not None:
        require_columns(file, columns, [mapping.line_value], "line_value")
    require_columns(file, columns, mapping.properties, "properties")
    if mapping.returns.column is not None:
        require_columns(file, columns, [mapping.returns.column], "returns.column")
    taken = [*mapping.constants, *(["unit_price"] if mapping.line_value else [])]
    if mapping.properties:
        taken.append("properties")
    matched, notes = match_columns(file, columns, given, EVENT_NAMES, taken=taken)
    found = {ours: theirs[0] for ours, theirs in matched.items()}
    constants = dict(mapping.constants)
    more = [MappedColumn(ours, repr(value), "constant") for ours, value in constants.items()]
    if mapping.line_value is not None:
        found["unit_price"] = mapping.line_value
        more.append(MappedColumn("unit_price", f"{mapping.line_value} / quantity", "mapping"))
    if mapping.properties:
        more.append(MappedColumn("properties", " + ".join(mapping.properties), "mapping"))
    have = {*found, *constants}
    needed = ["event_time"]
    if "visitor_id" not in have:
        needed.append("customer_id")
    if "event_type" not in have:
        constants["event_type"] = EventType.PURCHASE.value
        more.append(MappedColumn("event_type", repr(EventType.PURCHASE.value), "default"))
        needed.append("item_id")
    missing = [ours for ours in EVENT_NAMES if ours in needed and ours not in have]
    if missing:
        raise missing_columns(file, columns, missing, "events")
    return EventColumns(found, constants, (*notes, *more))


def missing_columns(
    file: Path, columns: tuple[str, ...], missing: list[str], table: str
) -> DataError:
    """Returns the error for needed columns that none of the file's was recognised as."""
    if len(columns) == 1:
        message = (
            f"{file}: found one column, {columns[0][:200]!r}: is it cut by another delimiter? "
            f'Say which: --delimiter "...", or in the mapping file: [{table}] delimiter = "..."'
        )
    else:
        lines = "".join(f'  {ours} = "..."' for ours in missing)
        message = (
            f"{file}: no column was recognised as {' or '.join(missing)}; its columns are "
            f"{', '.join(columns)}. Name it in the mapping file:  [{table}.columns]{lines}"
        )
    return DataError(message, file=str(file), column=",".join(missing))
