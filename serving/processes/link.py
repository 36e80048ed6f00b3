"""The socket between the supervisor and a process that it started."""

import os
import signal
import socket
import threading
from contextlib import suppress

READY = b"ready"
"""What a process says on its link once it answers."""
STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
"""What ends a process in order: block them before any thread starts, then `sigwait`."""


def say_ready(link: socket.socket) -> None:
    """Tells the supervisor, and from now on stops when the supervisor ends, even if killed."""
    link.sendall(READY)
    threading.Thread(target=_stop_with, args=(link,), name="link", daemon=True).start()


def _stop_with(link: socket.socket) -> None:
    # A supervisor that was killed before it read `READY` leaves a reset instead of an end.
    with suppress(ConnectionResetError):
        link.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
