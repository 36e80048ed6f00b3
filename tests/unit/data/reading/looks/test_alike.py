"""Looks for ids that are probably one, written in two ways."""

import tomllib
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.looks.look import Severity
from tests.odd_files import codes, orders, prepared

HALF = pl.int_range(pl.len()) < pl.len() // 2
CASE = "upper and lower case"


@pytest.mark.parametrize(
    ("column", "changed", "words", "setting"),
    [
        ("customer_id", pl.col("customer_id").str.to_uppercase(), CASE, "lower_case_ids"),
        ("item_id", pl.col("item_id").str.to_uppercase(), CASE, "lower_case_ids"),
        ("item_id", pl.format("'{}", "item_id"), "quotes around them", None),
    ],
)  # fmt: skip
def test_ids_in_two_forms(
    column: str, changed: pl.Expr, words: str, setting: str | None, tmp_path: Path
) -> None:
    odd = orders().with_columns(pl.when(HALF).then(changed).otherwise(column).alias(column))
    (seen,) = prepared(tmp_path, odd).warnings
    assert (seen.code, seen.severity) == ("ids-differ-little", Severity.WARNING)
    assert f"differ from another only in {words}, as " in seen.text
    assert (seen.mapping is not None) == (setting is not None)
    if seen.mapping is not None:
        events = {"events": tomllib.loads(seen.mapping)["events"]}
        assert set(events["events"]) == {setting}
        report = prepared(tmp_path, odd, mapping=events)
        assert "ids-differ-little" not in codes(report)
        assert report.warnings == ()


def test_leading_zeros_that_some_files_lack(tmp_path: Path) -> None:
    number = pl.col("item_id").str.strip_prefix("p")
    short = number.str.strip_chars_start("0")
    odd = orders().with_columns(item_id=pl.when(HALF).then(number).otherwise(short))
    odd = odd.filter(pl.col("item_id") != "")
    (seen,) = prepared(tmp_path, odd).warnings
    assert "only in leading zeros, as '001' and '1'; '010' and '10'" in seen.text
    assert seen.mapping == "[events]\nid_width = { item_id = 3 }"
    mended = prepared(tmp_path, odd, mapping=tomllib.loads(seen.mapping))
    assert mended.warnings == ()


def test_a_pair_among_many_is_a_note(tmp_path: Path) -> None:
    one = pl.int_range(pl.len()) == 0
    odd = orders().with_columns(
        customer_id=pl.when(one).then(pl.lit("C007")).otherwise("customer_id"),
        order_id=pl.when(one).then(pl.lit("x")).otherwise("order_id"),
    )
    few = pl.concat([odd, orders().with_columns(customer_id=pl.format("d{}", "order_id"))])
    report = prepared(tmp_path, few)
    (seen,) = [look for look in report.looks if look.code == "ids-differ-little"]
    assert seen.severity is Severity.NOTE
    assert "'C007' and 'c007'" in seen.text
    assert "ids-differ-little" not in codes(prepared(tmp_path, orders()))
