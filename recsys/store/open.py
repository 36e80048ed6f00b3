"""From the URL of a store to the store."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from recsys.errors import ConfigError, StoreUnavailableError, file_fault
from recsys.store.committer import GroupCommitter
from recsys.store.folder import ARCHIVES, DATABASE, WriterLock, writer_of
from recsys.store.remote import ReadOnly, RemoteWriter
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store
from recsys.store.url import POSTGRES, folder_of
from recsys.store.writes import Writer

TAKE_OVER_S = 15.0
"""Seconds that a new writer waits for the end of the one before."""
Role = Literal["command", "server", "writer", "reader"]


def open_store(
    url: str,
    *,
    archives: Path | None = None,
    role: Role = "command",
    lookup_s: float | None = None,
) -> Store:
    """Opens a store; a command or writer makes or migrates it if need be.

    Args:
        url: `store://relative/folder`, `store:///absolute/folder` or `postgresql://...`.
        archives: folder of archived events; None for `archives` in the folder of the store.
        role: how this process may write. `writer` owns an embedded store or fails; `server` sends
            its writes to the writer, and does not mind if the store cannot be reached as yet;
            `command` owns it if nobody does, else sends to the writer; `reader` never writes.
            With PostgreSQL all but `reader` write by themselves.
        lookup_s: as of `Store`.

    Raises:
        ConfigError: the URL is not one.
        StoreError: the store is not there, cannot be used, or is of another program version.
    """
    if url.startswith(POSTGRES):
        return _open_shared(url, archives, role, lookup_s)
    return _open_embedded(folder_of(url), archives, role)


def now_us() -> int:
    """Returns the time, in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def _open_shared(url: str, archives: Path | None, role: Role, lookup_s: float | None) -> Store:
    try:
        # Here, because only those who use it need the extra.
        from recsys.store.postgres import PostgresDatabase  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("store: PostgreSQL needs an extra: recsys-engine[postgres]") from error
    database = PostgresDatabase(url)
    try:
        if role == "reader":
            database.check()
            return Store(database, ReadOnly(), archives, lookup_s)
        _unless_away(database.migrate, role)
    except BaseException:
        database.close()
        raise
    committer = GroupCommitter(database, clock=now_us)
    return Store(database, committer, archives, lookup_s)


def _open_embedded(folder: Path, archives: Path | None, role: Role) -> Store:
    archives = archives or folder / ARCHIVES
    database = SqliteDatabase(folder / DATABASE)
    if role in {"command", "writer"}:
        lock = _lock(folder, wait_s=TAKE_OVER_S if role == "writer" else 0.0)
        if lock is not None:
            return Store(database, _owner(database, lock), archives)
        if role == "writer":
            text = f"{folder}: {writer_of(folder)} writes to this store"
            raise StoreUnavailableError(f"{text}: stop it first, or name another --store")
    _unless_away(database.check, role)
    writer: Writer = ReadOnly() if role == "reader" else RemoteWriter(folder)
    return Store(database, writer, archives)


def _lock(folder: Path, wait_s: float) -> WriterLock | None:
    """Returns the lock of a store, whose folder is made if need be; None: another has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return WriterLock.take(folder, wait_s=wait_s)
    except OSError as error:
        raise StoreUnavailableError(f"store {file_fault(error, folder)}") from error


def _unless_away(step: Callable[[], None], role: Role) -> None:
    """Takes a step; a server that cannot just now answers without the store until it can."""
    try:
        step()
    except StoreUnavailableError:
        if role != "server":
            raise


def _owner(database: SqliteDatabase, lock: WriterLock) -> GroupCommitter:
    try:
        database.migrate()
    except BaseException:
        lock.release()
        raise
    return GroupCommitter(database, clock=now_us, on_close=lock.release)
