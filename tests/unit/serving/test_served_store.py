"""Who writes the store of a deployment."""

from pathlib import Path

import pytest

from recsys.errors import StoreUnavailableError
from recsys.programs import own_command
from recsys.store.open import open_store
from serving.processes.served_store import owns_store, served_store
from serving.processes.supervisor import writer_command
from serving.settings import ServingSettings
from tests.stores import log_event


def settings_of(store: str | None, processes: int) -> ServingSettings:
    return ServingSettings(bundles=Path("bundles"), store=store, processes=processes)


def test_without_a_store_there_is_none() -> None:
    with served_store(settings_of(None, 1)) as store:
        assert store is None


def test_a_lone_server_writes_and_commands_write_through_it(tmp_path: Path) -> None:
    settings = settings_of(f"store://{tmp_path}", 1)
    with served_store(settings) as store:
        assert store is not None
        assert store.append([log_event("a")]).last_position == 1
        command = open_store(f"store://{tmp_path}")
        assert command.append([log_event("b")]).last_position == 2
        command.close()
    again = open_store(f"store://{tmp_path}", role="writer")  # it has let go
    assert again.last_position == 2
    again.close()


def test_one_of_several_servers_lives_without_its_writer(tmp_path: Path) -> None:
    with served_store(settings_of(f"store://{tmp_path / 'none'}", 2)) as store:
        assert store is not None
        with pytest.raises(StoreUnavailableError):
            store.append([log_event("a")])
        with pytest.raises(StoreUnavailableError):
            store.tail("anna", 0)


@pytest.mark.parametrize(
    ("store", "processes", "owns", "has_writer"),
    [
        (None, 2, False, False),
        ("store://var/store", 1, True, False),
        ("store://var/store", 2, False, True),
        ("postgresql:///shop", 1, False, False),
        ("postgresql:///shop", 2, False, False),
    ],
)
def test_exactly_one_process_owns_an_embedded_store(
    store: str | None, processes: int, *, owns: bool, has_writer: bool
) -> None:
    settings = settings_of(store, processes)
    assert owns_store(settings) == owns
    command = writer_command(settings)
    assert (command is not None) == has_writer
    if command is not None:
        assert list(command(0, 7))[:5] == own_command("serving", "writer")
