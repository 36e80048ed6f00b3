"""The schema goes forward only, and a program meets stores of other versions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.errors import StoreSchemaError
from recsys.store import migrations
from recsys.store.database import Database
from recsys.store.migrations import MIGRATIONS, POSTGRES, SQLITE, Dialect, Migration
from recsys.store.open import open_store
from recsys.store.postgres import PostgresDatabase
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store
from recsys.store.tables import counters, events, meta
from recsys.types import visitor_key
from tests.stores import log_event


@pytest.fixture
def database(store_url: str, tmp_path: Path) -> Iterator[Database]:
    made: Database = (
        PostgresDatabase(store_url)
        if store_url.startswith("postgresql")
        else SqliteDatabase(tmp_path / "events.db")
    )
    yield made
    made.close()


@pytest.fixture
def dialect(store_url: str) -> Dialect:
    return POSTGRES if store_url.startswith("postgresql") else SQLITE


def bring_to(database: Database, dialect: Dialect, steps: tuple[Migration, ...]) -> None:
    """Does what a program of these steps does at its start; empty databases only."""
    plain = database._transaction if isinstance(database, PostgresDatabase) else None
    with plain() if plain else database.transaction() as session:
        migrations.migrate(session, dialect, steps)


def test_versions_rise_and_every_step_says_who_can_read_it() -> None:
    versions = [step.version for step in MIGRATIONS]
    assert versions == sorted(set(versions))
    assert [step.readable_from for step in MIGRATIONS] == sorted(
        step.readable_from for step in MIGRATIONS
    )
    assert all(step.readable_from <= step.version for step in MIGRATIONS)


def test_a_step_that_was_done_is_not_done_again(database: Database) -> None:
    database.migrate()
    with database.read() as session:
        identity = meta.read(session, "id"), meta.read(session, "secret")
    database.migrate()
    with database.read() as session:
        assert identity == (meta.read(session, "id"), meta.read(session, "secret"))
        assert meta.read(session, "schema_version") == str(MIGRATIONS[-1].version)


@pytest.mark.parametrize("count", range(1, len(MIGRATIONS)))
def test_what_is_stored_outlives_the_next_steps(
    database: Database, dialect: Dialect, count: int
) -> None:
    old = MIGRATIONS[:count]
    bring_to(database, dialect, old)
    with database.transaction() as session:
        events.append(session, [[log_event("a"), log_event("b", "ben")]], 0)
    with database.read() as session:
        before = events.rows_between(session, 0, 9, 9)
    database.migrate()
    with database.read() as session:
        assert events.rows_between(session, 0, 9, 9) == before
        assert counters.read(session, "position") == 2


@pytest.mark.parametrize("count", range(1, len(MIGRATIONS)))
def test_the_reader_of_an_older_program_reads_a_migrated_store(
    database: Database, dialect: Dialect, count: int
) -> None:
    """Its statements on its tables: servers go on reading while new ones are rolled out."""
    older = MIGRATIONS[count - 1].version
    old_tables = _tables(MIGRATIONS[:count])
    bring_to(database, dialect, MIGRATIONS[:count])
    old_columns = _columns(database, old_tables)
    database.migrate()
    with database.read() as session:
        if MIGRATIONS[-1].readable_from > older:
            with pytest.raises(StoreSchemaError, match="use a newer program"):
                migrations.check_readable(session, older)
            return
        migrations.check_readable(session, older)
        for table, columns in old_columns.items():
            session.rows(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608


def test_a_store_of_a_newer_program_is_refused(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = MIGRATIONS[-1]
    newer = Migration(newest.version + 1, newest.version + 1, ("CREATE TABLE later (n {whole})",))
    store = open_store(store_url)
    with store.database.transaction() as session:
        for statement in newer.statements:
            session.execute(statement.format(whole="INTEGER"))
        meta.write(session, "schema_version", str(newer.version))
        meta.write(session, "readable_from", str(newer.readable_from))
    store.close()
    monkeypatch.setattr("recsys.store.open.TAKE_OVER_S", 0.0)
    for role in ("command", "server", "writer", "reader"):
        with pytest.raises(StoreSchemaError, match=f"has schema {newer.version}.*newer program"):
            open_store(store_url, role=role)  # type: ignore[arg-type]


def test_a_reader_says_that_an_old_store_is_not_yet_migrated(
    database: Database, dialect: Dialect
) -> None:
    bring_to(database, dialect, MIGRATIONS[:1])
    with pytest.raises(StoreSchemaError, match="has schema 1, this program reads"):
        database.check()


def test_the_first_schema_is_as_it_was_released(database: Database, dialect: Dialect) -> None:
    """A file that the first program wrote, by its own statements, opens as a whole store."""
    bring_to(database, dialect, MIGRATIONS[:1])
    with database.transaction() as session:
        events.append(session, [[log_event("a", visitor_key("v"))]], 0)
        session.insert(
            "visitors",
            ("visitor_id", "customer_id", "position", "sequence", "link_time"),
            [("v", "anna", 1, 1, 5)],
        )
        counters.bump(session, "links")
    database.migrate()
    store = Store(database, None)  # type: ignore[arg-type]  # it is only read
    assert [event.position for event in store.tail("anna", 0).events] == [1]


def _tables(steps: tuple[Migration, ...]) -> list[str]:
    statements = [statement for step in steps for statement in step.statements]
    return [
        statement.split("(")[0].split()[2]
        for statement in statements
        if statement.startswith("CREATE TABLE")
    ]


def _columns(database: Database, tables: list[str]) -> dict[str, list[str]]:
    found = {}
    with database.read() as session:
        for table in tables:
            if isinstance(database, SqliteDatabase):
                sql = "SELECT name FROM pragma_table_info(?)"
            else:
                sql = "SELECT column_name FROM information_schema.columns WHERE table_name = ?"
            found[table] = [row[0] for row in session.rows(sql, (table,))]
            assert found[table]
    return found
