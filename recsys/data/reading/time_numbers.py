"""Reads times that are written as numbers: Unix times, compact dates, days of a spreadsheet."""

import polars as pl

NUMBER = r"^-?\d{1,19}(\.\d+)?$|^-?\d(\.\d+)?e\+1[678]$"
"""Texts that are numbers; the form with an exponent is how data frames write nanoseconds."""

_MILLIS_FROM, _MICROS_FROM, _NANOS_FROM = 10**11, 10**14, 10**17
"""Unix times of this size are not seconds: 1e11 s is the year 5138, 1e11 ms is 1973."""

_COMPACT = (
    ("%Y%m%d", 19_000_101, 20_991_231),
    ("%Y%m%d%H%M", 190_001_010_000, 209_912_312_359),
    ("%Y%m%d%H%M%S", 19_000_101_000_000, 20_991_231_235_959),
)
"""Forms of dates that are one number, and their range: as Unix times these are of the 1970s."""

_NO_DAY = ((1_900, 2_100), (190_001, 209_912))
"""Years, and months of years: they say no day."""

_FIRST_DAY, _LAST_DAY = 25_569, 73_051
"""1970-01-01 and 2100-01-01 as days of a spreadsheet, which counts from 1899-12-30."""

_DAY_MS = 86_400_000
_LARGEST = 2.0**63


def read_numbers(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Returns times of numbers, told apart by their size.

    Args:
        cells: numbers of any type, or texts; what is no number is null.

    Returns:
        Naive datetimes (us) of compact dates and spreadsheet days, and moments (us, as Int64 since
        1970) of Unix times. A row has at most one of the two.
    """
    whole, fraction = _parts(cells)
    table = pl.DataFrame({"n": whole, "f": fraction})
    n, f = pl.col("n"), pl.col("f")
    local = pl.coalesce(
        *(_compact(form, least, most) for form, least, most in _COMPACT),
        _serial(n * _DAY_MS, n),
        _serial((f * _DAY_MS).round().cast(pl.Int64, strict=False), f),
    )
    size = n.abs()
    moments = (
        pl.when(size >= _NANOS_FROM)
        .then(n // 1_000)
        .when(size >= _MICROS_FROM)
        .then(n)
        .when(size >= _MILLIS_FROM)
        .then(n * 1_000)
        .otherwise(n * 1_000_000)
    )
    fractions = (
        pl.when(f.abs() >= _MICROS_FROM)
        .then(f.floor())
        .when(f.abs() >= _MILLIS_FROM)
        .then((f * 1e3).round())
        .otherwise((f * 1e6).round())
    )
    moment = pl.coalesce(
        pl.when(~_is_date(n)).then(moments),
        pl.when(~_is_date(f)).then(fractions).cast(pl.Int64, strict=False),
    )
    read = table.select(local=local, moment=moment)
    return read["local"], read["moment"]


def _parts(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Parts whole numbers (Int64, exact) from others (Float64)."""
    dtype = cells.dtype
    if dtype.is_decimal():
        cells, dtype = cells.cast(pl.String), pl.String()
    if dtype.is_integer():
        whole = cells.cast(pl.Int64, strict=False)
        return whole, pl.repeat(None, len(cells), dtype=pl.Float64, eager=True)
    whole = pl.repeat(None, len(cells), dtype=pl.Int64, eager=True)
    if dtype == pl.String():
        # Five digits before a comma are no thousands: days of a spreadsheet in German.
        cells = cells.str.replace(r"^(\d{5}),(\d+)$", "$1.$2")
        cells = cells.set(~cells.str.contains(NUMBER), None)
        whole = cells.str.extract(r"^(-?\d+)(?:\.0*)?$").cast(pl.Int64, strict=False)
        cells = cells.set(whole.is_not_null(), None)
    fraction = cells.cast(pl.Float64, strict=False)
    fraction = fraction.set(~fraction.is_finite(), None)
    exact = (fraction == fraction.floor()) & (fraction.abs() < _LARGEST)
    rounded = fraction.set(~exact, None).cast(pl.Int64)
    return whole.zip_with(whole.is_not_null(), rounded), fraction.set(exact, None)


def _compact(form: str, least: int, most: int) -> pl.Expr:
    digits = pl.when(pl.col("n").is_between(least, most)).then(pl.col("n")).cast(pl.String)
    return digits.str.to_datetime(form, strict=False, time_unit="us")


def _serial(millis: pl.Expr, days: pl.Expr) -> pl.Expr:
    since = pl.when(_is_day(days)).then(millis - _FIRST_DAY * _DAY_MS)
    return since.cast(pl.Datetime("ms")).cast(pl.Datetime("us"))


def _is_day(number: pl.Expr) -> pl.Expr:
    return (number >= _FIRST_DAY) & (number < _LAST_DAY)


def _is_date(number: pl.Expr) -> pl.Expr:
    """Says whether a number has the size of a date: if it is none, it is no Unix time either."""
    ranges = [(least, most) for _, least, most in _COMPACT]
    sizes = [
        number.is_between(least, most + 1, closed="left") for least, most in (*ranges, *_NO_DAY)
    ]
    return pl.any_horizontal(_is_day(number), *sizes)
