"""Writes that go to the process that owns the log; here it is a thread of this one."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsys.errors import StoreUnavailableError, VisitorTakenError
from recsys.store.folder import ADDRESS, read_address
from recsys.store.listener import Listener
from recsys.store.open import open_store
from recsys.store.sqlite import SqliteDatabase
from recsys.store.store import Store
from tests.stores import log_event


class Owner:
    """The process that owns the log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = open_store(f"store://{folder}", role="writer")
        self.listener = Listener(folder, self.store.writer)

    def stop(self) -> None:
        self.listener.close()
        self.store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def owner(folder: Path) -> Iterator[Owner]:
    running = Owner(folder)
    yield running
    running.stop()


@pytest.fixture
def store(owner: Owner) -> Iterator[Store]:
    opened = open_store(f"store://{owner.folder}", role="server")
    yield opened
    opened.close()


def test_a_server_writes_through_the_owner_and_reads_by_itself(store: Store, owner: Owner) -> None:
    assert store.append([log_event("a"), log_event("a")]) == (1, 1, 0, 1, 0)
    assert store.tail("anna", 0) == owner.store.tail("anna", 0)
    assert store.id == owner.store.id


def test_errors_travel(store: Store) -> None:
    assert store.link_visitor("v", "anna").linked_now
    with pytest.raises(VisitorTakenError, match="another customer"):
        store.link_visitor("v", "ben")
    assert not store.link_visitor("v", "anna").linked_now


def test_many_threads_share_commits(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        positions = list(
            pool.map(lambda n: store.append([log_event(f"e{n}")]).last_position, range(200))
        )
    assert sorted(positions) == list(range(1, 201))
    assert [row[0] for row in store.rows(0, 1000, 1000)] == list(range(1, 201))


def test_a_new_owner_is_found_without_a_lost_or_refused_write(
    store: Store, owner: Owner, folder: Path
) -> None:
    store.append([log_event("a")])
    owner.stop()
    with pytest.raises(StoreUnavailableError, match="does not run"):
        store.append([log_event("b")])
    again = Owner(folder)
    assert store.append([log_event("b")]).stored == 1
    again.stop()
    owner.store = open_store(f"store://{folder}", role="writer")
    owner.listener = Listener(folder, owner.store.writer)


def test_an_operation_that_the_owner_does_not_know_is_refused(store: Store) -> None:
    with pytest.raises(StoreUnavailableError, match="does not know fly"):
        store.writer.write("fly", {})
    assert store.append([log_event("a")]).stored == 1


def test_only_one_process_owns_a_store(owner: Owner, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("recsys.store.open.TAKE_OVER_S", 0.0)
    with pytest.raises(
        StoreUnavailableError,
        match=rf"process {os.getpid()} \(.*\) writes to this store: stop it first",
    ):
        open_store(f"store://{folder}", role="writer")
    command = open_store(f"store://{folder}")
    assert command.append([log_event("a")]).stored == 1
    assert owner.store.last_position == 1
    command.close()


def test_a_long_folder_name_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    running = Owner(folder)
    address = Path(read_address(folder))
    assert address.parent != folder
    assert address.parent.stat().st_mode & 0o077 == 0
    store = open_store(f"store://{folder}", role="server")
    assert store.append([log_event("a")]).stored == 1
    store.close()
    running.stop()
    Owner(folder).stop()
    assert not address.parent.exists(), "the next owner clears what the last one left"
    second = Path(read_address(folder))
    second.unlink()
    second.parent.rmdir()


@pytest.mark.usefixtures("owner")
def test_the_socket_is_for_the_owner_of_the_process_alone(folder: Path) -> None:
    assert Path(read_address(folder)).stat().st_mode & 0o077 == 0
    assert (folder / ADDRESS).exists()


@pytest.mark.usefixtures("owner")
def test_a_reader_does_not_write(folder: Path) -> None:
    reader = open_store(f"store://{folder}", role="reader")
    assert reader.last_position == 0
    with pytest.raises(TypeError, match="opened to be read"):
        reader.append([log_event("a")])
    reader.close()


def test_a_reader_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="there is no store"):
        open_store(f"store://{tmp_path / 'none'}", role="reader")
    assert not (tmp_path / "none").exists()


def test_a_thread_that_ends_leaves_no_connection_open(owner: Owner) -> None:
    database = owner.store.database
    assert isinstance(database, SqliteDatabase)
    for _ in range(20):
        thread = threading.Thread(target=owner.store.versions)
        thread.start()
        thread.join()
    assert len(database._opened) <= 3
