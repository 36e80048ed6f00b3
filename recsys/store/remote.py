"""Writers that do not own the log: one sends to the process that does, one refuses."""

import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from recsys.errors import StoreError, StoreUnavailableError
from recsys.store import frames
from recsys.store.folder import read_address
from recsys.store.writes import Arguments

ANSWER_S = 30
"""Seconds after which a writer that does not answer counts as gone; erasing takes longest."""
ANSWER_TIMEVAL = struct.pack("ll", ANSWER_S, 0)


class RemoteWriter:
    """Sends operations to the writer process, on one connection per thread.

    A connection that broke while idle (the writer was started again) is replaced before it is
    used. One that breaks while it waits leaves open whether the operation was done: that is an
    error, and the caller may send it again.
    """

    def __init__(self, folder: Path) -> None:
        """Takes the store's folder, where the writer leaves its address."""
        self._folder = folder
        self._local = threading.local()
        self._guard = threading.Lock()
        self._channels: set[socket.socket] = set()

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Returns the operation's result once the writer says that it is on disk."""
        channel = self._channel()
        try:
            frames.send(channel, [name, arguments])
            answer = frames.receive(channel)
        except (OSError, EOFError) as error:
            self._drop(channel)
            raise StoreUnavailableError(
                "the store's writer ended before it answered; send the write again"
            ) from error
        except BaseException:
            self._drop(channel)  # what it answers later would be taken for the next answer
            raise
        if "error" in answer:
            raise _restored(*answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Closes the connections."""
        with self._guard:
            channels, self._channels = self._channels, set()
        for channel in channels:
            channel.close()
        self._local = threading.local()

    def _channel(self) -> socket.socket:
        channel: socket.socket | None = getattr(self._local, "channel", None)
        if channel is not None and frames.is_closed(channel):
            self._drop(channel)
            channel = None
        if channel is None:
            channel = self._local.channel = self._connect()
        return channel

    def _connect(self) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX)
        # The kernel's timeouts: with Python's, every call would poll first.
        for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            channel.setsockopt(socket.SOL_SOCKET, limit, ANSWER_TIMEVAL)
        try:
            channel.connect(read_address(self._folder))
        except OSError as error:
            channel.close()
            raise StoreUnavailableError("the store's writer does not run just now") from error
        with self._guard:
            self._channels.add(channel)
        return channel

    def _drop(self, channel: socket.socket) -> None:
        self._local.channel = None
        with self._guard:
            self._channels.discard(channel)
        with suppress(OSError):
            channel.close()


class ReadOnly:
    """The writer of a store that was opened to be read."""

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Refuses."""
        del arguments
        raise TypeError(f"{name}: this store was opened to be read")

    def close(self) -> None:
        """Holds nothing."""


def _restored(reason: str, text: str, metadata: dict[str, str]) -> StoreError:
    kinds = {kind.reason: kind for kind in StoreError.__subclasses__()}
    return kinds.get(reason, StoreError)(text, **metadata)
