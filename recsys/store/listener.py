"""The end of the writer process that others send their writes to."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from recsys.errors import StoreError, StoreUnavailableError
from recsys.store import frames
from recsys.store.folder import free_address, write_address
from recsys.store.grouping import Pending
from recsys.store.upkeep import UPKEEP
from recsys.store.writes import WRITES, Writer

BACKLOG = 128


class Listener:
    """Answers each connection in a thread of its own, through one writer.

    Whoever may open the socket may write: it is open to the owner of the process alone.
    """

    def __init__(self, folder: Path, writer: Writer) -> None:
        """Takes the folder, whose lock this process holds, and what does the writes."""
        self._writer = writer
        self._socket = socket.socket(socket.AF_UNIX)
        address = free_address(folder)
        self._socket.bind(str(address))
        address.chmod(0o600)
        self._socket.listen(BACKLOG)
        self._guard = threading.Lock()
        self._channels: dict[socket.socket, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._acceptor.start()
        write_address(folder, address)

    def close(self) -> None:
        """Takes no more, lets what is in work be answered, and ends."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._socket.close()
        with self._guard:
            channels = dict(self._channels)
        for channel in channels:
            with suppress(OSError):
                channel.shutdown(socket.SHUT_RD)  # an answer in work can still be sent
        for thread in channels.values():
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                channel, _ = self._socket.accept()
            except OSError:
                return  # closed
            thread = threading.Thread(target=self._serve, args=(channel,), daemon=True)
            with self._guard:
                self._channels[channel] = thread
            thread.start()

    def _serve(self, channel: socket.socket) -> None:
        # A caller that goes away while it waits is no fault of this process.
        try:
            with channel, suppress(OSError, EOFError):
                while True:
                    self._answer(channel)
        finally:
            with self._guard:
                del self._channels[channel]

    def _answer(self, channel: socket.socket) -> None:
        operations = [Pending(*each) for each in frames.receive(channel)]
        for pending in operations:
            if pending.name in UPKEEP:
                self._keep_up(pending)
            elif pending.name not in WRITES:
                # A newer server, while processes are being replaced.
                pending.fail(
                    StoreUnavailableError(f"the store's writer does not know {pending.name}")
                )
        self._writer.write_all([pending for pending in operations if not pending.done])
        frames.send(channel, [_answer_of(pending) for pending in operations])

    def _keep_up(self, pending: Pending) -> None:
        try:
            pending.succeed(self._writer.write(pending.name, pending.arguments))
        except StoreError as error:
            pending.fail(error)


def _answer_of(pending: Pending) -> dict[str, Any]:
    error = pending.error
    if error is None:
        return {"result": pending.result}
    return {"error": [error.reason, str(error), dict(error.metadata)]}
