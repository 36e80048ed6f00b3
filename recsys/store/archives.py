"""Old events in Parquet files by day: read, searched by customer, and written again without some.

The list of files is a table of the store, so that an event is in the log's table or in a listed
file, never in both or in neither: the transaction that lists a file deletes its events. Files are
never changed. One that shall lose events is written anew under another name and takes the place of
the first in the list; a file that is not listed is rubbish, which `clean` takes away.
"""

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.durable import sync
from recsys.data.file_errors import naming
from recsys.errors import ConfigError, DataError, StoreUnavailableError
from recsys.store.log_frames import LOG_SCHEMA
from recsys.store.places import LAST_TIME
from recsys.store.store import Store
from recsys.store.tables import archives as table
from recsys.store.tables.archives import ArchiveFile

LOCK = "archives.lock"
PART = ".part"
_ROW_GROUP = 5_000
"""Rows are sorted by customer, so that of a large file only a group or two is read for one."""


@dataclass(frozen=True, slots=True)
class Archives:
    """The archived events of a store."""

    store: Store

    @property
    def folder(self) -> Path:
        """Where the files lie.

        Raises:
            ConfigError: the store was opened without one.
        """
        if self.store.archives is None:
            raise ConfigError(
                "archives: this store has no folder for them: give --archives FOLDER"
            )
        return self.store.archives

    def files(self) -> list[ArchiveFile]:
        """Returns the files that count, by day and position."""
        with self.store.read() as session:
            return table.files(session)

    def read(self, file: ArchiveFile) -> pl.DataFrame:
        """Returns a file's events (`LOG_SCHEMA`), after comparing it with its checksum.

        If the file was written again since it was listed, what took its place is read.

        Raises:
            DataError: it is missing or damaged.
        """
        path = self.folder / file.name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return self._read_successor(file)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            message = f"{path}: damaged: its checksum is not that of the list; restore a copy"
            raise DataError(message, file=str(path))
        with naming(path):
            return pl.read_parquet(content)

    def _read_successor(self, file: ArchiveFile) -> pl.DataFrame:
        now = {other.key: other for other in self.files()}.get(file.key)
        if now == file:
            path = self.folder / file.name
            raise DataError(f"{path}: this archive is missing; restore a copy", file=str(path))
        return pl.DataFrame(schema=LOG_SCHEMA) if now is None else self.read(now)

    def events_of(self, customer_ids: Collection[str], until: int = LAST_TIME) -> pl.DataFrame:
        """Returns the archived events (`LOG_SCHEMA`) of customers and visitors, by position.

        Args:
            customer_ids: as in the log: visitors as `visitor_key(id)`.
            until: last event time that counts, in microseconds since 1970, UTC.
        """
        wanted = _wanted(customer_ids, until)
        found = [self._of(file, wanted) for file in self.files()]
        return pl.concat([pl.DataFrame(schema=LOG_SCHEMA), *found]).sort("position")

    def count_of(self, customer_ids: Collection[str]) -> int:
        """Returns how many archived events customers and visitors have, by looking."""
        wanted = _wanted(customer_ids)
        return sum(len(self._of(file, wanted)) for file in self.files())

    def without(self, customer_ids: Collection[str], until: int = LAST_TIME) -> int:
        """Removes archived events of customers and visitors up to a time; returns how many.

        Every day's file is replaced at once or not at all. Whoever stops in between calls it
        again. What is being archived meanwhile is either listed before and found here, or its
        events are gone from the table and it is refused.
        """
        removed, wanted = 0, _wanted(customer_ids, until)
        with self.turn() as turn:
            for file in self.files():
                if self._of(file, wanted).is_empty():
                    continue
                events = self.read(file)
                kept = events.filter(~wanted)
                self._replace(file, kept, turn)
                removed += len(events) - len(kept)
        return removed

    def clean(self) -> int:
        """Removes files that a killed command left; returns how many."""
        if not self.folder.is_dir():
            return 0
        with self.turn():
            listed = {file.name for file in self.files()}
            rubbish = [
                path
                for path in sorted(self.folder.glob("date=*/*"))
                if path.relative_to(self.folder).as_posix() not in listed
            ]
            for path in rubbish:
                path.unlink()
        return len(rubbish)

    @contextmanager
    def turn(self) -> Iterator[int]:
        """Waits for the right to write files, which one process at a time has.

        Yields the number of the turn. What a process asked of the writer in an earlier turn, and
        was killed before the writer came to it, is refused from now on: its files may be gone.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield int(self.store.writer.write("begin_archiving", {}))
        finally:
            os.close(descriptor)

    def _replace(self, file: ArchiveFile, kept: pl.DataFrame, turn: int) -> None:
        other = write_file(self.folder, file.key, kept) if len(kept) else None
        arguments = {"turn": turn, "name": file.name, "file": other}
        if not self.store.writer.write("replace_archive", arguments):
            raise StoreUnavailableError(f"{file.name}: another process writes to the archives")
        (self.folder / file.name).unlink(missing_ok=True)

    def _of(self, file: ArchiveFile, wanted: pl.Expr) -> pl.DataFrame:
        path = self.folder / file.name
        if not path.exists():
            return self._read_successor(file).filter(wanted)
        with naming(path):
            return (
                pl.scan_parquet(path, glob=False, hive_partitioning=False).filter(wanted).collect()
            )


def _wanted(customer_ids: Collection[str], until: int = LAST_TIME) -> pl.Expr:
    of_them = pl.col("customer_id").is_in(list(customer_ids))
    return of_them & (pl.col("event_time").dt.epoch("us") <= until)


def write_file(folder: Path, key: str, events: pl.DataFrame) -> ArchiveFile:
    """Writes events of one day to a new file, whole and on disk when this returns.

    Args:
        folder: of archives.
        key: `date=<day>/<first>-<last>`.
        events: `LOG_SCHEMA`, in any order.
    """
    part = folder / f"{key}{PART}"
    part.parent.mkdir(parents=True, exist_ok=True)
    events.select(LOG_SCHEMA.keys()).sort("customer_id", "position").write_parquet(
        part, row_group_size=_ROW_GROUP, compression="zstd"
    )
    sync(part)
    sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
    name = f"{key}-{sha256[:16]}.parquet"
    part.replace(folder / name)
    sync(part.parent)
    sync(folder)
    return ArchiveFile(name, key.partition("/")[0].removeprefix("date="), len(events), sha256)
