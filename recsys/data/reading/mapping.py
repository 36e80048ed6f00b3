"""The mapping file: how a retailer's columns and values become ours."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from recsys.config import StrictModel, read_toml, validated
from recsys.data.reading.guess import CUSTOMER_NAMES, EVENT_NAMES, ITEM_NAMES

MISSING_TEXTS = ("", "NULL", "null", "NaN", "nan", "None", "\\N")
"""Texts that mean "no value" in exports of databases and data frames."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        message = f"{name!r} is not a time zone (say Europe/London)"
        raise ValueError(message) from None
    return name


def _valid_pattern(pattern: str) -> str:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        message = f"not a regular expression: {error}"
        raise ValueError(message) from None
    return pattern


def _check_names(used: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(used) - set(known))
    if unknown:
        message = f"{', '.join(unknown)}: not a column of ours ({', '.join(known)})"
        raise ValueError(message)


Columns = tuple[str, ...]
Zone = Annotated[str, AfterValidator(_known_zone)]
Pattern = Annotated[str, AfterValidator(_valid_pattern)]


class FileMapping(StrictModel):
    """What every table has."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """Between the fields of a CSV; default: guessed."""
    quote: str = Field(default='"', max_length=1)
    """Around fields of a CSV; empty: quotes mean nothing."""
    missing: Columns = MISSING_TEXTS
    """Texts that mean "no value"."""
    decimal_comma: bool = False
    """Numbers are written 1,50."""
    whole_number_ids: Columns = ()
    """Our id columns in which `17850.0` is the id `17850`."""
    zone: Zone = "UTC"
    """Times that carry no zone are in this one."""
    time_format: str | None = None
    """How times are written (`%d/%m/%Y %H:%M`); default: ISO 8601 or Unix seconds, ms, us, ns."""


class Rule(StrictModel):
    """Which rows are wanted, by one of our columns; the others are rejected with the reason."""

    pattern: Pattern | None = None
    """A regular expression that the text must contain."""
    above: float | None = None
    """The number must be greater than this."""


class Returns(StrictModel):
    """Which rows are returns although no event type says so."""

    negative_quantity: bool = False
    """A negative quantity is a return of so many."""
    column: str | None = None
    """The retailer's column that tells a return by how its text begins."""
    prefix: str | None = Field(default=None, min_length=1)
    """How it begins."""

    @model_validator(mode="after")
    def _column_with_prefix(self) -> Self:
        if (self.column is None) != (self.prefix is None):
            message = "column and prefix belong together"
            raise ValueError(message)
        return self


class EventMapping(FileMapping):
    """How events are read."""

    columns: dict[str, str] = Field(default={})
    """Our column -> the retailer's; `visitor_id` counts as one of ours."""
    constants: dict[str, str] = Field(default={})
    """Our column -> the same text for every row."""
    event_types: dict[str, str] = Field(default={})
    """The retailer's event type -> ours, beyond the usual names."""
    properties: Columns = ()
    """The retailer's columns to keep, packed as one JSON object."""
    line_value: str | None = None
    """The retailer's column with the value of the whole line: unit price times quantity."""
    zero_quantity_is_one: bool = False
    """A quantity of 0 counts as 1 (coupon lines); default: rejected."""
    returns: Returns = Returns()
    require: dict[str, Rule] = Field(default={})
    """Our column -> which rows are wanted."""

    @model_validator(mode="after")
    def _ours_are_ours(self) -> Self:
        _check_names((*self.columns, *self.constants, *self.require), EVENT_NAMES)
        twice = sorted(self.columns.keys() & self.constants.keys())
        if self.line_value is not None and "unit_price" in {*self.columns, *self.constants}:
            twice.append("unit_price")
        if self.properties and "properties" in {*self.columns, *self.constants}:
            twice.append("properties")
        if twice:
            message = f"{', '.join(twice)}: is given in two ways"
            raise ValueError(message)
        return self


class ItemMapping(FileMapping):
    """How items are read."""

    columns: dict[str, str | Columns] = Field(default={})
    """Our column -> the retailer's, or several: a category path, a title's words."""
    category_separator: str = Field(default=">", min_length=1)
    """Between the steps of a category path in one text."""
    tags_separator: str = Field(default="|", min_length=1)
    """Between tags in one text."""
    drop: Columns = ()
    """The retailer's columns to leave out; all others become attributes."""
    require: dict[str, Rule] = Field(default={})
    """Our column -> which rows are wanted; only columns that hold one text or number."""

    @model_validator(mode="after")
    def _ours_are_ours(self) -> Self:
        _check_names(self.columns, ITEM_NAMES)
        _check_names(self.require, ITEM_NAMES.keys() - {"category", "markets", "tags"})
        return self


class CustomerMapping(FileMapping):
    """How customers are read."""

    columns: dict[str, str] = Field(default={})
    """Our column -> the retailer's."""
    drop: Columns = ()
    """The retailer's columns to leave out; all others become attributes."""

    @model_validator(mode="after")
    def _ours_are_ours(self) -> Self:
        _check_names(self.columns, CUSTOMER_NAMES)
        return self


class Mapping(StrictModel):
    """A whole mapping file; every part may be left out."""

    max_reject_rate: float = Field(default=0.05, ge=0, le=1)
    """A larger share of rejected rows fails the load; what `require` leaves out does not count."""
    events: EventMapping = EventMapping()
    items: ItemMapping = ItemMapping()
    customers: CustomerMapping = CustomerMapping()


def load_mapping(path: Path | None) -> Mapping:
    """Reads a mapping file; None: everything is guessed.

    Raises:
        ConfigError: the file is missing, not TOML, or says something unknown.
    """
    if path is None:
        return Mapping()
    return validated(Mapping, read_toml(path), where=str(path))
