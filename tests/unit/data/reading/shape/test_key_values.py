import polars as pl
import pytest

from recsys.data.reading.shape.key_values import keys_of, with_keys


def pairs(*rows: object, dtype: object = None) -> pl.DataFrame:
    return pl.DataFrame({"row": range(len(rows)), "p": pl.Series(rows, dtype=dtype)})


def test_typed_values_become_text() -> None:
    value = pl.Struct({"string_value": pl.String, "int_value": pl.Int64, "double": pl.Float64})
    frame = pairs(
        [
            {"key": "id", "value": {"int_value": 17}},
            {"key": "page", "value": {"string_value": "x"}},
        ],
        [{"key": "id", "value": {"double": 1.5}}],
        None,
        [],
        dtype=pl.List(pl.Struct({"key": pl.String, "value": value})),
    )
    assert keys_of(frame["p"]) == ("id", "page")
    found = with_keys(frame, "p", ["id", "page", "none"])
    assert found["p.id"].to_list() == ["17", "1.5", None, None]
    assert found["p.page"].to_list() == ["x", None, None, None]
    assert found["p.none"].to_list() == [None] * 4
    assert found["p.none"].dtype == pl.String()


@pytest.mark.parametrize("key", ["key", "name", "k"])
@pytest.mark.parametrize("value", ["value", "v", "text"])
def test_the_names_of_keys_and_values(key: str, value: str) -> None:
    frame = pairs([{key: "a", value: 1}])
    assert keys_of(frame["p"]) == ("a",)
    assert with_keys(frame, "p", ["a"])["p.a"].to_list() == ["1"]


def test_a_field_called_value_is_the_value() -> None:
    frame = pairs([{"id": 9, "key": "a", "display": "A", "value": "1"}])
    assert with_keys(frame, "p", ["a"])["p.a"].to_list() == ["1"]


def test_the_first_of_a_key_with_a_value_counts() -> None:
    frame = pairs(
        [{"key": "a", "value": None}, {"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    )
    assert with_keys(frame, "p", ["a"])["p.a"].to_list() == ["1"]


def test_values_that_are_lists_are_none() -> None:
    frame = pairs([{"key": "a", "value": [1, 2]}])
    assert with_keys(frame, "p", ["a"])["p.a"].to_list() == [None]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"row": [1]}),
        pairs("text"),
        pairs([1, 2]),
        pairs([{"x": 1, "y": 2}]),
        pairs([{"key": "a"}]),
        pairs(None, dtype=pl.Null),
    ],
)
def test_columns_that_hold_no_pairs_have_no_keys(frame: pl.DataFrame) -> None:
    assert "p" not in frame.columns or keys_of(frame["p"]) == ()
    assert with_keys(frame, "p", ["a"])["p.a"].to_list() == [None]


def test_empty_frames_and_frequent_keys() -> None:
    frame = pairs(
        [{"key": "b", "value": 1}], [{"key": "a", "value": 1}], [{"key": "a", "value": 2}]
    )
    assert keys_of(frame["p"]) == ("a", "b")
    assert with_keys(frame.head(0), "p", ["a"]).schema["p.a"] == pl.String()
    many = pairs([{"key": str(n), "value": n} for n in range(500)])
    assert len(keys_of(many["p"])) == 200
