"""Looks at what kind of events there are."""

import tomllib
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.looks.look import Severity
from tests.odd_files import ROWS, codes, orders, prepared


def test_ratings_that_became_purchases(tmp_path: Path) -> None:
    rated = orders().with_columns(rating=pl.Series([n % 5 + 1 for n in range(ROWS)]))
    (seen,) = prepared(tmp_path, rated).warnings
    assert seen.code == "ratings-as-purchases"
    assert seen.severity is Severity.WARNING
    assert seen.mapping is not None
    mended = prepared(tmp_path, rated, mapping={"events": tomllib.loads(seen.mapping)["events"]})
    assert "ratings-as-purchases" not in codes(mended)
    assert mended.events_by_type["purchase"] == mended.tables["events"].kept * 2 // 5
    for settings in ({"constants": {"event_type": "purchase"}}, {"guess": True}):
        typed = rated.with_columns(event=pl.lit("purchase"))
        table = rated if "constants" in settings else typed
        report = prepared(tmp_path, table, mapping={"events": settings})
        assert "ratings-as-purchases" not in codes(report)
    assert "ratings-as-purchases" not in codes(prepared(tmp_path, orders()))


@pytest.mark.parametrize("words", [("Refunded", "paid"), ("CANCELLED", "ok"), ("취소", "완료")])
def test_returns_that_nothing_reads(words: tuple[str, str], tmp_path: Path) -> None:
    status = pl.Series([words[n % 10 != 0] for n in range(ROWS)])
    odd = orders().with_columns(
        status.alias("Order State"), count=pl.lit("two"), **{"*": pl.lit("s")}
    )
    (seen,) = prepared(tmp_path, odd).warnings
    assert seen.code == "returns-not-read"
    assert f"150 of 1,500 of the first rows have {words[0]} in 'Order State'" in seen.text
    assert seen.mapping is not None
    mended = prepared(tmp_path, odd, mapping={"events": tomllib.loads(seen.mapping)["events"]})
    assert mended.warnings == ()
    assert mended.events_by_type["return"] == 150
    few = orders().with_columns(
        state=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("void")).otherwise(pl.lit("ok"))
    )
    (one,) = [look for look in prepared(tmp_path, few).looks if look.code == seen.code]
    assert one.severity is Severity.NOTE
    texts = orders().with_columns(text=pl.format("void {}", "order_id"))
    assert "returns-not-read" not in codes(prepared(tmp_path, texts))
