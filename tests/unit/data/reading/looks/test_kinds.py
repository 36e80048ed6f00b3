"""Looks at what kind of events there are."""

import tomllib
from pathlib import Path

import polars as pl

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
