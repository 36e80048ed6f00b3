from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.data.dataset import CUSTOMERS_FILE, EVENTS_FILE, ITEMS_FILE, Dataset
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import Sources, prepare
from recsys.errors import DataError

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in.csv").write_text(
        "customer_id,item_id,event_time\n"
        "ann,tea,2024-01-01\nbob,milk,2024-01-02\nann,tea,2024-01-03\n"
    )
    (tmp_path / "who.csv").write_text("customer_id,age\nann,30\n")
    sources = Sources(str(tmp_path / "in.csv"), customers=str(tmp_path / "who.csv"))
    prepare(sources, tmp_path / "out", Mapping(), now=NOW)
    return tmp_path / "out"


def test_opens_what_was_prepared(folder: Path) -> None:
    dataset = Dataset.open(folder)
    assert dataset.events.collect()["customer_id"].to_list() == ["ann", "bob", "ann"]
    assert dataset.items["item_id"].to_list() == ["milk", "tea"]
    assert dataset.customers.rows() == [("ann", 30)]


def test_customers_may_be_absent(folder: Path) -> None:
    (folder / CUSTOMERS_FILE).unlink()
    assert Dataset.open(folder).customers.rows() == []


def test_before_is_strict_and_has_its_own_digest(folder: Path) -> None:
    dataset = Dataset.open(folder)
    cutoff = datetime(2024, 1, 2, tzinfo=UTC)
    earlier = dataset.before(cutoff)
    assert earlier.events.collect()["item_id"].to_list() == ["tea"]
    assert earlier.digest != dataset.digest
    assert earlier.digest == Dataset.open(folder).before(cutoff).digest
    elsewhere = cutoff.astimezone(tz=datetime.strptime("+0500", "%z").tzinfo)
    assert earlier.digest == dataset.before(elsewhere).digest
    assert earlier.digest != dataset.before(cutoff + timedelta(seconds=1)).digest
    with pytest.raises(ValueError, match="no time zone"):
        dataset.before(cutoff.replace(tzinfo=None))


def test_the_digest_follows_the_content(folder: Path) -> None:
    before = Dataset.open(folder).digest
    assert Dataset.open(folder).digest == before
    items = pl.read_parquet(folder / ITEMS_FILE).with_columns(brand=pl.lit("x"))
    items.write_parquet(folder / ITEMS_FILE)
    assert Dataset.open(folder).digest != before


def test_what_is_not_a_data_set_says_how_to_make_one(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="recsys prepare"):
        Dataset.open(tmp_path)
    (folder / EVENTS_FILE).write_bytes(b"PAR1")
    with pytest.raises(DataError, match=EVENTS_FILE):
        Dataset.open(folder)


def test_a_table_of_another_kind_is_refused(folder: Path) -> None:
    events = pl.read_parquet(folder / EVENTS_FILE)
    events.drop("value").cast({"quantity": pl.Int64}).write_parquet(folder / EVENTS_FILE)
    with pytest.raises(DataError, match="another type: quantity, value"):
        Dataset.open(folder)
