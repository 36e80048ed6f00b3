"""What an export and the store tell each other: what was shown, and who was erased."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.errors import StoreUnavailableError
from recsys.store.impressions import DeploymentNote, ExperimentNote, Impression
from recsys.store.listener import Listener
from recsys.store.open import open_store
from recsys.store.remote import RemoteWriter
from recsys.store.tables import counters, tombstones
from recsys.store.url import folder_of, is_embedded
from serving.settings import ServingSettings

AT_ONCE = 100
"""Lists in one transaction: servers that write meanwhile wait for no more."""


@contextmanager
def writable(settings: ServingSettings) -> Iterator[None]:
    """Lets other processes write to the store: through this one, if no server owns it.

    Raises:
        StoreError: it cannot be opened.
    """
    if settings.store is None or not is_embedded(settings.store):
        yield
        return
    store = open_store(settings.store, archives=settings.archives)
    owns = not isinstance(store.writer, RemoteWriter)
    listener = Listener(folder_of(settings.store), store.writer) if owns else None
    try:
        yield
    finally:
        if listener is not None:
            listener.close()
        store.close()


def tell_store(path: Path, settings: ServingSettings) -> None:
    """Logs what a part shows, once however often it is told, and removes the file.

    The store is opened for this alone: with an embedded one and no server, whoever has it open
    keeps servers from starting.

    Raises:
        StoreError: it cannot be told now.
    """
    if not path.exists():
        return
    if settings.store is None:
        raise StoreUnavailableError("the export was begun with a store: name it again")
    store = open_store(settings.store, archives=settings.archives)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        for start in range(0, len(lines), AT_ONCE):
            told = [json.loads(line) for line in lines[start : start + AT_ONCE]]
            experiments = [ExperimentNote(*note) for _, note, _ in told if note]
            deployments = [DeploymentNote(*note) for _, _, note in told if note]
            store.log_impressions(
                [Impression(*row) for row, _, _ in told],
                experiments=list({note.version: note for note in experiments}.values()),
                deployments=list({note.version: note for note in deployments}.values()),
            )
    finally:
        store.close()
    path.unlink()


def erasures(settings: ServingSettings) -> int:
    """Returns how many erasures there were so far.

    Raises:
        StoreError: the store cannot be read.
    """
    if settings.store is None:
        return 0
    store = open_store(settings.store, archives=settings.archives, role="reader")
    try:
        with store.read() as session:
            return counters.read(session, tombstones.COUNTER)
    finally:
        store.close()
