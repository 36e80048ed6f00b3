from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

import polars as pl
import pytest

from recsys.data.events import TIME
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.times import parse_times

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
LONDON = FileMapping(zone="Europe/London")


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-01T12:00:00Z",
        "2024-03-01 12:00:00Z",
        "2024-03-01T14:00:00+02:00",
        "2024-03-01T14:00:00+0200",
        "2024-03-01T14:00+02:00",
        "2024-03-01 14:00+02:00",
        "2024-03-01T12:00Z",
        "2024-03-01 09:00:00.000 -03:00",
        "2024-03-01 12:00:00 UTC",
        "2024-03-01 07:00:00 -0500",
        "2024-03-01 12:00:00 +0000 UTC",
        "2024-03-01 12:00:00.000000 +0000 UTC",
        "2024-03-01 17:30:00+0530",
        "2024-03-01 17:30:00+05:30",
        "2024-03-01 12:00:00+00",
        "2024-03-01T12:00:00.000000000Z",
        "Fri, 01 Mar 2024 12:00:00 GMT",
        "Fri Mar 01 2024 17:30:00 GMT+0530 (India Standard Time)",
        "01/Mar/2024:12:00:00 +0000",
        "20240301T120000Z",
        "01.03.2024 14:00:00 +02:00",
        "1709294400",
        "1709294400.0",
        "1709294400000",
        "1709294400000000",
        "1709294400000000000",
    ],
)
def test_text_that_names_its_moment(written: str) -> None:
    for mapping in (FileMapping(), LONDON):
        times = parse_times(pl.Series([written]), mapping)
        assert times.utc.to_list() == [NOON]
        assert times.zoned.to_list() == [True]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-07-01 12:00:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("2024-07-01T12:00:00.250", datetime(2024, 7, 1, 11, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-07-01T12:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("2024/07/01 12:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("2024-07-01", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("20240701", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("20240701120000", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("202407011200", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("20240701T120000", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("45474.5", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("45474,5", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("20240701 12:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("20240701 120000", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("45474", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("01.07.2024", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("1.7.2024 12:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("01.07.2024 12:00:05", datetime(2024, 7, 1, 11, 0, 5, tzinfo=UTC)),
        ("Jul 1, 2024", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("July 1st 2024 12:00 PM", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("1 Jul 2024 12:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),
        ("01-Jul-2024", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("2024-07-01 12:30:00 AM", datetime(2024, 6, 30, 23, 30, tzinfo=UTC)),
        ("2024/07/01 1:05 pm", datetime(2024, 7, 1, 12, 5, tzinfo=UTC)),
        ("2024-06-30 24:00:00", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("2024-06-30T24:00", datetime(2024, 6, 30, 23, tzinfo=UTC)),
        ("2024-07-01 12:00:00,5", datetime(2024, 7, 1, 11, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-07-01T12:00:00.123456789", datetime(2024, 7, 1, 11, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_text_without_a_zone_is_local(written: str, expected: datetime) -> None:
    times = parse_times(pl.Series([written]), LONDON)
    assert times.utc.to_list() == [expected]
    assert times.zoned.to_list() == [False]


def test_all_kinds_in_one_column() -> None:
    cells = pl.Series(
        ["2024-03-01", None, "2024-03-01T14:00:00+02:00", "soon", "", "1709294400", "2024-13-01"]
    )
    times = parse_times(cells, FileMapping())
    midnight = NOON.replace(hour=0)
    assert times.utc.to_list() == [midnight, None, NOON, None, None, NOON, None]
    assert times.zoned.to_list() == [False, False, True, False, False, True, False]
    assert times.utc.dtype == TIME


def test_a_configured_format_is_the_only_one() -> None:
    mapping = FileMapping(time_format="%d/%m/%Y %H:%M")
    times = parse_times(pl.Series(["01/03/2024 12:00", "2024-03-01 12:00:00"]), mapping)
    assert times.utc.to_list() == [NOON, None]


@pytest.mark.parametrize(
    ("cells", "zoned"),
    [
        (pl.Series([1_709_294_400]), True),
        (pl.Series([1_709_294_400_000]), True),
        (pl.Series([1_709_294_400.0]), True),
        (pl.Series([NOON]), True),
        (pl.Series([NOON]).dt.convert_time_zone("Asia/Tokyo"), True),
        (pl.Series([NOON.replace(tzinfo=None)]).cast(pl.Datetime("ns")), False),
    ],
)
def test_typed_columns(cells: pl.Series, *, zoned: bool) -> None:
    times = parse_times(cells, FileMapping())
    assert times.utc.to_list() == [NOON]
    assert times.utc.dtype == TIME
    assert times.zoned.to_list() == [zoned]


def test_dates_are_local_midnights() -> None:
    times = parse_times(pl.Series([date(2024, 7, 1)]), LONDON)
    assert times.utc.to_list() == [datetime(2024, 6, 30, 23, tzinfo=UTC)]


def test_the_hour_that_the_clock_skips_and_the_one_it_repeats() -> None:
    cells = pl.Series(["2024-03-31 01:30:00", "2024-10-27 01:30:00"])
    times = parse_times(cells, LONDON)
    assert times.utc.to_list() == [None, datetime(2024, 10, 27, 0, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    "written",
    [
        "01/02/2024", "01-02-2024", "1/2/24", "24-03-01", "01.02.24", "13/12/2024", "2024-03",
        "2024-W10-1", "2024", "20241399", "20240230", "20240301250000", "202413011200",
        "20240301.5", "45,474", "2024-03-01 25:00", "2024-03-01 24:00:01", "2024-03-01 13:00 AM",
        "2024-03-01 0:10 PM", "31.02.2024", "Foo 1, 2024", "2024-03-01 12:00:00 CET",
        "202403", "2024.0", "1.70929E+12", "10:00", "Jan 2024", "2024-03-01 12:00 +05:61",
        "Mart 1, 2024",
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_none_is_not_read(written: str) -> None:
    for cells in (pl.Series([written]), pl.Series(["2024-03-01", written, "1 Jan 2024"])):
        assert written not in cells.filter(parse_times(cells, FileMapping()).utc.is_not_null())


US = 1_709_294_400_123_457


@pytest.mark.parametrize(
    "cells",
    [
        pl.Series([US]),
        pl.Series([US], dtype=pl.Int128),
        pl.Series([US], dtype=pl.UInt64),
        pl.Series([US * 1000 + 999]),
        pl.Series([float(US)]),
        pl.Series([str(US)]),
        pl.Series([f"{US}.0"]),
        pl.Series([str(US * 1000 + 999)]),
        pl.Series([US / 1e6]),
        pl.Series([US / 1e3]),
        pl.Series(["1709294400.123457"]),
        pl.Series([Decimal("1709294400.123457")]),
        pl.Series([Decimal(US)]),
        pl.Series([str(US)], dtype=pl.Categorical),
        pl.Series(
            [datetime(2024, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC)], dtype=pl.Datetime("ns", "UTC")
        ),
    ],
)
def test_unix_times_are_exact_in_every_type(cells: pl.Series) -> None:
    times = parse_times(cells, LONDON)
    assert times.utc.to_list() == [datetime(2024, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC)]
    assert times.zoned.to_list() == [True]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (20240701, datetime(2024, 6, 30, 23, tzinfo=UTC)),
        (202407011234, datetime(2024, 7, 1, 11, 34, tzinfo=UTC)),
        (20240701123456, datetime(2024, 7, 1, 11, 34, 56, tzinfo=UTC)),
        (45474, datetime(2024, 6, 30, 23, tzinfo=UTC)),
        (25569, datetime(1969, 12, 31, 23, tzinfo=UTC)),
        (45474.604, datetime(2024, 7, 1, 13, 29, 45, 600_000, tzinfo=UTC)),
        (45474.6041666667, datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
        (20241399, None),
        (20240701.5, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_numbers_that_are_dates(number: float, expected: datetime | None) -> None:
    texts = [str(number), f"{number}.0" if isinstance(number, int) else str(number)]
    typed = [pl.Series([number]), pl.Series([float(number)]), *(pl.Series([t]) for t in texts)]
    if isfinite(number):
        typed.append(pl.Series([Decimal(str(number))]))
    for cells in typed:
        times = parse_times(cells, LONDON)
        assert times.utc.to_list() == [expected], cells
        assert times.zoned.to_list() == [False]


def test_texts_of_data_frames_for_large_floats() -> None:
    cells = pl.Series([1.709294400123456e18])
    text = cells.cast(pl.String)
    assert parse_times(text, LONDON).utc.equals(parse_times(cells, LONDON).utc)
    assert parse_times(text, LONDON).utc.null_count() == 0


def test_a_format_reads_numbers_as_texts() -> None:
    mapping = FileMapping(time_format="%y%m%d")
    for cells in (pl.Series(["240301"]), pl.Series([240301]), pl.Series([240301.0])):
        assert parse_times(cells, mapping).utc.to_list() == [NOON.replace(hour=0)]


def test_further_missing_texts_of_a_column_are_no_times() -> None:
    mapping = FileMapping(missing_in={"t": ("0", "0000-00-00")}, missing=("-",))
    for values in (["0"], ["0000-00-00"], [0], [0.0], ["-"]):
        assert parse_times(pl.Series("t", values), mapping).utc.to_list() == [None]
    assert parse_times(pl.Series("u", [0]), mapping).utc.to_list() == [
        datetime.fromtimestamp(0, UTC)
    ]


def test_what_is_no_time_at_all() -> None:
    assert parse_times(pl.Series([True]), FileMapping()).utc.to_list() == [None]
