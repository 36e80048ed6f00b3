"""One server process, as the supervisor starts it."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import faiss

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.pipeline.recommender import Recommender
from serving.processes.link import STOP_SIGNALS, say_ready
from serving.processes.served_store import served_store
from serving.server import Server
from serving.settings import ServingSettings


def run_process(
    settings: ServingSettings,
    port: int,
    *,
    link: socket.socket | None = None,
    load: Callable[[Path], Recommender] = load_recommender,
) -> None:
    """Serves on one port until SIGTERM, SIGINT or the end of the supervisor.

    Args:
        settings: of the whole deployment.
        port: of this process.
        link: to the supervisor; says there that it is ready, and stops when the other end closes.
        load: makes the Recommender of a bundle.

    Raises:
        BundleError: there is no bundle to start with, or it is damaged.
        StartError: the port cannot be opened.
        StoreError: the store is of another program version, or another process writes to it.
    """
    # Blocked before any thread starts, so that only `sigwait` below ever sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    faiss.omp_set_num_threads(1)
    with served_store(settings) as store:
        server = Server(settings, current=current, load=load, store=store)
        server.listen(port)
        try:
            server.load()
            if link is not None:
                say_ready(link)
            signal.sigwait(STOP_SIGNALS)
        finally:
            server.stop()
