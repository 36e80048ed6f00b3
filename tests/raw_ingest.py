"""The inserts of the store, done by the bare drivers: what any server can at most reach."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import psycopg

from recsys.store.events import LogEvent
from recsys.store.tables.events import COLUMNS, event_key

Batch = tuple[list[tuple[bytes]], list[LogEvent]]
"""Keys and events, made beforehand: only the database's own work is measured."""

_NAMES = ", ".join(COLUMNS)


def batch_of(events: Sequence[LogEvent]) -> Batch:
    return [(event_key(str(event.event_id)),) for event in events], list(events)


class RawSqlite:
    """One connection to a file that has the schema, as durable as the store's own."""

    def __init__(self, file: Path) -> None:
        self._connection = apsw.Connection(str(file))
        self._connection.set_busy_timeout(60_000)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._insert = f"INSERT INTO events ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608

    def write(self, batch: Batch) -> None:
        keys, events = batch
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        self._connection.executemany(
            "INSERT INTO event_keys (event_key) VALUES (?) ON CONFLICT DO NOTHING", keys
        )
        [[last]] = execute(
            "UPDATE counters SET value = value + ? WHERE name = 'position' RETURNING value",
            (len(events),),
        ).fetchall()
        self._connection.executemany(self._insert, _placed(events, last))
        execute("COMMIT")

    def finish(self) -> None:
        """Each write has waited for its own end."""

    def close(self) -> None:
        self._connection.close()


class RawPostgres:
    """One connection to a database that has the schema."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)
        marks = ", ".join(["%s"] * len(COLUMNS))
        self._insert = f"INSERT INTO events ({_NAMES}) VALUES ({marks})".encode()  # noqa: S608

    def write(self, batch: Batch) -> None:
        keys, events = batch
        with self._connection.cursor() as cursor:
            [[last]] = cursor.execute(
                "UPDATE counters SET value = value + %s WHERE name = 'position' RETURNING value",
                (len(events),),
            ).fetchall()
            cursor.executemany(
                "INSERT INTO event_keys (event_key) VALUES (%s) ON CONFLICT DO NOTHING", keys
            )
            cursor.executemany(self._insert, _placed(events, last))
        self._connection.commit()

    def finish(self) -> None:
        """Each write has waited for its own end."""

    def close(self) -> None:
        self._connection.close()


def _placed(events: Sequence[LogEvent], last: int) -> list[tuple[Any, ...]]:
    first = last - len(events) + 1
    return [(first + place, *event) for place, event in enumerate(events)]
