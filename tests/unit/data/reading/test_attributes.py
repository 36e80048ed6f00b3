from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from recsys.data.events import TIME
from recsys.data.reading.attributes import is_nameless, typed_attribute
from recsys.data.reading.mapping import FileMapping


def typed(values: pl.Series, mapping: FileMapping | None = None) -> tuple[pl.DataType, list]:
    read = typed_attribute(values.rename("a"), mapping or FileMapping())
    assert read.name == "a"
    return read.dtype, read.to_list()


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([3, None, -1]),
        pl.Series([3, None, -1], dtype=pl.Int128),
        pl.Series([3.0, float("nan"), -1.0]),
        pl.Series([3.0, None, -1.0], dtype=pl.Float32),
        pl.Series([3, None, -1]).cast(pl.Decimal(20, 2)),
        pl.Series(["3", "", "-1"]),
        pl.Series(["3.0", " ", "-1.00"], dtype=pl.Categorical),
    ],
)
def test_whole_numbers(values: pl.Series) -> None:
    assert typed(values) == (pl.Int64(), [3, None, -1])


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([0.1, None, 2.0]),
        pl.Series([0.1, None, 2.0], dtype=pl.Float32),
        pl.Series([Decimal("0.1"), None, Decimal(2)]),
        pl.Series(["0.1", None, "2"]),
        pl.Series(["1e-1", None, "2.0e+00"]),
        pl.Series(["0.10 EUR", None, "2 €"]),
    ],
)
def test_decimals(values: pl.Series) -> None:
    assert typed(values) == (pl.Float64(), [0.1, None, 2.0])


@pytest.mark.parametrize(
    "values",
    [
        ["007", "1"],
        ["5E3", "6E4"],
        ["12 %", "13 %"],
        ["1 €", "$2"],
        ["1 €", "2"],
        ["5 ft", "6 ft"],
        ["38,40", "42,44"],
        ["1,299", "2,000"],
        ["12345678901234567890", "1"],
        ["inf", "-inf"],
        ["2024-01-01", "soon"],
        ["01/02/2024", "01/03/2024"],
        ["true", "maybe"],
        ["030 123 456", "030 999 999"],
    ],
)
def test_what_may_be_something_else_stays_text(values: list[str]) -> None:
    assert typed(pl.Series(values)) == (pl.String(), values)


def test_whole_numbers_that_do_not_fit_stay_text_in_every_type() -> None:
    values = [2**64 - 1, 1]
    expected = (pl.String(), [str(2**64 - 1), "1"])
    assert typed(pl.Series(values, dtype=pl.UInt64)) == expected
    assert typed(pl.Series(values, dtype=pl.Int128)) == expected
    assert typed(pl.Series([str(value) for value in values])) == expected
    assert typed(pl.Series([2**63 - 1, 1], dtype=pl.UInt64)) == (pl.Int64(), [2**63 - 1, 1])


def test_separators_by_the_mapping() -> None:
    comma, point = FileMapping(decimal_comma=True), FileMapping(decimal_comma=False)
    assert typed(pl.Series(["1.299,50", "0,5"]), comma) == (pl.Float64(), [1299.5, 0.5])
    assert typed(pl.Series(["12.5", "0,5"]), comma)[0] == pl.String()
    assert typed(pl.Series([12.5, 0.5]), comma) == (pl.Float64(), [12.5, 0.5])
    assert typed(pl.Series(["1,299", "2"]), point) == (pl.Int64(), [1299, 2])
    assert typed(pl.Series(["12,50", "2"]), point)[0] == pl.String()


@pytest.mark.parametrize("values", [["TRUE", "False", None], [True, False, None]])
def test_booleans(values: list) -> None:
    assert typed(pl.Series(values)) == (pl.Boolean(), [True, False, None])


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([date(2024, 3, 1)]),
        pl.Series([datetime(2024, 3, 1)]),  # noqa: DTZ001 - without a zone on purpose
        pl.Series(["2024-03-01"]),
        pl.Series(["01.03.2024"]),
        pl.Series(["1.3.2024 00:00"], dtype=pl.Categorical),
    ],
)
def test_times(values: pl.Series) -> None:
    assert typed(values) == (TIME, [datetime(2024, 3, 1, tzinfo=UTC)])


@pytest.mark.parametrize(
    "dtype", [pl.String, pl.Float64, pl.Int64, pl.Boolean, pl.Date, pl.Null, pl.Categorical]
)
def test_a_column_without_values_takes_any_type(dtype) -> None:
    assert typed(pl.Series([None, None], dtype=dtype)) == (pl.Null(), [None, None])


def test_lists_are_lists_of_text() -> None:
    for inner in (pl.Categorical, pl.String):
        values = pl.Series([["a", "b"], None], dtype=pl.List(inner))
        assert typed(values) == (pl.List(pl.String()), [["a", "b"], None])
    assert typed(pl.Series([[1, 2]]))[1] == [["1", "2"]]
    assert typed(pl.Series([[{"a": 1}]])) == (pl.String(), ['[{"a":1}]'])


def test_missing_texts_of_one_column() -> None:
    mapping = FileMapping(missing_in={"a": ("0", "n/a")})
    assert typed(pl.Series(["n/a", "5"]), mapping) == (pl.Int64(), [None, 5])
    assert typed(pl.Series([0, 5]), mapping) == (pl.Int64(), [None, 5])
    assert typed(pl.Series([0.0, 5.5]), mapping) == (pl.Float64(), [None, 5.5])


def test_the_index_of_a_data_frame_is_nameless() -> None:
    for name in ("__index_level_0__", "Unnamed: 0", "Unnamed: 0.1", "column_1"):
        assert is_nameless(name)
    for name in ("index", "Unnamed", "column", "my column_1", "Unnamed: x"):
        assert not is_nameless(name)
