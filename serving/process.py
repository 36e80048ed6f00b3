"""One server process, as the supervisor starts it."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import faiss

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.pipeline.recommender import Recommender
from serving.server import Server
from serving.settings import ServingSettings
from serving.supervisor import READY

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


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
        link: to the supervisor; says `READY` there, and stops when the other end closes.
        load: makes the Recommender of a bundle.

    Raises:
        BundleError: there is no bundle to start with, or it is damaged.
        StartError: the port cannot be opened.
    """
    # Blocked before any thread starts, so that only `sigwait` below ever sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    faiss.omp_set_num_threads(1)
    server = Server(settings, current=current, load=load)
    server.listen(port)
    try:
        server.load()
        if link is not None:
            link.sendall(READY)
            threading.Thread(target=_stop_with, args=(link,), name="link", daemon=True).start()
        signal.sigwait(STOP_SIGNALS)
    finally:
        server.stop()


def _stop_with(link: socket.socket) -> None:
    """Stops this process when the supervisor's end closes, even if the supervisor was killed."""
    # A supervisor that was killed before it read `READY` leaves a reset instead of an end.
    with suppress(ConnectionResetError):
        link.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
