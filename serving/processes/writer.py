"""The one process that writes an embedded event store, as the supervisor starts it."""

import signal
import socket

import structlog

from recsys.errors import ConfigError
from recsys.store.listener import Listener
from recsys.store.open import open_store
from recsys.store.url import folder_of
from serving.logs import WRITER_READY, WRITER_STOPPED
from serving.processes.link import STOP_SIGNALS, say_ready
from serving.settings import ServingSettings

_log = structlog.get_logger()


def run_writer(settings: ServingSettings, *, link: socket.socket | None = None) -> None:
    """Does the writes of all servers until SIGTERM, SIGINT or the end of the supervisor.

    Args:
        settings: of the whole deployment.
        link: to the supervisor; says there that it is ready, and stops when the other end closes.

    Raises:
        ConfigError: the store is not an embedded one.
        StoreError: the store cannot be used, or another process writes to it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    if settings.store is None:
        raise ConfigError("store: a writer needs one: store://FOLDER")
    folder = folder_of(settings.store)
    store = open_store(settings.store, archives=settings.archives, role="writer")
    listener = Listener(folder, store.writer)
    try:
        if link is not None:
            say_ready(link)
        _log.info(WRITER_READY)
        signal.sigwait(STOP_SIGNALS)
    finally:
        listener.close()
        store.close()
        _log.info(WRITER_STOPPED)
