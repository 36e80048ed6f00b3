import pytest

from recsys.data.reading.delimiter import guess_below_titles, guess_delimiter


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_finds_what_separates(sign: str) -> None:
    lines = [sign.join(row) for row in (["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"])]
    assert guess_delimiter(lines, '"') == sign


def test_decimal_commas_do_not_mislead() -> None:
    assert guess_delimiter(["id;price", "a;1,50", "b;2,50"], '"') == ";"


def test_signs_inside_quotes_do_not_count() -> None:
    assert guess_delimiter(['"a,b,c";d', '"1,2,3";4'], '"') == ";"
    assert guess_delimiter(['"a,b,c";d', '"1,2,3";4'], "") == ","


def test_one_column_is_a_comma() -> None:
    assert guess_delimiter(["customer", "17"], '"') == ","


def test_titles_do_not_mislead() -> None:
    lines = ["Umsatz, Januar", "id;price", "a;1,50", "b;2,50"]
    assert guess_below_titles(lines, '"') == ";"
    assert guess_below_titles(["customer", "17"], '"') == ","
