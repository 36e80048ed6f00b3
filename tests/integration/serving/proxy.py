"""A wire between a client and a server that a test can cut at the worst moment."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

CHUNK = 65_536


class Proxy:
    """Passes bytes between one server and any number of connections."""

    def __init__(self, port: int) -> None:
        """Takes the server's port on loopback."""
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._pumps: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._held = threading.Event()
        self._down = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def hold_answers(self) -> None:
        """Lets requests through, and no answer any more."""
        self._held.set()

    def cut(self, *, for_good: bool = False) -> None:
        """Breaks all connections; new ones are whole again, or refused."""
        self._down = for_good
        with self._guard:
            ends = [end for pair in self._pairs for end in pair]
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        if not for_good:
            self._held.clear()

    def close(self) -> None:
        """Ends everything and waits for it."""
        self.cut(for_good=True)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)
        for pump in self._pumps:
            pump.join(10)
        for pair in self._pairs:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                if self._down:
                    ours.close()
                    continue
                theirs = socket.create_connection(("127.0.0.1", self._server))
                with self._guard:
                    self._pairs.append((ours, theirs))
                self._start(self._pass_requests, ours, theirs)
                self._start(self._pass_answers, theirs, ours)

    def _start(
        self, run: Callable[[socket.socket, socket.socket], None], *ends: socket.socket
    ) -> None:
        pump = threading.Thread(target=run, args=ends, daemon=True)
        self._pumps.append(pump)
        pump.start()

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(CHUNK):
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _pass_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK):
                if not self._held.is_set():
                    client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)
