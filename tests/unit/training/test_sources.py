"""Data sets from files, stores and data sets: each event once, and nobody who must not be in."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import typer

from recsys.data.dataset import Dataset
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.report import DataReport
from recsys.data.reading.sources import Sources
from recsys.errors import DataError
from recsys.store.archives import Archives
from recsys.store.archiving import archive
from recsys.store.catalogue import ItemColumns
from recsys.store.consent import Consent
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import LogPosition, visitor_key
from tests.stores import DAY_US, NOON, log_event
from training.sources import opened_feeds, opened_store, shown

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def shop(*, event_ids: bool = True) -> list[LogEvent]:
    """Customers and visitors over ten days; some did the same thing twice at once."""
    rows = [
        log_event(
            f"e{number}" if event_ids else None,
            visitor_key(f"v{number % 4}") if number % 5 == 0 else f"c{number % 7}",
            f"item-{number % 9}",
            event_type="purchase" if number % 3 else "view",
            event_time=NOON + number * 7 % 10 * DAY_US + number * 1_000,
        )._replace(unit_price=1.5 * (number % 4) or None, properties='{"till": 1}')
        for number in range(60)
    ]
    return rows + rows[-2:] if not event_ids else rows


def written(file: Path, rows: list[LogEvent]) -> str:
    """Writes events as a retailer would and returns the file's name."""
    frame = pl.DataFrame(
        rows, schema=list(LogEvent._fields), orient="row", infer_schema_length=None
    )
    visitor = pl.col("customer_id").str.starts_with("visitor/")
    frame.with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")),
        visitor_id=pl.when(visitor).then(pl.col("customer_id").str.slice(len("visitor/"))),
        customer_id=pl.when(~visitor).then("customer_id"),
    ).write_parquet(file)
    return str(file)


def prepared(
    out: Path, *sources: object, events: str | None = None, items: str | None = None
) -> tuple[Dataset, DataReport]:
    with opened_feeds([str(source) for source in sources], None) as feeds:
        files = Sources(events, items, feeds=feeds)
        report = prepare(files, out, Mapping(), now=NOW)
    return Dataset.open(out), report


@pytest.fixture
def url(store_url: str, store: Store) -> str:
    """A store with an archives folder of its own is only read where nothing is archived."""
    del store
    return store_url


@pytest.fixture
def embedded(tmp_path: Path) -> str:
    return f"store://{tmp_path / 'embedded'}"


def events_of(dataset: Dataset) -> pl.DataFrame:
    return dataset.events.collect()


@pytest.mark.parametrize("rows", [shop(), shop(event_ids=False)], ids=["ids", "no ids"])
def test_a_file_and_a_store_give_the_same_data_set(
    url: str, store: Store, tmp_path: Path, rows: list[LogEvent]
) -> None:
    file = written(tmp_path / "events.parquet", rows)
    store.append([*rows[31:], *rows[:31][::-1]])
    from_file, _ = prepared(tmp_path / "a", events=file)
    from_store, report = prepared(tmp_path / "b", url)
    assert from_store.digest == from_file.digest
    assert (from_file.log, from_store.log) == (None, LogPosition(store.id, len(rows), 0))
    both, counts = prepared(tmp_path / "c", url, tmp_path / "a", events=file)
    assert both.digest == from_file.digest
    assert counts.tables["events"].duplicates == 2 * len(rows)
    assert counts.tables["events"].kept == len(rows)
    assert report.log == {"store_id": store.id, "position": len(rows), "links": 0}


def test_archived_events_are_read(embedded: str, tmp_path: Path) -> None:
    store = open_store(embedded)
    store.append(shop())
    store.close()
    whole, _ = prepared(tmp_path / "a", embedded)
    store = open_store(embedded)
    archive(Archives(store), before=NOON + 6 * DAY_US, up_to=40)
    store.close()
    assert prepared(tmp_path / "b", embedded)[0].digest == whole.digest


def test_linked_visitors_are_customers(url: str, store: Store, tmp_path: Path) -> None:
    store.append(shop())
    store.link_visitor("v0", "c1")
    extra = written(tmp_path / "more.parquet", [log_event("before", visitor_key("v0"))])
    dataset, _ = prepared(tmp_path / "a", url, events=extra)
    assert dataset.log == LogPosition(store.id, 60, 1)
    found = events_of(dataset)
    assert not found["customer_id"].is_in(["visitor/v0"]).any()
    assert found.filter(event_id="before")["customer_id"].to_list() == ["c1"]
    assert found["customer_id"].is_in(["visitor/v1"]).any()


def test_links_of_later_are_not_applied(url: str, store: Store, tmp_path: Path) -> None:
    store.append(shop())
    with opened_feeds([url], None) as feeds:
        store.append([log_event("later")])
        prepare(Sources(feeds=feeds), tmp_path / "a", Mapping(), now=NOW)
    dataset = Dataset.open(tmp_path / "a")
    assert dataset.log == LogPosition(store.id, 60, 0)
    assert "later" not in events_of(dataset)["event_id"]


def test_who_refused_training_or_was_erased_is_left_out(
    url: str, store: Store, tmp_path: Path
) -> None:
    store.append(shop())
    file = written(tmp_path / "events.parquet", shop())
    (tmp_path / "people.csv").write_text("customer_id,region\nc1,n\nc2,s\nc3,n\n")
    store.link_visitor("v1", "c1")
    store.link_visitor("v2", "c2")
    refusal = Consent(use_in_training=False)
    store.writer.write("set_consent", {"customer_id": "c1", "consent": list(refusal)})
    store.writer.write("erase_customer", {"customer_id": "c2"})
    with opened_feeds([url], None) as feeds:
        sources = Sources(file, customers=str(tmp_path / "people.csv"), feeds=feeds)
        report = prepare(sources, tmp_path / "a", Mapping(), now=NOW)
    dataset = Dataset.open(tmp_path / "a")
    left = set(events_of(dataset)["customer_id"])
    assert left.isdisjoint({"c1", "c2", "visitor/v1", "visitor/v2"})
    assert {"c3", "visitor/v3"} <= left
    assert dataset.customers["customer_id"].to_list() == ["c3"]
    gone = [row for row in shop() if row.customer_id in {"c1", "visitor/v1"}]
    erased = [row for row in shop() if row.customer_id in {"c2", "visitor/v2"}]
    assert report.left_out == {
        "customer refused training": len(gone),
        "customer was erased": len(erased),
    }
    counts = report.tables["events"]
    assert counts.rows == counts.kept + counts.duplicates + counts.left_out
    assert report.tables["customers"].left_out == 2


def test_events_after_an_erasure_count(url: str, store: Store, tmp_path: Path) -> None:
    store.append([log_event("old", "anna"), log_event("other", "ben")])
    erased = store.writer.write("erase_customer", {"customer_id": "anna"})
    again = erased[0] + 60_000_000
    store.append([log_event("new", "anna", event_time=again)])
    later = datetime.fromtimestamp(again / 1e6, UTC)
    file = written(tmp_path / "old.parquet", [log_event("old", "anna")])
    with opened_feeds([url], None) as feeds:
        prepare(Sources(file, feeds=feeds), tmp_path / "a", Mapping(), now=later)
    assert events_of(Dataset.open(tmp_path / "a"))["event_id"].to_list() == ["other", "new"]


def test_the_live_catalogue_lies_over_files(url: str, store: Store, tmp_path: Path) -> None:
    store.append(shop())
    (tmp_path / "items.csv").write_text(
        "item_id,title,price,caffeine\nitem-1,One,1,true\nitem-2,Two,2,false\nitem-8,Eight,8,true\n"
    )
    changes = [
        ItemColumns("item-1", {"price": 9.5}),
        ItemColumns("new", {"title": "New", "organic": True}),
    ]
    store.upsert_items(changes[:1], replaces=False, bundled={"item-1"})
    store.upsert_items(changes[1:], replaces=True)
    store.remove_items(["item-2"], bundled={"item-2"})
    dataset, report = prepared(tmp_path / "a", url, events=None, items=str(tmp_path / "items.csv"))
    rows = {row["item_id"]: row for row in dataset.items.iter_rows(named=True)}
    assert (rows["item-1"]["title"], rows["item-1"]["price"]) == ("One", 9.5)
    assert not rows["item-2"]["available"]
    assert (rows["new"]["title"], rows["new"]["organic"], rows["new"]["available"]) == (
        *("New", True),
        True,
    )
    assert rows["item-8"]["caffeine"]
    assert len(rows) == 10
    assert report.tables["items"].fed == 1


def test_data_sets_complete_each_other(tmp_path: Path) -> None:
    for name, rows, items in (
        ("one", shop()[:40], "item_id,title,size\nitem-1,One,7\n"),
        ("two", shop()[20:], "item_id,title,size\nitem-0,Zero,L\nitem-1,Other,M\n"),
    ):
        (tmp_path / f"{name}.csv").write_text(items)
        file = written(tmp_path / f"{name}.parquet", rows)
        prepared(tmp_path / name, events=file, items=str(tmp_path / f"{name}.csv"))
    both, report = prepared(tmp_path / "both", tmp_path / "one", tmp_path / "two")
    assert report.tables["events"].duplicates == 20
    whole, _ = prepared(tmp_path / "c", events=written(tmp_path / "all.parquet", shop()))
    assert events_of(both).equals(events_of(whole))
    found = both.items.select("item_id", "title", "size").head(2).rows()
    assert found == [("item-0", "Zero", "L"), ("item-1", "One", "7")]


def test_a_data_set_remembers_the_log(embedded: str, tmp_path: Path) -> None:
    store = open_store(embedded)
    store.append(shop()[:30])
    prepared(tmp_path / "old", embedded)
    store.append(shop()[30:])
    prepared(tmp_path / "new", embedded)
    store.close()
    both, _ = prepared(tmp_path / "both", tmp_path / "old", tmp_path / "new")
    assert both.log == LogPosition(store.id, 60, 0)
    (tmp_path / "new" / "log.json").write_text("{}")
    with pytest.raises(DataError, match="prepare the data set again"):
        Dataset.open(tmp_path / "new")


def test_two_stores_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store = open_store(f"store://{tmp_path / name}")
        store.append(shop()[:3])
        store.close()
        prepared(tmp_path / f"{name}-data", f"store://{tmp_path / name}")
    with pytest.raises(DataError, match="different stores"):
        prepared(tmp_path / "both", tmp_path / "one-data", tmp_path / "two-data")
    with pytest.raises(typer.BadParameter, match="one store"):
        prepared(tmp_path / "both", f"store://{tmp_path / 'one'}", f"store://{tmp_path / 'two'}")


def test_what_cannot_be_read_says_what_to_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no event to train on: a store gets its events from"):
        prepared(tmp_path / "a", url)
    with pytest.raises(DataError, match=r"no store.*recsys serve --store"):
        prepared(tmp_path / "a", f"store://{tmp_path / 'nowhere'}")
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(DataError, match="not a prepared data set"):
        prepared(tmp_path / "a", tmp_path / "nowhere")
    for wrong in ("store://", "mysql://localhost/x"):
        with pytest.raises(typer.BadParameter, match=r"store://FOLDER|postgresql"):
            prepared(tmp_path / "a", wrong)
    with (
        pytest.raises(DataError, match="no store"),
        opened_store(f"store://{tmp_path / 'nowhere'}", None, "command"),
    ):
        pass
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_store_beside_files_is_no_fault(url: str, store: Store, tmp_path: Path) -> None:
    dataset, _ = prepared(tmp_path / "a", url, events=written(tmp_path / "e.parquet", shop()))
    assert dataset.log == LogPosition(store.id, 0, 0)
    assert json.loads((tmp_path / "a" / "report.json").read_text())["log"]["position"] == 0


def test_secrets_are_not_shown() -> None:
    assert shown("postgresql://me:secret@db:5432/shop?password=x") == "postgresql://db:5432/shop"
    assert shown("postgresql:///shop") == "postgresql:///shop"
    assert shown("store://var/store") == "store://var/store"
