from itertools import chain

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.reading.mapping_parts import Explode
from recsys.data.reading.shape.explode import explode, exploded_columns, place_column
from recsys.errors import DataError

PLACE = "item.#"


def exploded(frame: pl.DataFrame, **settings: object) -> dict[str, list[object]]:
    found = explode(frame, Explode(**{"columns": ("a",), **settings}))
    return found.to_dict(as_series=False)


def column(values: list[object], dtype: object) -> pl.DataFrame:
    return pl.DataFrame({"k": range(len(values)), "a": pl.Series(values, dtype=dtype)})


def test_each_item_gets_a_row_and_its_place() -> None:
    frame = column([["x", "y"], ["z"]], pl.List(pl.String))
    assert exploded(frame) == {"k": [0, 0, 1], PLACE: [0, 1, 0], "item": ["x", "y", "z"]}
    assert place_column(Explode(columns=("a",), name="line")) == "line.#"


@pytest.mark.parametrize(
    ("values", "dtype", "items"),
    [
        ([[1, None, 2], []], pl.List(pl.Int64), [1, 2, None]),
        ([[1, 2], None], pl.Array(pl.Int64, 2), [1, 2, None]),
        ([[[1], [2]], None], pl.List(pl.List(pl.Int64)), [[1], [2], None]),
        ([[True], []], pl.List(pl.Boolean), [True, None]),
        ([["  x ", "", "y"], [None]], pl.List(pl.String), ["x", "y", None]),
        ([["x"], None], pl.List(pl.Categorical), ["x", None]),
        ([None, None], pl.List(pl.Null), [None, None]),
        ([None, None], pl.Null, [None, None]),
        ([None, None], pl.String, [None, None]),
        ([" ", "x"], pl.String, [None, "x"]),
        ([7, None], pl.Int64, ["7", None]),
        (["x", None], pl.Categorical, ["x", None]),
    ],
)
def test_columns_of_every_type(values: list[object], dtype: object, items: list[object]) -> None:
    assert exploded(column(values, dtype))["item"] == items


def test_fields_of_every_depth() -> None:
    values = [[{"sku": "t", "price": {"net": 1.5, "tags": ["u"]}}], None]
    found = exploded(pl.DataFrame({"a": values}))
    assert found == {
        PLACE: [0, 0],
        "item.sku": ["t", None],
        "item.price.net": [1.5, None],
        "item.price.tags": [["u"], None],
    }


def test_an_object_without_a_list_is_one_item() -> None:
    found = exploded(pl.DataFrame({"a": [{"sku": "t"}, None]}))
    assert found == {PLACE: [0, 0], "item.sku": ["t", None]}


def test_all_null_structs_keep_their_fields() -> None:
    frame = column([None, []], pl.List(pl.Struct({"sku": pl.String, "n": pl.Int64})))
    assert exploded(frame) == {
        "k": [0, 1],
        PLACE: [0, 0],
        "item.sku": [None, None],
        "item.n": [None, None],
    }


def test_several_holders_are_one_list() -> None:
    frame = pl.DataFrame(
        {
            "i_1": ["a", "b", None],
            "k": [1, 2, 3],
            "i_2": ["c", "", None],
            "i_10": [None, "d", None],
        }
    )
    found = exploded(frame, columns=("i_*",))
    assert found == {
        "k": [1, 1, 2, 2, 3],
        PLACE: [0, 1, 0, 1, 0],
        "item": ["a", "c", "b", "d", None],
    }


def test_holders_with_other_fields_share_them() -> None:
    frame = pl.DataFrame({"a1": [[{"x": 1}]], "a2": [[{"y": 2}]]})
    found = exploded(frame, columns=("a*",))
    assert (found["item.x"], found["item.y"]) == ([1, None], [None, 2])


def test_holders_of_two_kinds_are_refused() -> None:
    frame = pl.DataFrame({"a1": [[{"x": 1}]], "a2": [["t"]]})
    with pytest.raises(DataError, match="a1 hold items with fields, a2 hold others"):
        exploded(frame, columns=("a*",))
    empty = frame.with_columns(a2=pl.lit(None, pl.List(pl.String)))
    assert exploded(empty, columns=("a1",))["item.x"] == [1]


def test_texts_are_cut_and_missing_ones_are_no_items() -> None:
    frame = pl.DataFrame({"a": ["x; y ;;", "NULL", None, ";"]})
    found = explode(frame, Explode(columns=("a",), separator=";"), ("", "NULL"))
    assert found.to_dict(as_series=False) == {
        PLACE: [0, 1, 0, 0, 0],
        "item": ["x", "y", None, None, None],
    }


def test_packed_fields() -> None:
    frame = pl.DataFrame(
        {"a": ["name:Tea | Milk|sku: T1 |url:http://x;name:Cup|n:2", None, "no pairs"]}
    )
    found = exploded(frame, separator=";", field_separator="|")
    assert found == {
        PLACE: [0, 1, 0, 0],
        "item.name": ["Tea | Milk", "Cup", None, None],
        "item.sku": ["T1", None, None, None],
        "item.url": ["http://x", None, None, None],
        "item.n": [None, "2", None, None],
    }


def test_packed_fields_with_another_sign_between_name_and_value() -> None:
    frame = pl.DataFrame({"a": ["sku=T1,n=2"]})
    found = exploded(frame, field_separator=",", pair_separator="=")
    assert (found["item.sku"], found["item.n"]) == (["T1"], ["2"])


def test_texts_without_any_pair_stay_one_column() -> None:
    assert exploded(pl.DataFrame({"a": ["x", "y"]}), field_separator="|")["item"] == ["x", "y"]


def test_a_frame_without_the_column_has_places() -> None:
    frame = pl.DataFrame({"k": [1, 2]})
    assert exploded(frame) == {"k": [1, 2], PLACE: [0, 0]}


def test_an_empty_frame_keeps_its_columns() -> None:
    frame = pl.DataFrame(schema={"k": pl.Int64, "a": pl.List(pl.Struct({"sku": pl.String}))})
    found = explode(frame, Explode(columns=("a",)))
    assert found.schema == {"k": pl.Int64(), PLACE: pl.Int64(), "item.sku": pl.String()}


def test_names_like_patterns_are_names() -> None:
    frame = pl.DataFrame({"^a$": ["x|y"], "a": ["kept"]})
    found = exploded(frame, columns=("^a$",), separator="|")
    assert found == {"a": ["kept", "kept"], PLACE: [0, 1], "item": ["x", "y"]}
    settings = Explode(columns=("line[1]", "n_?"))
    assert exploded_columns(settings, ("line[1]", "n_1", "n_11")) == ("line[1]", "n_1")


@pytest.mark.parametrize(
    ("taken", "values"), [("item", ["x"]), ("item.sku", [[{"sku": "x"}]]), (PLACE, ["x"])]
)
def test_a_name_that_is_there_is_refused(taken: str, values: list[object]) -> None:
    frame = pl.DataFrame({taken: ["own"], "a": values})
    with pytest.raises(DataError, match="explode makes one of that name") as caught:
        exploded(frame)
    assert "explode.name" in str(caught.value)
    assert exploded(frame, name="line")[taken] == ["own"]


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=4), min_size=1, max_size=20
    )
)
def test_grouping_gives_back_the_lists(lists: list[list[int | None]]) -> None:
    found = explode(column(lists, pl.List(pl.Int64)), Explode(columns=("a",)))
    again = found.group_by("k", maintain_order=True).agg("item", PLACE)
    filled = [[n for n in items if n is not None] for items in lists]
    assert again["item"].to_list() == [items or [None] for items in filled]
    assert again[PLACE].to_list() == [list(range(max(len(items), 1))) for items in filled]
    assert found["k"].to_list() == list(
        chain.from_iterable([k] * max(len(items), 1) for k, items in enumerate(filled))
    )
