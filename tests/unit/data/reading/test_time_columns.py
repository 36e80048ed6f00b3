"""A date and a time of day in two columns are one time, and only if they are just that."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def first_time(folder: Path, header: str, row: str, settings: dict[str, object]) -> datetime:
    (folder / "orders.csv").write_text(f"customer,sku,{header}\nc1,p1,{row}\nc2,p1,{row}\n")
    mapping = Mapping.model_validate({"events": settings})
    prepare(Sources(str(folder / "orders.csv")), folder / "out", mapping, now=NOW)
    return pl.read_parquet(folder / "out" / "events.parquet")["event_time"][0]


@pytest.mark.parametrize(
    ("header", "row", "settings", "hour"),
    [
        ("Date,Time", "2025-03-01,14:30", {}, 14),
        ("Time,Date", "14:30:00,2025-03-01", {}, 14),
        ("Order Date,Order Time", "2025-03-01 00:00:00,2:30 PM", {}, 14),
        ("Datum,Uhrzeit", "01.03.2025,14:30", {"zone": "Europe/Berlin"}, 13),
        ("Date,Time", "3/1/2025,14:30", {"time_format": "%m/%d/%Y %H:%M"}, 14),
        ("Date,Time", "2025-03-01,2025-03-01 14:30:00", {}, 14),
        ("Order Date,Order Time", "2025-03-01 14:30,9:10", {}, 14),
        ("Date,Time,Timestamp", "2025-02-01,10:00,2025-03-01 14:30", {}, 14),
        ("Date,Time", "2025-03-01,14:30", {"columns": {"event_time": "Date"}}, 0),
    ],
)
def test_one_time_of_two_columns(
    header: str, row: str, settings: dict[str, object], hour: int, tmp_path: Path
) -> None:
    minute = 30 if hour else 0
    expected = datetime(2025, 3, 1, hour, minute, tzinfo=UTC)
    assert first_time(tmp_path, header, row, settings) == expected
