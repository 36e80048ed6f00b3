"""Parameters of filters are literals and nothing else, wherever they stand."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.live.eligibility import Eligibility
from recsys.live.filter_parameters import to_parameters
from recsys.live.filter_tokens import parameter_names
from recsys.live.filters import compile_filter
from tests.small_shop import shop_items

SCHEMA = {
    "price": pl.Float64(),
    "size": pl.Int64(),
    "title": pl.String(),
    "organic": pl.Boolean(),
    "tags": pl.List(pl.String()),
}
FRAME = pl.DataFrame(
    {
        "price": [1.0, 2.5, None, 40.0],
        "size": [1, -2, 3, 2**53 + 1],
        "title": ["tea", "it's", "a:b", None],
        "organic": [True, False, None, True],
        "tags": [["a"], ["b", "c"], [], None],
    },
    schema=SCHEMA,
)


def kept(text: str, **values: object) -> list[bool]:
    """Returns which rows pass."""
    expression = compile_filter(text, SCHEMA, to_parameters(values))
    return FRAME.select(expression.alias("kept"))["kept"].to_list()


@pytest.mark.parametrize(
    ("text", "values", "written"),
    [
        ("price < :most", {"most": 3}, "price < 3"),
        ("price < :most", {"most": 3.0}, "price < 3"),
        ("size > :least", {"least": -2.5}, "size > -2.5"),
        ("size = :size", {"size": 2**53 + 1}, f"size = {2**53 + 1}"),
        ("title = :title", {"title": "it's"}, "title = 'it''s'"),
        ("title = ':title' OR title = :title", {"title": "a:b"}, "title = 'a:b'"),
        ("title LIKE :some", {"some": "%t%"}, "title LIKE '%t%'"),
        ("organic = :yes", {"yes": True}, "organic"),
        ("title IN :some", {"some": ["tea", "it's"]}, "title IN ('tea', 'it''s')"),
        ("title IN (:some)", {"some": ["tea", "it's"]}, "title IN ('tea', 'it''s')"),
        ("title IN (:some, 'x')", {"some": ["tea", "it's"]}, "title IN ('tea', 'it''s', 'x')"),
        ("title IN (:one, :two)", {"one": "tea", "two": "x"}, "title IN ('tea', 'x')"),
        ("size NOT IN :some", {"some": [-2, 3.0]}, "size NOT IN (-2, 3)"),
        (":tag IN tags", {"tag": "a"}, "'a' IN tags"),
        ("tags IN :some", {"some": ["c", "x"]}, "tags IN ('c', 'x')"),
        ("price BETWEEN :low AND :high", {"low": 2, "high": 50}, "price BETWEEN 2 AND 50"),
        ("size = :x OR price = :x", {"x": 1}, "size = 1 OR price = 1"),
        ("title = :order", {"order": "tea"}, "title = 'tea'"),
    ],
)
def test_a_bound_value_is_what_would_be_written(
    text: str, values: dict[str, object], written: str
) -> None:
    assert kept(text, **values) == kept(written)


HOSTILE = ["' OR 1 = 1 --", "tea' OR organic --", ":x", "\x00", "'; DROP TABLE x", "(", "a\nb"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_text_is_never_read_as_a_filter(value: str) -> None:
    assert kept("title = :x", x=value) == [False] * 4
    assert kept("title IN :x", x=[value, "tea"]) == [True, False, False, False]


@given(st.text(max_size=20), st.lists(st.integers(-(2**60), 2**60), min_size=1, max_size=5))
def test_any_value_is_compared_as_itself(text: str, numbers: list[int]) -> None:
    frame = pl.DataFrame({"title": [text, text + "x"], "size": [numbers[0], 7]})
    schema = {"title": pl.String(), "size": pl.Int64()}
    bound = to_parameters({"t": text, "n": numbers})
    same = frame.select(compile_filter("title = :t", schema, bound))
    assert same.to_series().to_list() == [True, False]
    one = frame.select(compile_filter("size IN :n", schema, bound)).to_series()
    assert one[0]


@pytest.mark.parametrize(
    ("text", "values", "position"),
    [
        ("price < :most", {}, 8),
        ("price < :most", {"most": "3"}, 8),
        ("title = :x", {"x": 3}, 8),
        ("title = :x", {"x": ["tea"]}, 8),
        ("title IN ('a', :x)", {"x": ["tea", "b"]}, 15),
        ("organic = :x", {"x": 1}, 10),
        ("size IN :x", {"x": [1, 2] * 600}, 8),
        (":x = :x", {"x": 1}, 0),
        ("price :x 3", {"x": "<"}, None),
        (":x < 3", {"x": "price"}, None),
        ("price < : most", {"most": 3}, 8),
        ("price < :'most'", {"most": 3}, 8),
        ("price < ::most", {"most": 3}, 8),
        ("price < :1", {"1": 3}, 8),
        ("price < ?", {}, 8),
        ("price < @most", {"most": 3}, 8),
        ("price < :most:most", {"most": 3}, None),
        ("price < :", {}, 8),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    text: str, values: dict[str, object], position: int | None
) -> None:
    with pytest.raises(InvalidFilterError) as error:
        kept(text, **values)
    assert 0 <= error.value.position <= len(text)
    if position is not None:
        assert error.value.position == position


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [],
        [["a"]],
        ["a", 1],
        [True],
        float("nan"),
        float("inf"),
        "\ud800",
        b"x",
        "x" * 70_000,
    ],
)
def test_values_that_no_filter_can_hold_are_refused(value: object) -> None:
    with pytest.raises(InvalidQueryError) as error:
        to_parameters({"x": value})
    assert error.value.field.startswith("filter_parameters")


def test_names_are_found() -> None:
    assert parameter_names("a < :x AND b IN :y OR c = ':z'") == {"x", "y"}


def test_masks_are_kept_for_each_value() -> None:
    eligibility = Eligibility(shop_items())

    def mask(value: object) -> list[bool]:
        bound = to_parameters({"x": value})
        return eligibility.mask("caffeine = :x", None, bound).tolist()

    assert mask(True) != mask(False)  # noqa: FBT003
    with pytest.raises(InvalidFilterError):
        mask(1)  # equal to True, and yet another value
    low = eligibility.mask("price < :x", None, (("x", 5),))
    assert eligibility.mask("price < :x", None, (("x", 5),)) is low
    assert eligibility.mask("price < :x", None, (("x", 50),)).sum() > low.sum()
