"""The embedded driver: one SQLite file in WAL mode, every commit on disk before it is answered."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

import apsw

from recsys.errors import StoreError, StoreFullError, StoreUnavailableError
from recsys.store.database import Row, Session
from recsys.store.migrations import SQLITE, check_readable, migrate
from recsys.store.slack import PageFile

BUSY_MS = 5_000
"""How long to wait for a command that writes while it holds the file."""
CACHE_KIB = 65_536
"""Memory for pages of the one process that writes: ids and customers fall on pages at random."""
CHECKPOINT_PAGES = 2_000
"""Pages in the write-ahead log, about 8 MB, after which they are folded into the file: pages that
were written several times by then are written there once."""


class SqliteSession:
    """Runs statements on one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Takes an open connection."""
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Returns all rows of a query."""
        return self._connection.execute(sql, tuple(parameters)).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs a statement and returns the number of rows that it changed."""
        self._connection.execute(sql, tuple(parameters))
        return self._connection.changes()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Adds rows to a table."""
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        self._connection.executemany(sql, rows)

    def insert_new(self, table: str, column: str, values: Sequence[Any]) -> set[Any]:
        """Adds one-column rows, where they are new, and returns those."""
        # Looked for first: what could undo an insert would copy every page that it touches.
        known = self.existing(table, column, values)
        new = set(values) - known
        self.insert(table, (column,), [(value,) for value in new])
        return new

    def existing(self, table: str, column: str, values: Iterable[Any]) -> set[Any]:
        """Returns which of the values the column holds."""
        sql = f"SELECT {column} FROM {table} WHERE {column} = ?"  # noqa: S608
        return {row[0] for row in self._connection.executemany(sql, [(v,) for v in values])}


class SqliteDatabase:
    """A file that one process at a time writes and any number read."""

    def __init__(self, file: Path, *, synchronous: str = "FULL", vfs: str | None = None) -> None:
        """Takes the file; nothing is opened yet.

        Args:
            file: made by `migrate` if it is not there.
            synchronous: when SQLite waits for the disk; anything but FULL is for tests.
            vfs: name of SQLite's file layer, for tests of failing disks.
        """
        self._file = file
        self._synchronous = synchronous
        self._vfs = vfs
        self._local = threading.local()
        # A thread that ends takes its connection with it.
        self._opened: WeakSet[apsw.Connection] = WeakSet()
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._writer: apsw.Connection | None = None

    @contextmanager
    def read(self, within_s: float | None = None) -> Iterator[Session]:  # noqa: ARG002
        """Lends this thread's read-only connection."""
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._open(apsw.SQLITE_OPEN_READONLY)
                self._local.connection = connection
            yield SqliteSession(connection)
        except apsw.Error as error:
            self._local.connection = None
            raise _translated(error) from error

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Lends the writing connection, in a transaction that holds the file's write lock."""
        with self._writing:
            try:
                connection = self._writing_connection()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield SqliteSession(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            except apsw.Error as error:
                self._drop_writer()
                raise _translated(error) from error

    def migrate(self) -> None:
        """Brings the schema up to date."""
        with self.transaction() as session:
            migrate(session, SQLITE)

    def check(self) -> None:
        """Says whether this program can read the store."""
        if not self._file.exists():
            hint = "is the address right? The first `recsys serve --store URL` makes one"
            raise StoreUnavailableError(f"{self._file}: there is no store: {hint}")
        with self.read() as session:
            check_readable(session)

    def scrub(self, texts: Sequence[str]) -> None:
        """Empties the write-ahead log and blanks copies that SQLite left of deleted rows."""
        sought = [text.encode() for text in texts]
        try:
            with self._writing:
                self._fold()
            # Most often nothing is found: others may write while the file is read.
            with PageFile(self._file, vfs=self._vfs) as file:
                pages = [slack.page for slack in file.slack_with(sought)]
            if pages:
                with self._writing:
                    self._fold()
                    with PageFile(self._file, vfs=self._vfs, write=True) as file:
                        file.blank(pages, sought)
                    self._drop_writer()  # it remembers the pages as they were
        except apsw.Error as error:
            with self._writing:
                self._drop_writer()
            raise _translated(error) from error

    def close(self) -> None:
        """Closes all connections; the last one folds the write-ahead log into the file."""
        with self._guard:
            opened, self._opened = list(self._opened), WeakSet()
        for connection in opened:
            with suppress(apsw.Error):
                connection.close()
        self._writer = None
        self._local = threading.local()

    def _fold(self) -> None:
        """Brings all that was committed into the file itself; waits for those who read."""
        self._writing_connection().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _writing_connection(self) -> apsw.Connection:
        if self._writer is None:
            self._writer = self._open(apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
            # The log may end in a commit that was never on disk: its process was killed, or the
            # disk failed. Folding it in makes sure, before an event in it counts as known.
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_FULL)
        return self._writer

    def _open(self, flags: int) -> apsw.Connection:
        connection = apsw.Connection(str(self._file), flags=flags, vfs=self._vfs)
        connection.set_busy_timeout(BUSY_MS)
        if flags & apsw.SQLITE_OPEN_READWRITE:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            # What is deleted is gone from the file, not only from its index.
            connection.execute("PRAGMA secure_delete = ON")
        with self._guard:
            self._opened.add(connection)
        return connection

    def _drop_writer(self) -> None:
        """Forgets a connection that failed: the next use opens one that knows nothing of it."""
        connection, self._writer = self._writer, None
        if connection is not None:
            with self._guard:
                self._opened.discard(connection)
            with suppress(apsw.Error):
                connection.close()


_CAUSES: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.NotADBError, "its file is no SQLite database: is it the folder of a store?"),
    (apsw.CorruptError, "its file is damaged: restore it from a copy"),
    (apsw.ReadOnlyError, "its file, its folder or its disk is read-only"),
    (apsw.PermissionsError, "its file may not be read or written by this user"),
    (apsw.CantOpenError, "its file cannot be opened: may this user read and write its folder?"),
    (apsw.BusyError, "another process has written for seconds; `fuser` names it"),
)
"""What SQLite says -> what it is about. Callers may read it: it names no path."""


def _translated(error: apsw.Error) -> StoreError:
    """Returns what an operator can act on in place of SQLite's error."""
    if isinstance(error, apsw.FullError):
        return StoreFullError("the store's disk is full; nothing was stored")
    cause = next((f": {text}" for kind, text in _CAUSES if isinstance(error, kind)), "")
    return StoreUnavailableError(
        f"the store cannot be used just now ({type(error).__name__}){cause}"
    )
