"""Reads event times however they are written, and says which of them carried a zone."""

from dataclasses import dataclass

import polars as pl

from recsys.data.events import TIME
from recsys.data.reading.mapping import FileMapping

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
)
_EPOCH = r"^-?\d{1,19}(\.\d+)?$"
_COMPACT_DATE = r"^(19|20)\d{6}$"
_MILLIS_FROM, _MICROS_FROM, _NANOS_FROM = 1e11, 1e14, 1e17
"""Epoch numbers of this size are not seconds: 1e11 s is the year 5138, 1e11 ms is 1973."""


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times."""

    utc: pl.Series
    """`TIME`; null where there is none, or it cannot be read."""
    zoned: pl.Series
    """Boolean: the cell named its zone (or is an epoch number, which has none to name)."""


def parse_times(cells: pl.Series, mapping: FileMapping) -> Times:
    """Reads datetimes, dates, epoch numbers, or text with any of these, mixed."""
    dtype = cells.dtype
    if dtype == pl.String():
        return _parse_text(cells.str.strip_chars(), mapping)
    always = pl.repeat(value=True, n=len(cells), eager=True)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return Times(cells.dt.convert_time_zone("UTC").cast(TIME), always)
        return Times(_localised(cells.cast(pl.Datetime("us")), mapping.zone), ~always)
    if dtype == pl.Date():
        return Times(_localised(cells.cast(pl.Datetime("us")), mapping.zone), ~always)
    if dtype.is_numeric():
        return Times(_from_epoch(cells), always)
    return Times(pl.repeat(None, len(cells), dtype=TIME, eager=True), ~always)


def _parse_text(cells: pl.Series, mapping: FileMapping) -> Times:
    """Tries one way of writing after the other on the cells that are still unread."""
    utc = pl.repeat(None, len(cells), dtype=TIME, eager=True)
    zoned = pl.repeat(value=False, n=len(cells), eager=True)
    unread = ~cells.is_in(list(mapping.missing)).fill_null(value=True)
    for form in _forms(cells.filter(unread), mapping):
        if not unread.any():
            break
        read, has_zone = _read(cells.filter(unread), form, mapping.zone)
        got = read.is_not_null()
        places = unread.arg_true().filter(got)
        utc = utc.scatter(places, read.filter(got))
        if has_zone:
            zoned = zoned.scatter(places, True)  # noqa: FBT003 - a value, not a switch
        unread = unread.scatter(places, False)  # noqa: FBT003 - as above
    return Times(utc, zoned)


def _forms(cells: pl.Series, mapping: FileMapping) -> list[str]:
    """Returns the ways of writing, the one that reads the first cell before all others."""
    if mapping.time_format is not None:
        return [mapping.time_format]
    forms = [*_NAIVE, *_ZONED, _COMPACT_DATE, _EPOCH]
    first = cells.head(1)
    return sorted(forms, key=lambda form: _read(first, form, mapping.zone)[0].null_count())


def _read(cells: pl.Series, form: str, zone: str) -> tuple[pl.Series, bool]:
    """Returns `TIME` with null for cells in another form, and whether the form names the zone."""
    if form == _EPOCH:
        digits = cells.set(~cells.str.contains(_EPOCH), None)
        return _from_epoch(digits.cast(pl.Float64, strict=False)), True
    if form == _COMPACT_DATE:
        digits = cells.set(~cells.str.contains(_COMPACT_DATE), None)
        naive = digits.str.to_datetime("%Y%m%d", strict=False, time_unit="us")
        return _localised(naive, zone), False
    read = cells.str.to_datetime(form, strict=False, time_unit="us")
    if isinstance(read.dtype, pl.Datetime) and read.dtype.time_zone is not None:
        return read.dt.convert_time_zone("UTC"), True
    return _localised(read, zone), False


def _localised(naive: pl.Series, zone: str) -> pl.Series:
    """Puts naive times into a zone; a time that the clock skipped there becomes null."""
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _from_epoch(numbers: pl.Series) -> pl.Series:
    """Reads Unix seconds, milliseconds, microseconds or nanoseconds by their size."""
    value = pl.col("n")
    size = value.abs()
    micros = (
        pl.when(size >= _NANOS_FROM)
        .then(value / 1e3)
        .when(size >= _MICROS_FROM)
        .then(value)
        .when(size >= _MILLIS_FROM)
        .then(value * 1e3)
        .otherwise(value * 1e6)
    )
    table = numbers.cast(pl.Float64).rename("n").to_frame()
    whole = table.select(micros.round().cast(pl.Int64, strict=False)).to_series()
    return whole.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
