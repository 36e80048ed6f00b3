"""The whole log as Parquet files by day, for other programs and for another store.

Written to `<out>.part`, which becomes `out` when it is complete. An export that was stopped goes
on where it was when it is called again, unless somebody was erased since: it then begins anew.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from recsys.data.durable import replace_folder, sync
from recsys.data.events import EVENT_SCHEMA
from recsys.data.progress import Progress, silent
from recsys.errors import DataError
from recsys.store.archives import Archives
from recsys.store.archiving import Positions, by_day, places
from recsys.store.log import Log
from recsys.store.log_frames import log_frame
from recsys.store.store import Store
from recsys.store.tables import archives as table
from recsys.store.tables import tombstones
from recsys.store.tombstones import Tombstones
from recsys.types import VISITOR_PREFIX

MANIFEST = "_manifest.json"
"""Readers of folders take files that begin so for no data."""
_PROGRESS = "_progress.json"
_NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in an export."""

    events: int
    days: int
    position: int
    """Last of the log that it holds."""


@dataclass(slots=True)
class _Work:
    """An export on its way."""

    log: Log
    folder: Path
    tombstones: Tombstones
    """Laid when it began."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Finished files -> events, bytes and checksum."""

    def told(self) -> dict[str, Any]:
        return {
            "store_id": self.log.end.store_id,
            "position": self.log.end.position,
            "events": sum(file["events"] for file in self.files.values()),
            "files": self.files,
        }

    def note(self, name: str) -> None:
        """Says on disk what is finished."""
        part = self.folder / f"{name}.part"
        text = json.dumps({**self.told(), "erasures": self.tombstones.sequence}, indent=1)
        part.write_text(f"{text}\n", encoding="utf-8")
        sync(part)
        part.replace(self.folder / name)
        sync(self.folder)


def export(store: Store, out: Path, *, progress: Progress = silent) -> Exported:
    """Writes all events up to the last position of now, one file for each day (UTC).

    Columns are those of `EVENT_SCHEMA`, with `visitor_id` in the place of a visitor's
    `customer_id`; links are not applied, and `training prepare --events` reads it.

    Args:
        store: whose log.
        out: the folder to make; an earlier export that is there is replaced.
        progress: hears about events written.

    Raises:
        DataError: `out` is there and is no export, or an archive is damaged.
        StoreUnavailableError: the store fails; call it again to go on.
    """
    if out.exists() and not (out / MANIFEST).is_file() and (out.is_file() or any(out.iterdir())):
        message = f"{out}: is there already and is not an export: choose another folder"
        raise DataError(message, file=str(out))
    part = out.with_name(out.name + ".part")
    work = _begun(store, part)
    while True:
        _write_days(work, progress)
        if _tombstones(store).sequence == work.tombstones.sequence:
            break
        work = _begun(store, part)  # somebody was erased who may be in what is written
    work.note(MANIFEST)
    (part / _PROGRESS).unlink(missing_ok=True)
    replace_folder(part, out)
    return Exported(work.told()["events"], len(work.files), work.log.end.position)


def _begun(store: Store, folder: Path) -> _Work:
    """Goes on with an export of the same store, or begins one."""
    work = _Work(Log.of(store), folder, _tombstones(store))
    try:
        told = json.loads((folder / _PROGRESS).read_bytes())
        if (told["store_id"], told["erasures"]) == (store.id, work.tombstones.sequence):
            end = work.log.end._replace(position=told["position"])
            return _Work(Log(store, end), folder, work.tombstones, told["files"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none, or it is damaged
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    work.note(_PROGRESS)
    return work


def _write_days(work: _Work, progress: Progress) -> None:
    store, end = work.log.store, work.log.end.position
    in_table = dict(by_day(places(store, 0, end, _NO_LIMIT, _NO_LIMIT)))
    archived = Archives(store).files()
    days = sorted({*in_table, *(file.day for file in archived)})
    total = sum(map(len, in_table.values())) + sum(file.events for file in archived)
    done = 0
    for day in days:
        name = f"date={day}/part.parquet"
        if not _is_whole(work.folder / name, work.files.get(name)):
            events = _of_day(work, day, in_table.get(day))
            if events.is_empty():
                continue  # archived ones after the end, or erased ones
            work.files[name] = _write(work.folder / name, events)
            work.note(_PROGRESS)
        done += work.files[name]["events"]
        progress("exporting events", done, total)


def _of_day(work: _Work, day: str, positions: Positions | None) -> pl.DataFrame:
    """Returns a day's events in the order of the log, wherever they are by now."""
    store = work.log.store
    with store.read() as session:
        rows = [] if positions is None else table.rows_at(session, positions.tolist())
    archives = Archives(store)
    parts = [archives.read(file) for file in archives.files() if file.day == day]
    events = pl.concat([log_frame(rows), *parts])
    events = events.filter(pl.col("position") <= work.log.end.position).unique("position")
    # An erasure that began before the export may not have come to the archives yet.
    erased = work.tombstones.covers(events["customer_id"], events["event_time"])
    return events.filter(~pl.Series(erased)).sort("position")


def _write(path: Path, events: pl.DataFrame) -> dict[str, Any]:
    customer = pl.col("customer_id")
    visitor = customer.str.starts_with(VISITOR_PREFIX)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    events.select(EVENT_SCHEMA.keys()).with_columns(
        pl.when(~visitor).then(customer),
        visitor_id=pl.when(visitor).then(customer.str.strip_prefix(VISITOR_PREFIX)),
    ).write_parquet(part)
    sync(part)
    part.replace(path)
    sync(path.parent)
    content = path.read_bytes()
    return {
        "events": len(events),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _is_whole(path: Path, told: dict[str, Any] | None) -> bool:
    return (
        told is not None
        and path.is_file()
        and hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    )


def _tombstones(store: Store) -> Tombstones:
    with store.read() as session:
        return Tombstones(store.secret).with_newer(tombstones.newer(session, 0))
