"""The mapping file: how a retailer's columns and values become ours."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from recsys.config import StrictModel, read_toml, validated
from recsys.data.event_names import usual_event_type
from recsys.data.reading.file_form import FileForm
from recsys.data.reading.guess import CUSTOMER_NAMES, EVENT_NAMES, ITEM_NAMES
from recsys.data.reading.mapping_parts import (
    Columns,
    Encoding,
    Explode,
    FillDown,
    Join,
    Mention,
    OrderTimes,
    Returns,
    Rule,
    TimeFormat,
    Zone,
)
from recsys.errors import did_you_mean

MISSING_TEXTS = ("", "NULL", "null", "NaN", "nan", "None", "\\N", "(not set)")
"""Texts that mean "no value" in exports of databases, data frames and Google Analytics."""


def _check_names(used: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(used) - set(known))
    if unknown:
        names = list(known)
        hint = did_you_mean(unknown[0], names)
        message = f"{', '.join(unknown)}: not a column of ours ({', '.join(names)}){hint}"
        raise ValueError(message)


class FileMapping(StrictModel):
    """What every table has."""

    files: Columns = ()
    """Of a folder with files of several kinds: the names of this table's, `*` for any."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=3)
    """Between the fields of a CSV (`;`, or `::`); default: guessed."""
    quote: str = Field(default='"', max_length=1)
    """Around fields of a CSV; empty: quotes mean nothing."""
    encoding: Encoding | None = None
    """Of a text file; default: UTF-8, or what the file shows beyond doubt."""
    skip_rows: int = Field(default=0, ge=0)
    """Lines above the header of a CSV that are no part of the table."""
    header: Columns = ()
    """Names of the columns of a CSV whose first line is data."""
    records: str | None = None
    """Key of the list of records in a JSON file that is one object; default: the only list."""
    missing: Columns = MISSING_TEXTS
    """Texts that mean "no value"."""
    missing_in: dict[str, Columns] = Field(default={})
    """The retailer's column -> further texts that mean "no value" in it (`0` for guests)."""
    decimal_comma: bool | None = None
    """True: numbers are written 1.299,50; False: 1,299.50; default: what cannot be told apart,
    as 1,299, is rejected."""
    whole_number_ids: Columns = ()
    """Our id columns in which `17850.0` is the id `17850`."""
    zone: Zone = "UTC"
    """Times that carry no zone are in this one."""
    time_format: TimeFormat | None = None
    """How times are written (`%d/%m/%Y %H:%M`); default: ISO 8601 or Unix seconds, ms, us, ns."""
    more_time_formats: tuple[TimeFormat, ...] = ()
    """Ways of writing times that the usual ones do not read: the one that reads all such times
    counts, if no other reads them differently."""
    id_width: dict[str, Annotated[int, Field(ge=1, le=512)]] = Field(default={})
    """Our id column -> digits: a shorter number gets zeros in front (`108775` is `0108775`)."""
    lower_case_ids: Columns = ()
    """Our id columns in which upper and lower case are one (e-mail addresses)."""
    guess: bool = True
    """Columns with usual names are recognised without being named."""
    optional: Columns = ()
    """The retailer's columns that a file may lack; what names one has no effect then."""
    explode: Explode | None = None
    key_values: Columns = ()
    """Columns that hold lists of keys and values: key `k` of `params` becomes `params.k`."""
    fill_down: FillDown | None = None
    order_times: OrderTimes | None = None
    joins: dict[str, Join] = Field(default={})
    """Name -> another file of the set; later ones may use what earlier ones brought."""
    require: dict[str, Rule] = Field(default={})
    """Column, ours or the retailer's -> which rows are wanted; the others are left out."""
    exclude: dict[str, Rule] = Field(default={})
    """Column, ours or the retailer's -> which rows are left out."""

    @property
    def form(self) -> FileForm:
        """Returns what a reader needs to know."""
        return FileForm(
            delimiter=self.delimiter,
            quote=self.quote,
            encoding=self.encoding,
            skip_rows=self.skip_rows,
            header=self.header,
            records=self.records,
        )


def _our_type(name: str) -> str:
    """Returns our name of an event type; text, as Polars takes a member for its whole enum."""
    usual = usual_event_type(name)
    return name if usual is None else usual.value


class EventMapping(FileMapping):
    """How events are read."""

    columns: dict[str, str | Columns] = Field(default={})
    """Our column -> the retailer's, or several, of which the first with a value counts; several
    of `event_id` are joined (without the first there is none). `visitor_id` counts as ours."""
    time_parts: Columns = ()
    """The retailer's columns that make a time together (date, time of day); no `event_time`."""
    constants: dict[str, str] = Field(default={})
    """Our column -> the same text for every row."""
    event_types: dict[str, str] = Field(default={})
    """The retailer's event type -> ours, beyond the usual names."""
    type_when: dict[str, Annotated[dict[str, Rule], Field(min_length=1)]] = Field(default={})
    """Our event type -> by the retailer's column, which rows are of it, whatever else they say."""
    properties: Columns = ()
    """The retailer's columns to keep, packed as one JSON object."""
    line_value: str | None = None
    """The retailer's column with the value of the whole line: unit price times quantity."""
    zero_quantity_is_one: bool = False
    """A quantity of 0 counts as 1 (coupon lines); default: rejected."""
    returns: Returns = Returns()
    mentions: tuple[Mention, ...] = ()
    """What the report says of rows that are kept although something about them is not known."""

    @field_validator("event_types")
    @classmethod
    def _usual_types(cls, types: dict[str, str]) -> dict[str, str]:
        """Returns the types by our names: `buy` is a purchase, as it is in a file."""
        return {theirs: _our_type(name) for theirs, name in types.items()}

    @field_validator("type_when")
    @classmethod
    def _usual_type_rules(cls, rules: dict[str, dict[str, Rule]]) -> dict[str, dict[str, Rule]]:
        names = [_our_type(name) for name in rules]
        if len(set(names)) < len(names):
            message = f"{', '.join(rules)}: several are names of one type"
            raise ValueError(message)
        return dict(zip(names, rules.values(), strict=True))

    @model_validator(mode="after")
    def _ours_are_ours(self) -> Self:
        _check_names((*self.columns, *self.constants), EVENT_NAMES)
        _check_names((*self.id_width, *self.whole_number_ids, *self.lower_case_ids), EVENT_NAMES)
        twice = sorted(self.columns.keys() & self.constants.keys())
        if self.line_value is not None and "unit_price" in {*self.columns, *self.constants}:
            twice.append("unit_price")
        if self.properties and "properties" in {*self.columns, *self.constants}:
            twice.append("properties")
        if self.time_parts and "event_time" in {*self.columns, *self.constants}:
            twice.append("event_time")
        if twice:
            message = f"{', '.join(twice)}: is given in two ways"
            raise ValueError(message)
        return self


class ItemMapping(FileMapping):
    """How items are read."""

    from_events: bool = False
    """Where no files of items are given, the events' files are read for items, too."""
    columns: dict[str, str | Columns] = Field(default={})
    """Our column -> the retailer's, or several: the steps of a category path, the words of a
    title; of any other column the first with a value counts."""
    sale_price: str | None = None
    """The retailer's column with a reduced price: where it is above 0 and below the other one, it
    is the price, and the other one the list price."""
    sale_period: Columns = Field(default=(), max_length=2)
    """The retailer's column with `start/end` of the reduced price, or two, with its start and its
    end; an end without a time of day is the last day; default: it always holds."""
    available_when: dict[str, Rule] = Field(default={})
    """Column, ours or the retailer's -> which items may be shown, whatever their stock."""
    unavailable: dict[str, Rule] = Field(default={})
    """Column, ours or the retailer's -> which items may not be shown, whatever else holds."""
    categories_separator: str | None = Field(default=None, min_length=1)
    """Between several categories in one text: the first is the category, all are tags; behind a
    backslash it is a character. Default: commas between paths of one root."""
    category_separator: str = Field(default=">", min_length=1)
    """Between the steps of a category path in one text."""
    tags_separator: str = Field(default="|", min_length=1)
    """Between tags in one text."""
    attributes: Columns | None = None
    """The retailer's columns that become attributes; default: all that are not used otherwise."""
    drop: Columns = ()
    """The retailer's columns to leave out; all others become attributes."""

    @model_validator(mode="after")
    def _ours_are_ours(self) -> Self:
        _check_names(
            (*self.columns, *self.id_width, *self.whole_number_ids, *self.lower_case_ids),
            ITEM_NAMES,
        )
        for ours in ("category", "markets", "tags"):
            if ours in self.require or ours in self.exclude:
                message = f"{ours}: holds a list: a rule needs a column of one text or number"
                raise ValueError(message)
        return self


class CustomerMapping(FileMapping):
    """How customers are read."""

    columns: dict[str, str | Columns] = Field(default={})
    """Our column -> the retailer's, or several, of which the first with a value counts."""
    attributes: Columns | None = None
    """The retailer's columns that become attributes; default: all that are not used otherwise."""
    drop: Columns = ()
    """The retailer's columns to leave out; all others become attributes."""

    @model_validator(mode="after")
    def _ours_are_ours(self) -> Self:
        _check_names(
            (*self.columns, *self.id_width, *self.whole_number_ids, *self.lower_case_ids),
            CUSTOMER_NAMES,
        )
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
