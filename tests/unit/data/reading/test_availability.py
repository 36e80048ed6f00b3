import polars as pl
import pytest

from recsys.data.reading.availability import availability, is_no
from recsys.data.reading.mapping import FileMapping


def shown(values: list[object], dtype: object = None, name: str = "a") -> list[bool | None]:
    frame = pl.DataFrame({name: pl.Series(values, dtype=dtype)})
    return frame.select(x=availability(name, frame.schema[name], FileMapping()))["x"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        "in stock", "in_stock", "In Stock!", "instock", "IN-STOCK", "available", "yes", "TRUE",
        "1", "17", "0.5", "preorder", "pre-order", "backorder", "onbackorder",
        "limited availability",
        "https://schema.org/InStock", "http://schema.org/PreOrder", "schema:InStock",
        "active",
        "5 in stock", "In stock (10)", "12 left", "Only 3 left!", "1,000", "12.000", "Auf Lager",
        "verfügbar", "Disponible", "재고있음",
    ],
)  # fmt: skip
def test_words_for_yes(text: str) -> None:
    assert shown([text]) == [True]


@pytest.mark.parametrize(
    "text",
    [
        "out of stock", "out_of_stock", "outofstock", "Sold out", "no", "FALSE", "0", "0.0", "-3",
        "discontinued", "https://schema.org/OutOfStock", "http://schema.org/SoldOut", "draft",
        "Not in stock", "0 in stock", "unavailable", "0 left", "sold", "Nicht verfügbar",
        "Ausverkauft", "Agotado", "품절",
    ],
)  # fmt: skip
def test_words_for_no(text: str) -> None:
    assert shown([text]) == [False]


@pytest.mark.parametrize("text", ["", " ", None, "NULL", "perhaps", "3 weeks", "https://x.org/a"])
def test_what_says_neither(text: str | None) -> None:
    assert shown([text], pl.String) == [None]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([5, 0, -2, None], pl.Int64, [True, False, False, None]),
        ([0.5, 0.0, float("nan"), None], pl.Float64, [True, False, None, None]),
        ([1, 0], pl.UInt8, [True, False]),
        ([1, 0], pl.Decimal(10, 2), [True, False]),
        ([True, False, None], pl.Boolean, [True, False, None]),
        (["yes", "no"], pl.Categorical, [True, False]),
        ([None], pl.Null, [None]),
    ],
)
def test_columns_of_every_type(values: list[object], dtype: object, expected: object) -> None:
    assert shown(values, dtype) == expected


def test_a_name_like_a_pattern() -> None:
    assert shown([True], name="^a$") == [True]


def test_markets_say_no() -> None:
    texts = ["no", "0", "0.0", "-1", "10", "100", "yes", "", None, "perhaps", "sold out", "false"]
    found = pl.DataFrame({"a": texts}).select(x=is_no(pl.col("a")))["x"].to_list()
    assert found == [*[True] * 4, *[False] * 6, True, True]
