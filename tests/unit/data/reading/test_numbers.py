import polars as pl
import pytest

from recsys.data.reading.currency import currencies
from recsys.data.reading.numbers import AMBIGUOUS, ambiguous, read_number, read_numbers

BOTH = [
    ("19.00 EUR", 19.0),
    ("EUR 19", 19.0),
    ("eur 19", 19.0),
    ("$1,299.00", 1299.0),
    ("12,50 €", 12.5),
    ("£5", 5.0),
    ("₩12,000", 12000.0),
    ("JPY 1.200", 1200.0),
    ("R$ 5,00", 5.0),
    ("1 299,00 kr", 1299.0),
    ("5,00 kr.", 5.0),
    ("1\u202f299,00\u00a0€", 1299.0),
    ("1\u2009299,5", 1299.5),
    ("CHF 1'299.50", 1299.5),
    ("Fr. 1\u2019299.50", 1299.5),
    ("(12.50)", -12.5),
    ("($12.50)", -12.5),
    ("-5", -5.0),
    ("\u22125,5", -5.5),
    ("5-", -5.0),
    ("-€5", -5.0),
    ("€-5", -5.0),
    ("5,00- EUR", -5.0),
    ("1,299.00", 1299.0),
    ("1.299,00", 1299.0),
    ("1,299,000", 1299000.0),
    ("1.299.000", 1299000.0),
    ("1.299.000,5", 1299000.5),
    ("1'299", 1299.0),
    ("1,00,000.00", 100000.0),
    ("1,00,000", 100000.0),
    ("0,500", 0.5),
    ("1234,567", 1234.567),
    ("12,5", 12.5),
    (",5", 0.5),
    ("5,", 5.0),
    ("$.99", 0.99),
    ("Rs.5", 5.0),
    ("1.299", 1.299),
    ("1.299 €", 1.299),
    ("007", 7.0),
    ("True", 1.0),
    ("false", 0.0),
]
BAD = [
    "12 %", "12%", "1,2,3", "1.2.3", "12 34", "1 299 00", "1'29", "1,299.000,5", "12,34.5", "--5",
    "-5-", "(-5)", "5 XYZ", "EUR", "€€5", "5 EUR USD", "1 299'000", "0,500,000", ".", ",",
    "", "()", "1..5", "1,,5", "٣", "1.299,00.0", "12-5", "abc", "1,234,56",
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), BOTH)
def test_texts_that_show_how_they_are_read(written: str, expected: float) -> None:
    assert read_number(written, decimal_comma=None) == expected


@pytest.mark.parametrize("written", BAD)
@pytest.mark.parametrize("decimal_comma", [None, True, False])
def test_texts_that_are_no_numbers(written: str, *, decimal_comma: bool | None) -> None:
    assert read_number(written, decimal_comma=decimal_comma) is None


@pytest.mark.parametrize("written", ["1,299", "-1,299", "1,299 €", "$12,000", "999,999"])
def test_one_comma_and_three_digits_need_to_be_settled(written: str) -> None:
    assert read_number(written, decimal_comma=None) is AMBIGUOUS
    thousands = read_number(written, decimal_comma=False)
    decimal = read_number(written, decimal_comma=True)
    assert isinstance(thousands, float)
    assert isinstance(decimal, float)
    assert thousands == pytest.approx(decimal * 1000)


@pytest.mark.parametrize(
    ("written", "comma", "point"),
    [
        ("1.299", 1299.0, 1.299),
        ("12.5", None, 12.5),
        ("12,5", 12.5, None),
        ("1.299,00", 1299.0, None),
        ("1,299.00", None, 1299.0),
        ("0.500", None, 0.5),
        ("1 299,5", 1299.5, None),
        ("1 299.5", None, 1299.5),
        ("12,000 ₩", 12.0, 12000.0),
        ("1,00,000", None, 100000.0),
    ],
)
def test_a_setting_decides(written: str, comma: float | None, point: float | None) -> None:
    assert read_number(written, decimal_comma=True) == comma
    assert read_number(written, decimal_comma=False) == point


def test_a_column_is_read_as_its_texts() -> None:
    texts = [text for text, _ in BOTH] + BAD + [None, "1e3", "inf", "1,299"]
    frame = pl.DataFrame({"a": texts})
    for decimal_comma in (None, True, False):
        read = frame.select(read_numbers(pl.col("a"), decimal_comma=decimal_comma))["a"]
        for text, value in zip(texts, read.to_list(), strict=True):
            if text is None:
                assert value is None
            elif text == "1e3":
                assert value == 1000
            else:
                one = read_number(text, decimal_comma=decimal_comma)
                if decimal_comma is None and text in {"1.299", "1.299 €"}:
                    one = None  # Other texts of the column have decimal commas.
                expected = one if isinstance(one, float) else float("nan")
                assert value == pytest.approx(expected, nan_ok=True), text
    unclear = frame.select(ambiguous(pl.col("a"), decimal_comma=None).alias("b"))["b"]
    two_ways = {"1,299", "1.299", "1.299 €"}
    assert unclear.to_list() == [None if t is None else t in two_ways for t in texts]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [("12,50", None), ("1.000,5 €", None), ("12.5", 1.299), ("1,00,000", 1.299), ("", 1.299)],
)
def test_a_point_beside_decimal_commas_groups_or_does_not(
    beside: str, expected: float | None
) -> None:
    frame = pl.DataFrame({"a": ["1.299", beside, "0.500"]})
    read = frame.select(read_numbers(pl.col("a"), decimal_comma=None))["a"].fill_nan(None)
    assert read[0] == expected
    assert read[2] == 0.5
    whole = frame.select(read_numbers(pl.col("a"), decimal_comma=True))["a"]
    assert whole[0] == 1299.0


def test_currencies_of_a_column_are_counted() -> None:
    cells = pl.Series(["5 €", "EUR 5", "$5", "(£5)", "-5 €", "5", None, "5 apples", "€"])
    assert currencies(cells) == {"EUR": 3, "$": 1, "GBP": 1}
    assert currencies(cells.alias("count")) == currencies(cells)
    assert currencies(pl.Series([1.0])) == {}
