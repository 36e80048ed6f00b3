"""The driver for a PostgreSQL server that the servers of several machines share."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg_pool import ConnectionPool

from recsys.errors import StoreError, StoreFullError, StoreUnavailableError
from recsys.store.database import Row, Session
from recsys.store.migrations import POSTGRES, check_readable, migrate

COPY_FROM = 50
"""Rows from which COPY is faster than one INSERT per row."""
CONNECT_S = 2.0
"""Seconds that a connection may take to be made."""
WAKE_S = 0.1
"""Seconds after which a wait looks whether somebody wants to end the process."""
WAIT_S = 0.25
"""Seconds that a query waits for a connection: a list is then made without the store."""
MIGRATION_LOCK = 7_265_637_379
"""Any number that no other program on the server locks."""


# Whatever it would say is raised as well; a server's standard error is JSON lines.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class Connection(psycopg.Connection[Row]):
    """A connection that need not wait for ever for a server that hangs."""

    deadline: float | None = None
    """When it is too late for an answer, by the monotonic clock; None: it never is."""

    def wait(self, gen: PQGen[RV], interval: float = WAKE_S, timeout: float | None = None) -> RV:
        """Waits for a step of a statement; one that is late leaves the connection unusable."""
        if timeout is None and self.deadline is not None:
            timeout = max(0.0, self.deadline - time.monotonic())
        return super().wait(gen, interval, timeout)


class PostgresSession:
    """Runs statements on one connection."""

    def __init__(self, connection: Connection) -> None:
        """Takes a connection in autocommit mode or in a transaction."""
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Returns all rows of a query."""
        return self._connection.execute(_marked(sql), parameters, binary=True).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs a statement and returns the number of rows that it changed."""
        return self._connection.execute(_marked(sql), parameters).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Adds rows to a table."""
        marks = ", ".join(["%s"] * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        with self._connection.cursor() as cursor:
            cursor.executemany(sql.encode(), rows)

    def insert_new(self, table: str, column: str, values: Sequence[Any]) -> set[Any]:
        """Adds one-column rows, where they are new, and returns those."""
        if not values:
            return set()  # an empty list has no type that PostgreSQL could guess
        sql = (
            f"INSERT INTO {table} ({column}) SELECT unnest(?) "
            f"ON CONFLICT DO NOTHING RETURNING {column}"
        )
        return {row[0] for row in self.rows(sql, (list(values),))}

    def existing(self, table: str, column: str, values: Iterable[Any]) -> set[Any]:
        """Returns which of the values the column holds."""
        sql = f"SELECT {column} FROM {table} WHERE {column} = ANY(?)"  # noqa: S608
        return {row[0] for row in self.rows(sql, (list(values),))}


class _WritingSession(PostgresSession):
    """Sends statements without waiting for each answer, except where one is asked for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._pipeline = ExitStack()

    def begin(self) -> None:
        self._pipeline.enter_context(self._connection.pipeline())
        self._connection.execute("BEGIN")

    def lock(self) -> None:
        # Whoever holds this row commits before the next begins: positions are in commit order.
        self._connection.execute("SELECT value FROM counters WHERE name = 'position' FOR UPDATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")
        self._pipeline.close()

    def roll_back(self) -> None:
        if self._connection.closed:
            return  # and the server has rolled back by itself
        with suppress(psycopg.Error):  # what made it fail is on its way up already
            self._pipeline.close()
        self._connection.execute("ROLLBACK")

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        if len(rows) < COPY_FROM:
            super().insert(table, columns, rows)
            return
        self._pipeline.close()  # COPY cannot be part of one
        sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)
        self._pipeline.enter_context(self._connection.pipeline())


class PostgresDatabase:
    """A database on a server; every process has connections of its own."""

    def __init__(self, url: str, *, readers: int = 16) -> None:
        """Takes the URL and how many queries may run at once; nothing is opened yet."""
        self._url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=Connection,
            kwargs={"autocommit": True, "connect_timeout": int(CONNECT_S)},
            min_size=1,
            max_size=readers,
            timeout=WAIT_S,
            # After a failure give up soon, so that the next query tries anew at once.
            reconnect_timeout=CONNECT_S / 2,
            open=False,
        )
        self._writing = threading.Lock()
        self._writer: Connection | None = None
        self._migrated = False

    @contextmanager
    def read(self, within_s: float | None = None) -> Iterator[Session]:
        """Lends a connection of the pool."""
        if self._pool.closed:
            self._pool.open()
        ended = False
        try:
            with self._pool.connection() as connection:
                connection.deadline = None if within_s is None else time.monotonic() + within_s
                try:
                    yield PostgresSession(connection)
                except psycopg.Error:
                    ended = connection.closed
                    raise
                finally:
                    connection.deadline = None
        except psycopg.Error as error:
            if ended:
                self._pool.check()  # one that the server has ended is seldom the only one
            raise _translated(error) from error

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Lends the writing connection, in a transaction that holds the row of the positions."""
        if not self._migrated:  # the server was away when this process started
            self.migrate()
        with self._transaction() as session:
            session.lock()
            yield session

    def migrate(self) -> None:
        """Brings the schema up to date."""
        with self._transaction() as session:
            session.execute("SELECT pg_advisory_xact_lock(?)", (MIGRATION_LOCK,))
            migrate(session, POSTGRES)
        self._migrated = True

    def check(self) -> None:
        """Says whether this program can read the store."""
        with self.read() as session:
            if session.rows("SELECT to_regclass('meta') IS NULL")[0][0]:
                raise StoreUnavailableError("there is no store in this database")
            check_readable(session)

    def scrub(self, texts: Sequence[str]) -> None:
        """Does nothing: when a deleted row leaves the server's files is for the server to say."""

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()
        with self._writing:
            self._drop_writer()

    @contextmanager
    def _transaction(self) -> Iterator[_WritingSession]:
        with self._writing:
            try:
                if self._writer is None:
                    self._writer = Connection.connect(
                        self._url, autocommit=True, connect_timeout=int(CONNECT_S)
                    )
                session = _WritingSession(self._writer)
                session.begin()
                try:
                    yield session
                    session.commit()
                except BaseException:
                    session.roll_back()
                    raise
            except psycopg.Error as error:
                self._drop_writer()
                raise _translated(error) from error

    def _drop_writer(self) -> None:
        connection, self._writer = self._writer, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


@lru_cache(maxsize=1024)
def _marked(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _translated(error: psycopg.Error) -> StoreError:
    if isinstance(error, psycopg.errors.DiskFull):
        return StoreFullError("the store's disk is full; nothing was stored")
    return StoreUnavailableError(f"the store cannot be used just now ({type(error).__name__})")
