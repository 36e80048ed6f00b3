"""Parts of a mapping file: conditions on columns, and how rows are brought into shape."""

import codecs
from collections.abc import Mapping
from datetime import date
from json import dumps
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from recsys.config import StrictModel


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
        reasons = [line for line in str(error).splitlines() if line.startswith("error: ")]
        reason = reasons[0].removeprefix("error: ") if reasons else str(error).partition("\n")[0]
        message = f"{pattern!r} is not a regular expression: {reason}"
        raise ValueError(message) from None
    return pattern


def _valid_time_format(text: str) -> str:
    if "%" not in text:
        message = (
            f"{text!r} has no part that begins with %: write %d.%m.%Y %H:%M for 31.12.2025 18:30 "
            "(%Y year, %m month, %d day, %H hour, %M minute, %S second)"
        )
        raise ValueError(message)
    return text


def _valid_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        message = f"{name!r} is not an encoding (say cp1252, utf-16, cp949)"
        raise ValueError(message) from None
    return name


Columns = tuple[str, ...]
Encoding = Annotated[str, AfterValidator(_valid_encoding)]
TimeFormat = Annotated[str, AfterValidator(_valid_time_format)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Pattern = Annotated[str, AfterValidator(_valid_pattern)]


class Rule(StrictModel):
    """A condition on one column; a row fulfils a rule when every part that is set holds."""

    pattern: Pattern | None = None
    """A regular expression that the text must contain."""
    any_of: Columns = ()
    """The text is one of these; case does not matter."""
    above: float | None = None
    """The number must be greater than this."""
    below: float | None = None
    """The number must be less than this."""
    present: bool | None = None
    """True: there is a value; False: there is none."""

    @model_validator(mode="before")
    @classmethod
    def _is_table(cls, value: object) -> object:
        if not isinstance(value, (Mapping, Rule)):
            message = (
                f"{value!r} is no rule: write a table, such as "
                f"{{ any_of = [{dumps(str(value))}] }} or {{ above = 0 }}"
            )
            raise ValueError(message)  # noqa: TRY004 - pydantic takes it for a wrong field
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == Rule.model_construct():
            message = "an empty rule: set pattern, any_of, above, below or present"
            raise ValueError(message)
        return self


class Mention(StrictModel):
    """Rows that are kept, but of which a person should know."""

    rows: dict[str, Rule] = Field(min_length=1)
    """The retailer's column -> which rows."""
    text: str
    """What to know of them; the report puts their number in front."""


class Explode(StrictModel):
    """Several items in one row: each becomes a row of its own, beside the row's other columns.

    An item's fields become the columns `<name>.<field>`, an item that is one text the column
    `<name>`; `<name>.#` is its place in the row, from 0. A row without items stays, once.
    """

    columns: Columns = Field(min_length=1)
    """Columns that hold items, `*` for any characters (`line_item_*`): lists, or texts."""
    name: str = Field(default="item", min_length=1)
    """Begins the names of the new columns."""
    separator: str = ""
    """Between the items of a text; empty: the text is one item. A JSON array needs none."""
    field_separator: str = ""
    """Between the fields of an item's text (`name:Tea|sku:T1`); empty: it is one value."""
    pair_separator: str = Field(default=":", min_length=1)
    """Between the name and the value of a field."""


class FillDown(StrictModel):
    """An order whose first line alone has what is true of all its lines."""

    by: str
    """Column with the order's number; lines in a row with one number are an order."""
    columns: Columns = Field(min_length=1)
    """Columns whose empty cells take the value of the line above, within an order."""
    first: str | None = None
    """A column that only an order's first line fills: such a line takes nothing from above."""


class OrderTimes(StrictModel):
    """Times for orders that have numbers, and perhaps days between them, but no date.

    Makes the column `<join>.order_time` (or `order_time` in the table itself): the last order of
    every customer lies on the day `last`, earlier ones as many days before it as the file says.
    """

    customer: str
    """Column that says whose order it is."""
    number: str
    """Column with the order's place among those of its customer."""
    days_since_prior: str | None = None
    """Column with the days since the order before; default: one day."""
    hour: str | None = None
    """Column with the hour of the day."""
    last: date = date(2020, 1, 1)
    """Day of every customer's last order."""


class Join(StrictModel):
    """Another file of the same set, whose columns are put beside the rows that share a key.

    Its columns become `<join>.<column>`.
    """

    files: Columns = Field(min_length=1)
    """Names beside the table's own files, `*` for any characters."""
    on: dict[str, str] = Field(min_length=1)
    """Column of the table (or of an earlier join) -> column of the other file."""
    optional: bool = False
    """Without such a file, or without the key's columns, nothing is joined."""
    order_times: OrderTimes | None = None


class Returns(StrictModel):
    """Which rows are returns although no event type says so."""

    negative_quantity: bool = False
    """A negative quantity is a return of so many."""
    column: str | None = None
    """The retailer's column that tells a return by how its text begins."""
    prefix: str | None = Field(default=None, min_length=1)
    """How it begins."""
    when: dict[str, Rule] = Field(default={})
    """The retailer's column -> which rows are returns (a status `refunded`)."""

    @model_validator(mode="after")
    def _column_with_prefix(self) -> Self:
        if (self.column is None) != (self.prefix is None):
            message = "column and prefix belong together"
            raise ValueError(message)
        return self
