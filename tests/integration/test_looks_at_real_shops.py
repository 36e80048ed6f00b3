"""Real shops trigger no look wrongly."""

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.mapping import load_mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.report import DataReport
from recsys.data.reading.sources import Sources
from training.demo.complete_journey import MAPPING_FILE, demo_sources

SHARED = Path(os.environ.get("RECSYS_SHARED", "../shared"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def looks(report: DataReport) -> list[tuple[str, str, str]]:
    return [(look.severity.value, look.code, look.table) for look in report.looks]


def real(path: str) -> str:
    """Returns a file of the evaluation data, which are not in the repository."""
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"{file} is not there")
    return str(file)


def prepared(sources: Sources, folder: Path, mapping: Path | None = None) -> DataReport:
    return prepare(sources, folder / "out", load_mapping(mapping), now=NOW)


@pytest.mark.extra(name="demo")
def test_complete_journey(tmp_path: Path) -> None:
    sources = demo_sources()
    rows = pl.read_parquet(str(sources.events)).filter(pl.col("household_id") <= 300)
    rows.write_parquet(tmp_path / "transactions.parquet")
    some = Sources(
        str(tmp_path / "transactions.parquet"), items=sources.items, customers=sources.customers
    )
    assert looks(prepared(some, tmp_path, MAPPING_FILE)) == [
        ("note", "customers-do-not-join", "customers"),
        ("note", "columns-not-used", "events"),
        ("note", "columns-became-attributes", "items"),
        ("note", "columns-became-attributes", "customers"),
    ]


def test_online_retail(tmp_path: Path) -> None:
    file = real("data/online_retail/online_retail.parquet")
    report = prepared(
        Sources(file, items=file), tmp_path, Path("docs/examples/online_retail.toml")
    )
    # An item's row is that of its first sale.
    assert looks(report) == [
        ("note", "items-share-ids", "items"),
        ("note", "columns-not-used", "events"),
        ("note", "reading", "events"),
    ]


def test_retailrocket(tmp_path: Path) -> None:
    report = prepared(Sources(real("data/retailrocket/events.parquet")), tmp_path)
    assert looks(report) == []


def test_leading_zeros_that_were_lost(tmp_path: Path) -> None:
    report = prepared(
        Sources(real("cases/hm/hm_transactions.csv"), items=real("cases/hm/articles.csv")),
        tmp_path,
        _hm_mapping(tmp_path),
    )
    (look,) = [look for look in report.looks if look.code == "items-do-not-join"]
    assert look.severity == "warning"
    assert look.text == (
        "0 of 7 item ids of the events are in the catalogue; "
        "with leading zeros (10 digits), 7 of 7 of the others are"
    )
    assert look.mapping == "[events]\nid_width = { item_id = 10 }"


def _hm_mapping(folder: Path) -> Path:
    file = folder / "hm.toml"
    file.write_text(
        '[events.columns]\nevent_time = "t_dat"\nitem_id = "article_id"\n'
        '[items.columns]\nitem_id = "article_id"\n'
    )
    return file
