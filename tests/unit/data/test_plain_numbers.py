"""Numbers in files are what a person would write."""

import io
import json
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.plain_numbers import amount, csv_table, json_value, money, plain, widened


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, "0.3"),
        (12.0, "12"),
        (-0.0, "0"),
        (1e-7, "1e-07"),
        (1.1 * 3, "3.3"),
        (5e20, "5e+20"),
    ],
)
def test_noise_and_empty_fractions_are_not_written(value: float, expected: str) -> None:
    assert json.dumps(json_value(value)) == expected


def test_json_carries_whole_rows() -> None:
    row = {
        "price": 12.0,
        "items": [{"score": 0.1 + 0.2, "due": date(2026, 4, 1)}, None],
        "time": datetime(2026, 4, 1, 12, tzinfo=UTC),
        "flag": True,
        "count": 3,
        "none": float("nan"),
    }
    assert json_value(row) == {
        "price": 12,
        "items": [{"score": 0.3, "due": "2026-04-01"}, None],
        "time": "2026-04-01T12:00:00+00:00",
        "flag": True,
        "count": 3,
        "none": None,
    }


def test_csv_has_no_empty_fractions() -> None:
    frame = pl.DataFrame(
        {
            "a": [12.0, 0.3, None, 1234567.0],
            "b": pl.Series([0.05, 100.0, 2.5, None], dtype=pl.Float32),
            "c": ["1.0", "x", "", None],
            "d": [1, 2, 3, 4],
        }
    )
    file = io.StringIO()
    csv_table(frame).write_csv(file)
    assert file.getvalue().splitlines() == [
        "a,b,c,d",
        "12,0.05,1.0,1",
        "0.3,100,x,2",
        ',2.5,"",3',
        "1234567,,,4",
    ]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_wider_numbers_are_written_like_narrow_ones(values: list[float]) -> None:
    narrow = np.array(values, dtype=np.float32)
    wide = widened(narrow)
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)
    for one, other in zip(wide.tolist(), narrow, strict=True):
        assert one == float(str(other))


@given(st.integers(-(10**15), 10**15))
def test_money_is_whole_millionths(micros: int) -> None:
    amount = micros / 1_000_000
    assert money(amount + 1e-9) == amount
    assert plain(amount) == amount


def test_amounts_for_people() -> None:
    assert [amount(each) for each in (1250.5, 12.0, 0.1 + 0.2, 1e6, 0.002)] == [
        "1,250.5",
        "12",
        "0.3",
        "1,000,000",
        "0.002",
    ]
