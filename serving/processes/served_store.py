"""The event store as one server process has it."""

from collections.abc import Iterator
from contextlib import contextmanager

from recsys.store.listener import Listener
from recsys.store.open import Role, open_store
from recsys.store.store import Store
from recsys.store.url import folder_of, is_embedded
from serving.settings import ServingSettings
from serving.state.patience import WAIT_S


def owns_store(settings: ServingSettings) -> bool:
    """Says whether a server writes an embedded store itself, because there is only one server.

    With several, a process of its own owns the log: two that write to one file starve each other.
    A lone server spares each write the way to another process and back.
    """
    return settings.store is not None and is_embedded(settings.store) and settings.processes == 1


@contextmanager
def served_store(settings: ServingSettings) -> Iterator[Store | None]:
    """Lends the store that the settings name, until all calls have ended; None: they name none.

    A store that cannot be reached just now is none the less lent: it may come back.

    Raises:
        ConfigError: the URL is not one.
        StoreError: the store is of another program version, or another process writes to it.
    """
    if settings.store is None:
        yield None
        return
    owns = owns_store(settings)
    role: Role = "writer" if owns else "server"
    store = open_store(settings.store, archives=settings.archives, role=role, lookup_s=WAIT_S)
    # Commands, such as an erasure, write through whoever owns the log.
    listener = Listener(folder_of(settings.store), store.writer) if owns else None
    try:
        yield store
    finally:
        if listener is not None:
            listener.close()
        store.close()
