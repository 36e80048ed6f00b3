from datetime import time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from recsys.data.reading import cells
from recsys.data.reading.mapping import FileMapping


def of(read, values: pl.Series, mapping: FileMapping) -> list[object]:
    frame = values.rename("c").to_frame()
    return frame.select(read("c", frame.schema["c"], mapping)).to_series().to_list()


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["0", " a ", "A", "-"])])
def test_further_missing_texts_hold_in_their_column_alone(dtype) -> None:
    values = pl.Series(["0", " a ", "A", "-"], dtype=dtype)
    mapping = FileMapping(missing_in={"c": ("0", "a"), "d": ("-",)})
    assert of(cells.text, values, mapping) == [None, None, "A", "-"]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([0, 5]),
        pl.Series([0.0, 5.0]),
        pl.Series(["0", "5"]),
        pl.Series(["0.0", "5.0"]),
        pl.Series([Decimal(0), Decimal(5)], dtype=pl.Decimal(10, 2)),
    ],
)
def test_a_missing_number_is_missing_in_every_type(values: pl.Series) -> None:
    mapping = FileMapping(missing_in={"c": ("0",)})
    assert of(cells.number, values, mapping) == [None, 5.0]
    assert of(cells.text, values, mapping)[0] is None
    assert of(cells.number, values, FileMapping()) == [0.0, 5.0]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["19.99", None], dtype=pl.Categorical),
        pl.Series([19.99, float("nan")]),
        pl.Series([19.99, None], dtype=pl.Float32),
        pl.Series([Decimal("19.99"), None], dtype=pl.Decimal(38, 18)),
        pl.Series(["$19.99", "NaN"]),
        pl.Series(["19,99 €", " "]),
    ],
)
def test_a_number_is_the_same_in_every_type(values: pl.Series) -> None:
    assert of(cells.number, values, FileMapping()) == [19.99, None]


def test_whole_numbers_of_every_width() -> None:
    for dtype in (pl.Int8, pl.UInt64, pl.Int128):
        assert of(cells.number, pl.Series([1, None], dtype=dtype), FileMapping()) == [1.0, None]
    assert of(cells.number, pl.Series([True, False]), FileMapping()) == [1.0, 0.0]
    assert of(cells.number, pl.Series(["TRUE", "False"]), FileMapping()) == [1.0, 0.0]
    assert of(cells.number, pl.Series([None, None]), FileMapping()) == [None, None]


def test_what_is_no_number_is_nan() -> None:
    for values in (pl.Series([time(1)]), pl.Series([[1.0]]), pl.Series([float("inf")])):
        [read] = of(cells.number, values, FileMapping())
        assert read != read  # noqa: PLR0124 - NaN


def test_texts_of_other_types() -> None:
    values = {
        '{"a":1}': pl.Series([{"a": 1}]),
        '["a"]': pl.Series([["a"]]),
        "12:30:00": pl.Series([time(12, 30)]),
        "PT1M": pl.Series([timedelta(minutes=1)]),
        "true": pl.Series([True]),
    }
    for expected, series in values.items():
        assert of(cells.text, series, FileMapping()) == [expected]
        assert of(cells.text, series.clear(1), FileMapping()) == [None]
