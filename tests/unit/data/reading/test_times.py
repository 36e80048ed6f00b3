from datetime import UTC, date, datetime

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


def test_what_is_no_time_at_all() -> None:
    assert parse_times(pl.Series([True]), FileMapping()).utc.to_list() == [None]
