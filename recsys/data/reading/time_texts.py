"""Reads times as people and programs spell them: month names, day.month.year, AM and PM, zones."""

import polars as pl

from recsys.data.events import TIME

TWO_WAYS = r"^\d{1,2}(?:[/-]\d{1,2}[/-](?:\d{4}|\d{2})|\.\d{1,2}\.\d{2})(?:\D.*)?$"
"""Dates of which nobody can tell the day from the month, or from the year."""

DAY_AND_MONTH = r"^(\d{1,2})[/-](\d{1,2})(?:/\d{2}|-\d{4})"
"""The two parts of such a date that are its day and its month."""

_CLOCK = (
    r"(?<h>\d{1,2}):(?<mi>\d{2})(?::(?<s>\d{2})(?:[.,](?<f>\d{1,9}))?)?"
    r"(?:\s*(?<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = (
    r"(?:\s*(?:(?:UTC|GMT)?(?<sign>[+-])(?<zh>\d{2}):?(?<zm>\d{2})?|(?<utc>Z|z|UTC|GMT)))?"
    r"(?:\s+\([^()]*\))?"
)
_TIME = rf"(?:(?:[Tt:]|,?\s+(?:at\s+)?){_CLOCK}{_ZONE})?$"
_WEEKDAY = r"^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*[,.]?\s+)?"
_DAY = r"(?<d>\d{1,2})(?:st|nd|rd|th)?"
_NAME = r"(?<name>[A-Za-z]{3,9})\.?"
_COMPACT = r"^(?<y>(?:19|20)\d{2})(?<mo>\d{2})(?<d>\d{2})"
_PATTERNS = (
    r"^(?<y>\d{4})[-/.](?<mo>\d{1,2})[-/.](?<d>\d{1,2})" + _TIME,
    r"^(?<d>\d{1,2})\.\s?(?<mo>\d{1,2})\.\s?(?<y>\d{4})" + _TIME,
    rf"{_WEEKDAY}{_DAY}[-/.\s]+{_NAME}[-/,\s]+(?<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_NAME}\s+{_DAY},?\s+(?<y>\d{{4}}){_TIME}",
    rf"{_COMPACT}[T\s](?<h>\d{{2}})(?<mi>\d{{2}})(?<s>\d{{2}}){_ZONE}$",
    rf"{_COMPACT}[T\s]{_CLOCK}{_ZONE}$",
)
_PARTS = ("y", "mo", "name", "d", "h", "mi", "s", "f", "half", "sign", "zh", "zm", "utc")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH_OF = {
    name: place
    for place, month in enumerate(_MONTHS, start=1)
    for name in (month[:3], month, *(["sept"] if month == "september" else []))
}
_LAST_HOUR, _NOON, _LAST_ZONE_HOUR, _SIXTY = 24, 12, 18, 60


def read_texts(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Returns what spelled times say; what is none of the forms, or no valid time, is null.

    Args:
        cells: trimmed texts.

    Returns:
        Naive datetimes (us) of texts that name no zone, and moments (`TIME`) of those that do. A
        row has at most one of the two.
    """
    # A second zero zone (`+0000 UTC`) says nothing more.
    plain = cells.str.replace(r"([+-]00:?00)\s+(?:UTC|GMT)$", "$1").rename("text")
    table = plain.to_frame()
    groups = [
        pl.col("text").str.extract_groups(pattern).alias(f"p{place}")
        for place, pattern in enumerate(_PATTERNS)
    ]
    found = table.select(groups)
    parts = found.select(
        pl.coalesce(
            pl.lit(None, pl.String),
            *(
                pl.col(name).struct.field(part)
                for name, dtype in found.schema.items()
                if isinstance(dtype, pl.Struct) and part in {f.name for f in dtype.fields}
            ),
        ).alias(part)
        for part in _PARTS
    )
    named = (
        parts["name"]
        .str.to_lowercase()
        .replace_strict(_MONTH_OF, default=None, return_dtype=pl.Int64)
    )
    numbers = parts.with_columns(
        pl.col("y", "mo", "d", "h", "mi", "s", "zh", "zm").cast(pl.Int64),
        pl.col("f").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64),
    ).with_columns(mo=pl.coalesce("mo", named))
    read = numbers.select(local=_local(), offset=_offset(), zoned=_is_zoned())
    local, zoned = read["local"], read["zoned"]
    moments = (local - read["offset"]).dt.replace_time_zone("UTC").cast(TIME)
    return local.set(zoned, None), moments.set(~zoned, None)


def _local() -> pl.Expr:
    """Returns the date and time of day, null where one of their parts is out of its range."""
    hour, minute, second = (pl.col(part).fill_null(0) for part in ("h", "mi", "s"))
    micros, half = pl.col("f").fill_null(0), pl.col("half").str.to_lowercase()
    of_day = pl.when(half.is_null()).then(hour).otherwise(hour % _NOON + (half == "p") * _NOON)
    rest = (minute * _SIXTY + second) * 1_000_000 + micros
    in_range = (
        (minute < _SIXTY)
        & (second < _SIXTY)
        & ((hour < _LAST_HOUR) | ((hour == _LAST_HOUR) & (rest == 0)))
        & (half.is_null() | hour.is_between(1, _NOON))
    )
    date = pl.concat_str(
        pl.col("y").cast(pl.String).str.zfill(4),
        pl.col("mo").cast(pl.String).str.zfill(2),
        pl.col("d").cast(pl.String).str.zfill(2),
    ).str.to_datetime("%Y%m%d", strict=False, time_unit="us")
    since = pl.duration(microseconds=of_day * 3_600_000_000 + rest, time_unit="us")
    return pl.when(in_range).then(date + since)


def _offset() -> pl.Expr:
    """Returns how far the zone is before UTC; null where its hours or minutes are none."""
    hours, minutes = pl.col("zh").fill_null(0), pl.col("zm").fill_null(0)
    size = pl.duration(minutes=hours * _SIXTY + minutes, time_unit="us")
    signed = pl.when(pl.col("sign") == "-").then(-size).otherwise(size)
    return pl.when((hours <= _LAST_ZONE_HOUR) & (minutes < _SIXTY)).then(signed)


def _is_zoned() -> pl.Expr:
    return pl.col("sign").is_not_null() | pl.col("utc").is_not_null()
