"""What each piece of the filter language keeps, and where each mistake is found."""

from datetime import UTC, datetime

import polars as pl
import pytest

from recsys.data.events import ITEM_SCHEMA, TIME
from recsys.errors import InvalidFilterError
from recsys.live.filters import compile_filter

SCHEMA: dict[str, pl.DataType] = {
    "title": pl.String(),
    "price": pl.Float64(),
    "cost": pl.Float64(),
    "size": pl.Int64(),
    "available": pl.Boolean(),
    "organic": pl.Boolean(),
    "created_at": TIME,
    "tags": pl.List(pl.String()),
    "date": pl.String(),
    "Net Weight": pl.Float64(),
    "Kind": pl.String(),
    "kind": pl.String(),
}


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


# title, price, cost, size, available, organic, created_at, tags, date, Net Weight, Kind, kind
ROWS = [
    ("Green Tea", 4.5, 2.0, 10, True, True, at(1), ["tea", "hot"], "mon", 0.5, "A", "x"),
    ("Coffee 100%", 9.0, 9.0, 20, True, None, at(2), ["coffee"], "tue", None, "B", "y"),
    ("it's_iced", 2.0, None, -3, False, False, at(3, 12), [], None, 2.5, "A", "y"),
    (None, None, 1.0, None, True, True, None, None, "mon", 1.0, None, None),
    ("Tea\nset", 30.0, 12.5, 2**53 + 1, False, True, at(9), ["tea", "gift"], "sun", 9.0, "C", "x"),
]
FRAME = pl.DataFrame(ROWS, schema=SCHEMA, orient="row")


def kept(text: str) -> list[int]:
    values = FRAME.select(compile_filter(text, SCHEMA).alias("kept"))["kept"]
    assert values.dtype == pl.Boolean
    assert values.null_count() == 0
    return [row for row, value in enumerate(values) if value]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("price = 4.5", [0]),
        ("price == 4.5", [0]),
        ("price <> 4.5", [1, 2, 4]),
        ("price != 4.5", [1, 2, 4]),
        ("price < 9", [0, 2]),
        ("price <= 9", [0, 1, 2]),
        ("price > 9.0", [4]),
        ("9 <= price", [1, 4]),
        ("price > -1", [0, 1, 2, 4]),
        ("price > 1e1", [4]),
        ("size = -3", [2]),
        ("size < 9999999999999999999999", [0, 1, 2, 4]),
        (f"size = {2**53 + 1}", [4]),
        (f"size = {2**53}", []),
        ("size > 9.5", [0, 1, 4]),
        ("price < cost", []),
        ("price = cost", [1]),
        ("size > price", [0, 1, 4]),
        ("Kind = kind", []),
        ("title = 'Green Tea'", [0]),
        ("title = 'it''s_iced'", [2]),
        ("title >= 'I'", [2, 4]),
        ("available", [0, 1, 3]),
        ("NOT available", [2, 4]),
        ("available = FALSE", [2, 4]),
        ("organic <> true", [2]),
        ("organic IS TRUE", [0, 3, 4]),
        ("organic IS NOT TRUE", [1, 2]),
        ("organic IS FALSE", [2]),
        ("organic = available", [0, 2, 3]),
    ],
)
def test_comparisons(text: str, rows: list[int]) -> None:
    assert kept(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("price IN (2, 4.5)", [0, 2]),
        ("price NOT IN (2, 4.5)", [1, 4]),
        ("size IN (10, 20.0)", [0, 1]),
        ("size IN (-3)", [2]),
        ("size IN (-3, 10, -4)", [0, 2]),
        ("size IN (10, -3) AND price IN (4.5, 9)", [0]),
        ("title IN ('Green Tea', 'x')", [0]),
        ("organic IN (FALSE)", [2]),
        ("created_at IN ('2026-01-02', '2026-01-03T12:00:00Z')", [1, 2]),
        ("'tea' IN tags", [0, 4]),
        ("'tea' IN (tags)", [0, 4]),
        ("'tea' NOT IN tags", [1, 2]),
        ("NOT 'tea' IN tags", [1, 2]),
        ("tags IN ('coffee', 'gift')", [1, 4]),
        ("tags NOT IN ('coffee', 'gift')", [0, 2]),
        ("tags IS NULL", [3]),
        ("price BETWEEN 4.5 AND 9", [0, 1]),
        ("price NOT BETWEEN 4.5 AND 9", [2, 4]),
        ("price BETWEEN 9 AND 4.5", []),
        ("10 BETWEEN cost AND price", []),
        ("3 BETWEEN cost AND price", [0]),
        ("title IS NULL", [3]),
        ("title IS NOT NULL", [0, 1, 2, 4]),
        ("created_at IS NULL", [3]),
    ],
)
def test_membership_and_ranges(text: str, rows: list[int]) -> None:
    assert kept(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("title LIKE 'Green%'", [0]),
        ("title LIKE '%Tea%'", [0, 4]),
        ("title LIKE '%tea%'", []),
        ("title LIKE '%set'", [4]),
        ("title LIKE 'Tea_set'", [4]),
        ("title LIKE 'Tea.set'", []),
        ("title LIKE 'Tea'", []),
        ("title LIKE '%'", [0, 1, 2, 4]),
        ("title LIKE ''", []),
        ("title LIKE '%100!%' ESCAPE '!'", [1]),
        ("title LIKE 'it''s!_iced' ESCAPE '!'", [2]),
        ("title LIKE '%!!%' ESCAPE '!'", []),
        ("title NOT LIKE '%Tea%'", [1, 2]),
        ("title NOT LIKE '%\\%' ESCAPE '\\'", [0, 2, 4]),
        ("NOT title LIKE '%100!%' ESCAPE '!'", [0, 2, 4]),
        ("title NOT LIKE '%100!%' ESCAPE '!'", [0, 2, 4]),
        ("NOT title NOT LIKE '%100!%' ESCAPE '!'", [1]),
        ("title LIKE '(%' OR title LIKE '[a-z]%' OR title LIKE '^%$'", []),
    ],
)
def test_like(text: str, rows: list[int]) -> None:
    assert kept(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("created_at = '2026-01-02'", [1]),
        ("created_at < '2026-01-03'", [0, 1]),
        ("created_at = '2026-01-03T12:00:00Z'", [2]),
        ("created_at = '2026-01-03T14:00:00+02:00'", [2]),
        ("created_at = '2026-01-03 12:00:00'", [2]),
        ("created_at BETWEEN '2026-01-02' AND '2026-01-09'", [1, 2, 4]),
        ("created_at > '0001-01-01'", [0, 1, 2, 4]),
        ("created_at < '9999-12-31T23:59:59'", [0, 1, 2, 4]),
    ],
)
def test_times(text: str, rows: list[int]) -> None:
    assert kept(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("price < 5 AND available", [0]),
        ("price < 5 OR available", [0, 1, 2, 3]),
        ("available OR price < 5 AND size < 0", [0, 1, 2, 3]),
        ("(available OR price < 5) AND size < 0", [2]),
        ("NOT price < 5 AND available", [1]),
        ("NOT (price < 5 AND available)", [1, 2, 4]),
        ("NOT (price < 5 OR organic)", []),
        ("NOT (price > 5 AND organic)", [0, 2]),
        ("NOT NOT price < 5", [0, 2]),
        ("price < 5 or NOT (price < 5)", [0, 1, 2, 4]),
        ("((((price = 2))))", [2]),
        ("\tprice\n=\r\n2\u00a0", [2]),
    ],
)
def test_logic_is_three_valued(text: str, rows: list[int]) -> None:
    assert kept(text) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("PRICE = 2", [2]),
        ('"price" = 2', [2]),
        ("date = 'mon'", [0, 3]),
        ('"Net Weight" > 1', [2, 4]),
        ('"net weight" IS NULL OR price = 2', None),
        ("Kind = 'A'", [0, 2]),
        ("kind = 'x'", [0, 4]),
        ("KIND = 'x'", None),
        ('"PRICE" = 2', None),
    ],
)
def test_names_of_columns(text: str, rows: list[int] | None) -> None:
    if rows is None:
        with pytest.raises(InvalidFilterError, match="there is no column"):
            kept(text)
    else:
        assert kept(text) == rows


# The bar stands before the token that the position must name.
@pytest.mark.parametrize(
    ("marked", "description"),
    [
        ("|", "empty"),
        ("|   ", "empty"),
        ("price < 5 AND |prise > 1", "there is no column 'prise'; columns are"),
        ('title = |"tea"', "single quotes"),
        ("price < |'5'", "'5' is compared with a column of numbers"),
        ("title = |5", "'5' is compared with a column of texts"),
        ("title = -|5", "compared"),
        ("available = |1", "compared with a column of flags"),
        ("available = |'true'", "compared"),
        ("price = |TRUE", "compared"),
        ("price = |NULL", "IS NULL"),
        ("price IN (1, |NULL)", "IS NULL"),
        ("title IN ('a', |2)", "compared"),
        ("price IN (1, |cost)", "cannot stand here"),
        ("title IN |tags", "cannot stand here"),
        ("'a' IN |title", "not lists"),
        ("|'a' IN ('a')", "column on one side"),
        ("price IN |1", "list of values"),
        ("price IN (1, |2", "cannot be read"),
        ("price IN (1|,", "cannot be read"),
        ("price IN (1, 2, |'a')", "compared"),
        ("price IN (1, (|2))", "cannot stand here"),
        ("|price IN ()", "list of values"),
        ("|tags = 'tea'", "'text' IN tags"),
        ("|tags LIKE 't%'", "LIKE needs"),
        ("|price LIKE 't%'", "LIKE needs"),
        ("title LIKE |5", "compared"),
        ("title LIKE |price", "cannot stand here"),
        ("title LIKE |'a!b' ESCAPE '!'", "escapes nothing"),
        ("title LIKE |'a!' ESCAPE '!'", "escapes nothing"),
        ("title LIKE 'a' ESCAPE |'ab'", "one character"),
        ("title LIKE 'a' ESCAPE |5", "cannot be read"),
        ("title |ESCAPE 'a'", "cannot be read"),
        ("|title", "compare it with something"),
        ("price = 1 AND |tags", "compare it with something"),
        ("|1 = 1", "needs a column"),
        ("|IN", "'IN' cannot stand here"),
        ("|IN IS NULL", "cannot"),
        ("|TRUE", "'BOOLEAN' cannot stand here"),
        ("|available < TRUE", "no order"),
        ("price = |title", "'price' holds numbers, 'title' texts"),
        ("|price IS TRUE", "compare it"),
        ("price IS |5", "NULL, TRUE or FALSE"),
        ("|5 IS NULL", "IS needs a column"),
        ("created_at > |'yesterday'", "not a time"),
        ("created_at > |'2026-13-01'", "not a time"),
        ("created_at > |'0001-01-01T00:00:00+14:00'", "not a time"),
        ("created_at > |5", "compared with a column of times"),
        ("size = |1e999", "too large"),
        ("|lower(title) = 'a'", "functions are not allowed: 'lower'"),
        ("price = 1 OR |read_csv('/etc/passwd')", "functions are not allowed"),
        ("price |+ 1 = 2", "'+' is not part"),
        ("price |- 1 = 2", "arithmetic"),
        ("price = |-cost", "arithmetic"),
        ("price = |- -5", "arithmetic"),
        ("(price) |-1 = 2", "arithmetic"),
        ("price = (|SELECT 1)", "'SELECT' is not part"),
        ("price = 1|; DROP TABLE items", "';' is not part"),
        ("price = 1 |-- all", "comments"),
        ("|/* all */ price = 1", "comments"),
        ("price /* a */ = 1", None),
        ("price = |--1", "comments"),
        ("title = |'abc", "not closed"),
        ('|"title = 1', "not closed"),
        ("price = 1|)", "cannot be read"),
        ("price = 1 |price = 2", "cannot be read"),
        ("title = |'a' 'b'", "'CONCAT' cannot stand here"),
        ("title = |\x00", "control character"),
        ("title = '|\x1b'", "control character"),
        ("title = '|\ud800'", "surrogate"),
        ("title LIKE |'" + "a" * 257 + "'", "longer than 256"),
        ("|price = cost = 1", "needs a column"),
        ("(|price, size) = (1, 2)", "needs a column"),
    ],
)
def test_mistakes_are_named_where_they_stand(marked: str, description: str | None) -> None:
    if description is None:
        with pytest.raises(InvalidFilterError, match="comments"):
            kept(marked)
        return
    text = marked.replace("|", "", 1)
    with pytest.raises(InvalidFilterError) as caught:
        kept(text)
    assert description in caught.value.description
    assert caught.value.position == marked.index("|")
    assert caught.value.metadata["position"] == str(marked.index("|"))


def test_limits() -> None:
    chain = " OR ".join(["price = 2"] * 64)
    assert kept(chain) == [2]
    assert kept("(" * 24 + "price = 2" + ")" * 24) == [2]
    assert kept(" AND ".join(["price BETWEEN 1 AND 3"] * 64)) == [2]
    assert kept("price IN (" + ",".join(map(str, range(1000))) + ")") == [1, 2, 4]
    assert kept("title IN (" + ",".join(["'it''s_iced'"] * 585) + ")") == [2]
    filled = "title <> '" + "a" * (8192 - 11) + "'"
    assert kept(filled) == [0, 1, 2, 4]
    for text, limit in [
        (chain + " OR price = 2", "64 terms"),
        (" OR ".join(["available"] * 65), "64 terms"),
        (" AND ".join(["price BETWEEN 1 AND 3"] * 65), "64 terms"),
        ("(" * 25 + "price = 2" + ")" * 25, "24 deep"),
        ("NOT " * 25 + "available", "24 deep"),
        ("NOT (" * 13 + "available" + ")" * 13, "24 deep"),
        ("price IN (" + ",".join(map(str, range(1001))) + ")", "1000 values"),
        ("price IN (" + "1 " * 3000 + ")", "1000 values"),
        ("price " * 1001, "1000 words"),
        (filled + " ", "8192 bytes"),
        ("title = '" + "é" * 4100 + "'", "8192 bytes"),
    ]:
        with pytest.raises(InvalidFilterError, match=limit):
            kept(text)


def test_depth_is_that_of_nesting_not_of_length() -> None:
    assert kept(" AND ".join(["NOT (NOT (price = 2))"] * 64)) == [2]


def test_a_column_of_another_type_cannot_be_filtered() -> None:
    schema = {**SCHEMA, "markets": ITEM_SCHEMA["markets"]}
    for text in ("markets IS NULL AND markets = 1", "markets"):
        with pytest.raises(InvalidFilterError, match="cannot be filtered"):
            compile_filter(text, schema)


def test_long_words_are_cut_in_errors() -> None:
    with pytest.raises(InvalidFilterError) as caught:
        kept("x" * 8000)
    assert len(caught.value.description) < 500
