"""From the URL of a store to the store."""

import time
from pathlib import Path
from typing import Literal

from recsys.errors import ConfigError, StoreUnavailableError
from recsys.store.committer import GroupCommitter
from recsys.store.folder import ARCHIVES, DATABASE, WriterLock
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store

EMBEDDED = "store://"
POSTGRES = ("postgresql://", "postgres://")
Role = Literal["command", "server", "writer", "reader"]


def is_embedded(url: str) -> bool:
    """Says whether the URL names a folder, which one writer process owns."""
    return url.startswith(EMBEDDED)


def folder_of(url: str) -> Path:
    """Returns the folder that an embedded store's URL names.

    Raises:
        ConfigError: the URL is not of the form `store://folder`.
    """
    path = url.removeprefix(EMBEDDED)
    if not is_embedded(url) or not path:
        raise ConfigError(f"store: {url!r} is neither store://FOLDER nor postgresql://...")
    return Path(path)


def open_store(url: str, *, archives: Path | None = None, role: Role = "command") -> Store:
    """Opens a store; a command or writer makes or migrates it if need be.

    Args:
        url: `store://relative/folder`, `store:///absolute/folder` or `postgresql://...`.
        archives: folder of archived events; None for `archives` in the folder of the store.
        role: how this process may write. `writer` owns an embedded store or fails; `server` sends
            its writes to the writer; `command` owns it if nobody does, else sends to the writer;
            `reader` never writes. With PostgreSQL all but `reader` write by themselves.

    Raises:
        ConfigError: the URL is not one.
        StoreError: the store is not there, cannot be used, or is of another program version.
    """
    folder = folder_of(url)
    if role in {"command", "writer"}:
        folder.mkdir(parents=True, exist_ok=True)
    database = SqliteDatabase(folder / DATABASE)
    lock = WriterLock.take(folder)
    if lock is None:
        raise StoreUnavailableError(f"{folder}: another process writes to this store")
    database.migrate()
    writer = GroupCommitter(database, clock=now_us, on_close=lock.release)
    return Store(database, writer, archives or folder / ARCHIVES)


def now_us() -> int:
    """Returns the time, in microseconds since 1970, UTC."""
    return time.time_ns() // 1000
