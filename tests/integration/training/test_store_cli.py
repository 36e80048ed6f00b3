"""From a store to a bundle and to archives, as a person types it."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.bundle import current, read_manifest
from recsys.data.dataset import Dataset
from recsys.data.events import EVENT_SCHEMA
from recsys.store.archives import Archives
from recsys.store.events import LogEvent
from recsys.store.listener import Listener
from recsys.store.log import Log
from recsys.store.open import open_store
from recsys.store.url import folder_of
from recsys.types import LogPosition
from tests.integration.training.commands import in_process
from tests.small_shop import shop_events, shop_items
from tests.stores import log_event


def log_events() -> list[LogEvent]:
    """The small shop's events as they come in, the oldest one 500 days ago."""
    shop = shop_events().select(EVENT_SCHEMA.keys())
    first = shop["event_time"].min()
    shift = datetime.now(UTC) - timedelta(days=500)
    moved = shop.with_columns(
        (pl.col("event_time") - pl.lit(first) + pl.lit(shift)).dt.epoch("us").alias("event_time")
    )
    return [LogEvent(*row) for row in moved.iter_rows()]


def training(*words: object) -> str:
    said = in_process(*words)
    assert said.status == 0, said
    return said.output


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    """A store in which half of the shop's events are; the other half lies in a file."""
    url = f"store://{tmp_path_factory.mktemp('live') / 'store'}"
    store = open_store(url)
    rows = log_events()
    store.append(rows[: len(rows) // 2 + 50])
    store.link_visitor("v1", "customer-01")
    store.close()
    return url


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    rows = log_events()
    frame = pl.DataFrame(rows[len(rows) // 2 :], orient="row", schema=list(LogEvent._fields))
    frame.write_parquet(folder / "events.parquet")
    shop_items().write_parquet(folder / "items.parquet")
    training(
        *("prepare", "--events", folder / "events.parquet", "--items", folder / "items.parquet"),
        *("--out", folder / "data"),
    )
    return folder / "data"


@pytest.fixture(scope="module")
def bundles(url: str, history: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    (folder / "small.toml").write_text("[models.taste]\nembedding_size = 8\n")
    printed = training(
        *("run", "--source", url, "--source", history, "--data", folder / "work"),
        *("--bundles", folder / "root", "--config", folder / "small.toml"),
    )
    assert "up to position" in printed
    return folder / "root"


def test_a_bundle_of_both_knows_how_far_the_log_went(url, bundles) -> None:
    store = open_store(url, role="reader")
    end = Log.of(store).end
    assert end == LogPosition(store.id, len(log_events()) // 2 + 50, 1)
    manifest = read_manifest(current(bundles))
    assert manifest.log_position() == end
    prepared = Dataset.open(bundles.parent / "work" / "prepared")
    assert prepared.log == end
    ids = prepared.events.select("event_id").collect()["event_id"]
    assert sorted(ids) == sorted(row.event_id or "" for row in log_events())
    assert manifest.data["digest"] == prepared.digest
    store.close()


def test_info_export_archive(url, bundles, tmp_path) -> None:
    count = len(log_events()) // 2 + 50
    told = training("store", "info", url)
    assert f"{count:,}" in told
    archived = training("store", "archive", url, "--older-than", 470, "--bundles", bundles)
    store = open_store(url, role="reader")
    left = len(store.rows(0, count, count))
    assert 0 < left < count
    assert f"{count - left:,} events" in archived
    store.close()
    assert f"{count - left:,} in" in training("store", "info", url)
    out = tmp_path / "export"
    assert f"{count:,} events" in training("store", "export", url, "--out", out)
    training("prepare", "--events", out, "--out", tmp_path / "from-export")
    training("prepare", "--source", url, "--out", tmp_path / "from-store")
    folders = (tmp_path / "from-export", tmp_path / "from-store")
    assert Dataset.open(folders[0]).digest == Dataset.open(folders[1]).digest
    report = json.loads((folders[1] / "report.json").read_text())
    assert report["tables"]["events"]["kept"] == count


def test_mistakes_are_explained(url, history, tmp_path) -> None:
    nowhere = f"store://{tmp_path / 'nowhere'}"
    roots = ("--bundles", tmp_path / "empty")
    for words, status, text in (
        (("prepare", "--source", nowhere, "--out", tmp_path / "x"), 1, "there is no store"),
        (("prepare", "--source", "store://", "--out", tmp_path / "x"), 2, "store://FOLDER"),
        (("prepare", "--out", tmp_path / "x"), 2, "--source"),
        (("run", *roots), 2, "--source"),
        (("run", *roots, "--source", "redis://x"), 2, "store://FOLDER"),
        (("run", *roots, "--source", url, "--source", nowhere), 2, "one store"),
        (("store", "info", nowhere), 1, "there is no store"),
        (("store", "archive", url, "--older-than", 3, *roots), 1, "there is no bundle"),
        (("store", "export", url, "--out", history), 1, "is not an export"),
    ):
        said = in_process(*words)
        assert said.status == status, said
        assert text in said.complaint
    assert not (tmp_path / "nowhere").exists()


def test_a_bundle_that_does_not_know_the_store_keeps_all_events(url, bundle_root) -> None:
    said = in_process("store", "archive", url, "--older-than", 3, "--bundles", bundle_root)
    assert said.status == 1
    assert "was not trained on this store" in said.complaint


KILLED = """
import sys
from recsys.store.archives import Archives
from recsys.store import archiving
from recsys.store.open import open_store
archiving.FILE_EVENTS = 40
store = open_store(sys.argv[1])
print("ready", flush=True)
archiving.archive(Archives(store), before=2**60, up_to=2**60)
"""


def test_kill_9_while_archiving(tmp_path) -> None:
    url = f"store://{tmp_path / 'store'}"
    store = open_store(url)
    ids = [f"e{number}" for number in range(4_000)]
    store.append(
        [log_event(name, event_time=10**15 + place * 10**9) for place, name in enumerate(ids)]
    )
    store.close()
    moments = random.Random(11)  # noqa: S311
    for _ in range(6):
        popen = subprocess.Popen(
            [sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True
        )
        assert popen.stdout is not None
        assert popen.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.0, 0.15))
        popen.send_signal(signal.SIGKILL)
        popen.wait()
        popen.stdout.close()
        store = open_store(url)
        found = Counter(name for batch in Log.of(store).batches() for name in batch["event_id"])
        assert found == Counter(ids)
        archives = Archives(store)
        archives.clean()
        files = [path.name for path in archives.folder.glob("date=*/*")]
        assert len(files) == len(archives.files())
        assert store.append([log_event(ids[7])]).duplicates == 1
        store.close()


def test_archive_and_train_while_a_server_owns_the_log(url, bundles, tmp_path) -> None:
    folder = folder_of(url)
    owner = open_store(url, role="writer")
    listener = Listener(folder, owner.writer)
    try:
        count = owner.last_position
        training("store", "archive", url, "--older-than", 450, "--bundles", bundles)
        assert Archives(owner).files()
        owner.append([log_event("later", event_time=int(time.time() * 1e6))])
        training("prepare", "--source", url, "--out", tmp_path / "data")
        dataset = Dataset.open(tmp_path / "data")
        assert dataset.log == LogPosition(owner.id, count + 1, 1)
        assert dataset.events.select(pl.len()).collect().item() == count + 1
    finally:
        listener.close()
        owner.close()
