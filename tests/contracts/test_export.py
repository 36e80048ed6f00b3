"""Exports hold every event once, go on where they were stopped, and forget who was erased."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources
from recsys.errors import DataError
from recsys.store import export as module
from recsys.store.archives import Archives
from recsys.store.archiving import archive
from recsys.store.events import LogEvent
from recsys.store.export import MANIFEST, export
from recsys.store.info import look
from recsys.store.store import Store
from recsys.types import visitor_key
from tests.stores import DAY, DAY_US, log_event, week

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def exported(out: Path) -> list[str]:
    return sorted(pl.read_parquet(out / "date=*" / "part.parquet")["event_id"])


def with_visitor() -> list[LogEvent]:
    return [*week(), log_event("seen", visitor_key("v"), event_time=DAY)]


def test_days_of_table_and_archives(store: Store, tmp_path: Path) -> None:
    store.append(with_visitor())
    archive(Archives(store), before=DAY + 3 * DAY_US, up_to=20)
    out = tmp_path / "out"
    done = export(store, out)
    assert done == (done.__class__(29, 7, 29))
    assert exported(out) == sorted(row.event_id or "" for row in with_visitor())
    told = json.loads((out / MANIFEST).read_text())
    assert (told["store_id"], told["position"], told["events"]) == (store.id, 29, 29)
    assert sorted(told["files"]) == [f"date=2024-01-0{day}/part.parquet" for day in range(1, 8)]
    for name, file in told["files"].items():
        content = (out / name).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["size"] == len(content)
    first = pl.read_parquet(out / "date=2024-01-01" / "part.parquet")
    assert first.filter(event_id="seen").select("customer_id", "visitor_id").rows() == [
        (None, "v")
    ]
    assert not out.with_name("out.part").exists()


def test_it_is_read_as_files_are(store: Store, tmp_path: Path) -> None:
    store.append(with_visitor())
    export(store, tmp_path / "out")
    report = prepare(Sources(str(tmp_path / "out")), tmp_path / "data", Mapping(), now=NOW)
    assert (report.tables["events"].kept, report.tables["events"].rejected) == (29, 0)
    assert (report.customers, report.visitors) == (3, 1)


def test_another_export_takes_its_place(store: Store, tmp_path: Path) -> None:
    store.append(week()[:9])
    export(store, tmp_path / "out")
    store.append(week()[9:])
    assert export(store, tmp_path / "out").events == 28
    assert len(exported(tmp_path / "out")) == 28
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(DataError, match="not an export"):
        export(store, tmp_path / "mine")


class Stopped(BaseException):
    pass


def stop_after(monkeypatch: pytest.MonkeyPatch, days: int) -> list[Path]:
    """Stops an export before it writes one more day than that; returns what it wrote."""
    write, written = module._write, []

    def limited(path: Path, events: pl.DataFrame) -> dict[str, Any]:
        if len(written) == days:
            raise Stopped
        written.append(path)
        return write(path, events)

    monkeypatch.setattr(module, "_write", limited)
    return written


def test_a_stopped_export_goes_on(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    store.append(week())
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(Stopped):
            export(store, out)
    assert not out.exists()
    store.append([log_event("later", event_time=DAY)])
    damaged = out.with_name("out.part") / "date=2024-01-02" / "part.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    written = stop_after(monkeypatch, 100)
    assert export(store, out).position == 28
    assert len(written) == 5
    assert exported(out) == sorted(row.event_id or "" for row in week())


@pytest.mark.parametrize("stopped", [True, False])
def test_who_is_erased_meanwhile_is_not_exported(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped: bool,  # noqa: FBT001
) -> None:
    out = tmp_path / "out"
    store.append(week())
    archive(Archives(store), before=DAY + DAY_US, up_to=28)
    write, days = module._write, []

    def slow(path: Path, events: pl.DataFrame) -> dict[str, Any]:
        days.append(path)
        told = write(path, events)
        if len(days) == 3:
            # Its rows are gone from the table, those in archives follow.
            store.writer.write("erase_customer", {"customer_id": "customer-1"})
            if stopped:
                raise Stopped
        return told

    monkeypatch.setattr(module, "_write", slow)
    if stopped:
        with pytest.raises(Stopped):
            export(store, out)
    export(store, out)
    assert len(days) > 7
    expected = [row.event_id or "" for row in week() if row.customer_id != "customer-1"]
    assert exported(out) == sorted(expected)


def test_what_is_in_a_store(store: Store) -> None:
    assert look(store).first_time is None
    store.append(with_visitor())
    store.link_visitor("v", "customer-1")
    archive(Archives(store), before=DAY + 2 * DAY_US, up_to=29)
    info = look(store)
    assert (info.id, info.last_position, info.links) == (store.id, 29, 1)
    assert (info.events, info.archived, info.archive_files) == (20, 9, 2)
    assert info.archive_days == ("2024-01-01", "2024-01-02")
    assert info.first_time == min(e.event_time for e in week() if e.event_time >= DAY + 2 * DAY_US)
    assert (info.impressions, info.lost_impressions, info.tombstones, info.items) == (0, 0, 0, 0)
