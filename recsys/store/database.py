"""What a driver of the store must do; SQL stands in `tables/`, once for all drivers."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class Session(Protocol):
    """Runs statements with `?` for parameters; a literal question mark in SQL is not possible.

    Values are None, int, float, str and bytes, and come back as those. Text has no NUL.
    """

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Returns all rows of a query."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs a statement and returns the number of rows that it changed."""
        ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Adds rows to a table."""
        ...

    def insert_new(self, table: str, column: str, values: Sequence[Any]) -> set[Any]:
        """Adds one-column rows to a table whose key `column` is; returns those that were new.

        Repeats in `values` are allowed.
        """
        ...

    def existing(self, table: str, column: str, values: Iterable[Any]) -> set[Any]:
        """Returns which of the values the column holds; the column is indexed."""
        ...


class Database(Protocol):
    """One database that holds a store, and the way this process uses it.

    All of its errors are `StoreUnavailableError`, `StoreFullError` or, at migration,
    `StoreSchemaError`. After any of them the database can be used again: a connection that
    failed is opened anew at the next use.
    """

    def read(self, within_s: float | None = None) -> AbstractContextManager[Session]:
        """Lends a session for queries. Each statement sees one state; two may see two.

        Args:
            within_s: seconds that a server on another machine has for all statements of the
                session before it counts as away; None: any. A local file answers or fails.
        """
        ...

    def transaction(self) -> AbstractContextManager[Session]:
        """Lends the one session that may write: what it did is durable once the context ends.

        No two transactions overlap, in any process. An exception undoes all of it.
        """
        ...

    def migrate(self) -> None:
        """Brings the schema up to what this program writes; leaves a current one alone.

        Raises:
            StoreSchemaError: the store was written by a newer program.
        """
        ...

    def check(self) -> None:
        """Says whether this program can read the store.

        Raises:
            StoreSchemaError: it is too new, or not yet migrated.
            StoreUnavailableError: there is no store.
        """
        ...

    def scrub(self, texts: Sequence[str]) -> None:
        """Sees to it that no file which only this store writes holds the texts of deleted rows.

        Only who may write calls it. Of a database server's own files it promises nothing.
        """
        ...

    def close(self) -> None:
        """Closes all connections; no session may be in use."""
        ...
