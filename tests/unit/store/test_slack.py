"""What SQLite leaves of deleted rows, and that a scrub takes it away."""

import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import StoreUnavailableError
from recsys.store import slack
from recsys.store.slack import PageFile
from recsys.store.sqlite import SqliteDatabase
from tests.stores import log_event

ROWS = 15_000


def filled(database: SqliteDatabase, seed: int) -> list[str]:
    """A log of customers in any order; returns some that were then deleted."""
    chance = random.Random(seed)  # noqa: S311  not a secret
    names = [f"c{chance.getrandbits(60):x}" for _ in range(1500)]
    database.migrate()
    position = 0
    while position < ROWS:
        with database.transaction() as session:
            rows = []
            for _ in range(100):
                position += 1
                name = chance.choice(names)
                rows.append(
                    (position, *log_event(f"e{position}", name, "i" * chance.randrange(9)))
                )
            columns = ("position", *log_event()._fields)
            session.insert("events", columns, rows)
    gone = names[:300]
    with database.transaction() as session:
        for name in gone:
            session.execute("DELETE FROM events WHERE customer_id = ?", (name,))
    return gone


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path_factory.mktemp("slack") / "events.db")
    yield opened
    opened.close()


def traces(folder: Path, names: list[str]) -> set[str]:
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    return {name for name in names if name.encode() in content}


def test_a_scrub_blanks_what_deleting_leaves(database: SqliteDatabase) -> None:
    folder = database._file.parent
    gone = filled(database, 7)
    with database.transaction():
        pass
    assert (folder / "events.db-wal").stat().st_size > 0
    database.scrub([])
    assert (folder / "events.db-wal").stat().st_size == 0
    assert traces(folder, gone), "SQLite has learned to blank them itself: slack.py can go"
    database.scrub(gone)
    assert not traces(folder, gone)
    with database.read() as session:
        assert session.rows("PRAGMA integrity_check") == [("ok",)]
        kept = session.rows("SELECT COUNT(*), COUNT(DISTINCT customer_id) FROM events")[0]
    assert 0 < kept[0] < ROWS
    assert kept[1] == 1200
    with database.transaction() as session:
        session.execute("UPDATE events SET channel = ? WHERE position % 3 = 0", ("web",))
    database.scrub([])
    assert not traces(folder, gone), "a page was written as it was remembered"


TEXTS = st.text("ab", min_size=1, max_size=40)


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(st.integers(0, 500), TEXTS, TEXTS), max_size=300),
    size=st.sampled_from([512, 4096, 65536]),
)
def test_only_slack_is_blanked(
    rows: list[tuple[int, str, str]], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever tables and rows: the file stays whole, and every row as it was."""
    file = tmp_path_factory.mktemp("any") / "any.db"
    connection = apsw.Connection(str(file))
    connection.execute(f"PRAGMA page_size = {size}; PRAGMA secure_delete = ON")
    connection.execute("CREATE TABLE a (k INTEGER PRIMARY KEY, v TEXT, w TEXT)")
    connection.execute("CREATE TABLE b (v TEXT PRIMARY KEY, w TEXT) WITHOUT ROWID")
    connection.execute("CREATE INDEX i ON a (w, k)")
    with connection:
        for key, v, w in rows:
            connection.execute("INSERT OR REPLACE INTO a VALUES (?, ?, ?)", (key, v * 20, w))
            connection.execute("INSERT OR REPLACE INTO b VALUES (?, ?)", (v, w))
    connection.execute("DELETE FROM a WHERE k % 2 = 0")
    read = "SELECT k, v, w FROM a UNION ALL SELECT 0, v, w FROM b"
    before = connection.execute(read).fetchall()
    connection.close()
    with PageFile(file, write=True) as pages:
        found = [each.page for each in pages.slack_with([b"a", b"b"])]
        assert found == sorted(set(found))
        pages.blank(range(pages.pages), [b"a", b"b"])
        assert list(pages.slack_with([b"a", b"b"])) == []
    connection = apsw.Connection(str(file))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute(read).fetchall() == before
    connection.close()


def test_a_file_whose_pages_cannot_be_told_apart_is_refused(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.migrate()
    monkeypatch.setattr(slack, "_MAX_TREE_PAGES", 3)
    with pytest.raises(StoreUnavailableError, match="too large"):
        database.scrub(["anna"])
