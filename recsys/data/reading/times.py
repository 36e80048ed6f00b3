"""Reads event times however they are written, and says which of them carried a zone."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from recsys.data.events import TIME
from recsys.data.reading import cells as cell_texts
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.time_numbers import read_numbers
from recsys.data.reading.time_texts import read_texts

_ZONED = (
    "%+",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
)
_NAIVE = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
)
_NUMBER, _SPELLED = "number", "spelled"
_FIRST_YEAR = datetime(1000, 1, 1)  # noqa: DTZ001 - naive as what it is compared with
"""A year of fewer digits is a day, a month, or a year without its century."""


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times."""

    utc: pl.Series
    """`TIME`; null where there is none, or it cannot be read."""
    zoned: pl.Series
    """Boolean: the cell named its zone (or is a Unix time, which has none to name)."""


def parse_times(cells: pl.Series, mapping: FileMapping) -> Times:
    """Reads datetimes, dates, numbers that mean times, or text with any of these, mixed.

    The same time gives the same result whatever the type of the column is. With `time_format`,
    whole numbers are read by it as texts are.
    """
    dtype = cells.dtype
    always = pl.repeat(value=True, n=len(cells), eager=True)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return Times(cells.dt.convert_time_zone("UTC").cast(TIME), always)
        return Times(_localised(cells.cast(pl.Datetime("us")), mapping.zone), ~always)
    if dtype == pl.Date():
        return Times(_localised(cells.cast(pl.Datetime("us")), mapping.zone), ~always)
    if dtype.is_numeric() and mapping.time_format is None:
        return _typed_numbers(cells, mapping)
    if dtype.is_numeric() or isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Binary):
        return _parse_text(_texts(cells, mapping), mapping)
    return Times(pl.repeat(None, len(cells), dtype=TIME, eager=True), ~always)


def _typed_numbers(cells: pl.Series, mapping: FileMapping) -> Times:
    if cell_texts.says_missing(cells.name, mapping):
        cells = cells.set(_texts(cells, mapping).is_null(), None)
    local, moments = read_numbers(cells)
    utc = moments.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return Times(_filled(utc, _localised(local, mapping.zone)), utc.is_not_null())


def _texts(cells: pl.Series, mapping: FileMapping) -> pl.Series:
    """Returns trimmed texts, null where there is no value; of whole numbers only the digits."""
    read = cell_texts.text(cells.name, cells.dtype, mapping)
    if cells.dtype.is_numeric():
        read = read.str.replace(r"\.0+$", "")
    return cells.to_frame().select(read).to_series()


def _parse_text(cells: pl.Series, mapping: FileMapping) -> Times:
    """Tries one way of writing after the other on the cells that are still unread."""
    utc = pl.repeat(None, len(cells), dtype=TIME, eager=True)
    zoned = pl.repeat(value=False, n=len(cells), eager=True)
    times = Times(utc, zoned)
    unread = cells.is_not_null()
    for form in _forms(cells.drop_nulls().head(1), mapping):
        if not unread.any():
            return times
        times, unread = _with_form(times, cells, unread, form, mapping.zone)
    if mapping.time_format is None and unread.any():
        only = _only_form(cells.filter(unread), mapping)
        if only is not None:
            times, _ = _with_form(times, cells, unread, only, mapping.zone)
    return times


def _with_form(
    times: Times, cells: pl.Series, unread: pl.Series, form: str, zone: str
) -> tuple[Times, pl.Series]:
    """Returns the times with those that a form reads, and which cells are still unread."""
    read = _read(cells.filter(unread), form, zone)
    done = read.utc.is_not_null()
    places = unread.arg_true().filter(done)
    utc = times.utc.scatter(places, read.utc.filter(done))
    zoned = times.zoned.scatter(places, read.zoned.filter(done))
    return Times(utc, zoned), unread.scatter(places, False)  # noqa: FBT003 - a value


def _forms(first: pl.Series, mapping: FileMapping) -> list[str]:
    """Returns the ways of writing, the one that reads the first cell before all others."""
    if mapping.time_format is not None:
        return [mapping.time_format]
    forms = [*_NAIVE, *_ZONED, _NUMBER, _SPELLED]
    return sorted(forms, key=lambda form: _read(first, form, mapping.zone).utc.null_count())


def _only_form(cells: pl.Series, mapping: FileMapping) -> str | None:
    """Returns the further form that reads all cells; None: none does, or several, differently."""
    whole: dict[str, pl.Series] = {}
    for form in mapping.more_time_formats:
        utc = _read(cells, form, mapping.zone).utc
        if utc.null_count() == 0:
            whole[form] = utc
    first = next(iter(whole), None)
    if first is None or any(not whole[first].equals(other) for other in whole.values()):
        return None
    return first


def _read(cells: pl.Series, form: str, zone: str) -> Times:
    """Reads cells in one form; null are the ones in another."""
    if form == _NUMBER:
        local, moments = read_numbers(cells)
        utc = moments.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return Times(_filled(utc, _localised(local, zone)), utc.is_not_null())
    if form == _SPELLED:
        local, utc = read_texts(cells)
        return Times(_filled(utc, _localised(local, zone)), utc.is_not_null())
    read = cells.str.to_datetime(form, strict=False, time_unit="us")
    if isinstance(read.dtype, pl.Datetime) and read.dtype.time_zone is not None:
        utc = read.dt.convert_time_zone("UTC")
        return Times(utc, pl.repeat(value=True, n=len(cells), eager=True))
    if "%Y" in form:
        read = read.set(read < _FIRST_YEAR, None)
    return Times(_localised(read, zone), pl.repeat(value=False, n=len(cells), eager=True))


def _filled(utc: pl.Series, other: pl.Series) -> pl.Series:
    return utc.zip_with(utc.is_not_null(), other)


def _localised(naive: pl.Series, zone: str) -> pl.Series:
    """Puts naive times into a zone; a time that the clock skipped there becomes null."""
    if naive.null_count() == len(naive):
        return pl.repeat(None, len(naive), dtype=TIME, eager=True)
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")
