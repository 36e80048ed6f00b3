"""A PostgreSQL that is killed, restarted or full: a clear error, then recovery without help."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from recsys.errors import StoreFullError, StoreUnavailableError
from recsys.store.open import open_store
from recsys.store.postgres import PostgresDatabase
from recsys.store.store import Store
from tests.postgres import Postgres
from tests.stores import log_event

pytestmark = pytest.mark.skipif(
    "RECSYS_TEST_POSTGRES" in os.environ, reason="a server that is given must not be killed"
)
RECOVERY_S = 10.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    made = Postgres()
    made.start()
    yield made
    made.remove()


@pytest.fixture
def store(server: Postgres) -> Iterator[Store]:
    opened = open_store(server.new_database())
    opened.append([log_event("before")])
    yield opened
    opened.close()


def recovers(store: Store) -> None:
    """Waits until the store writes and reads again."""
    end = time.monotonic() + RECOVERY_S
    while True:
        try:
            assert store.append([log_event("after")]).last_position == 2
            assert [event.position for event in store.tail("anna", 0).events] == [1, 2]
        except StoreUnavailableError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def test_killed_and_started_again(server: Postgres, store: Store) -> None:
    server.kill()
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match="cannot be used just now"):
            store.append([log_event("lost")])
        with pytest.raises(StoreUnavailableError):
            store.tail("anna", 0)
    server.start()
    recovers(store)


def test_restarted_while_nobody_looked(server: Postgres, store: Store) -> None:
    store.tail("anna", 0)
    server.restart()
    recovers(store)


def test_one_that_hangs_is_not_awaited(server: Postgres) -> None:
    url = server.new_database()
    store = open_store(url, lookup_s=0.2)
    store.append([log_event("before")])
    assert len(store.tail("anna", 0).events) == 1
    with _locked(url), pytest.raises(StoreUnavailableError):
        store.tail("anna", 0)
    assert len(store.tail("anna", 0).events) == 1
    store.close()


def test_slow_answers_are_awaited_no_longer_in_all(server: Postgres) -> None:
    database = PostgresDatabase(server.new_database())
    database.migrate()
    with pytest.raises(StoreUnavailableError):
        _ask_slowly(database, 0.5)
    assert _ask_slowly(database, None) == 10
    database.close()


def _ask_slowly(database: PostgresDatabase, within_s: float | None) -> int:
    """Asks ten times for what takes a tenth of a second; returns how often it was answered."""
    with database.read(within_s) as session:
        return sum(len(session.rows("SELECT pg_sleep(0.1) IS NULL")) for _ in range(10))


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Lets every query of the events wait."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_server_can_start_while_it_is_away(server: Postgres) -> None:
    url = server.new_database()
    server.stop()
    store = open_store(url, role="server")
    with pytest.raises(StoreUnavailableError):
        store.append([log_event("lost")])
    with pytest.raises(StoreUnavailableError):
        open_store(url)
    server.start()
    assert store.append([log_event("a")]).last_position == 1
    assert len(store.secret) == 32
    store.close()


def test_a_full_disk_is_told(store: Store) -> None:
    assert isinstance(store.database, PostgresDatabase)
    with pytest.raises(StoreFullError), store.database.transaction() as session:
        session.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$")
    assert store.append([log_event("after")]).stored == 1


def test_an_ended_session_is_replaced(store: Store) -> None:
    store.tail("anna", 0)
    with store.read() as session:
        session.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    recovers(store)
