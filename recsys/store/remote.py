"""Writers that do not own the log: one sends to the process that does, one refuses."""

import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recsys.errors import StoreError, StoreUnavailableError
from recsys.store import frames
from recsys.store.folder import read_address
from recsys.store.grouping import Grouping, Pending
from recsys.store.upkeep import UPKEEP
from recsys.store.writes import Arguments

ANSWER_S = 30
"""Seconds after which a writer that does not answer counts as gone; erasing takes longest."""
ANSWER_TIMEVAL = struct.pack("ll", ANSWER_S, 0)


class RemoteWriter:
    """Sends operations to the writer process, in one message all that wait at the time.

    A connection that broke while idle (the writer was started again) is replaced before it is
    used. One that breaks while it waits leaves open whether the operation was done: that is an
    error, and the caller may send it again.
    """

    def __init__(self, folder: Path) -> None:
        """Takes the store's folder, where the writer leaves its address."""
        self._folder = folder
        self._grouping = Grouping(self._send)
        self._channel: socket.socket | None = None

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Returns the operation's result once the writer says that it is on disk."""
        pending = Pending(name, arguments)
        if name in UPKEEP:
            # Takes long: on a connection of its own it keeps no event waiting.
            with _connected(self._folder) as channel:
                _exchange(channel, [pending])
        else:
            self._grouping.do([pending])
        return pending.outcome()

    def write_all(self, operations: Sequence[Pending]) -> None:
        """Does operations as `write` does, each with an outcome of its own."""
        self._grouping.do(operations)

    def close(self) -> None:
        """Closes the connection."""
        self._drop()

    def _send(self, group: Sequence[Pending]) -> None:
        try:
            if self._channel is not None and frames.is_closed(self._channel):
                self._drop()
            if self._channel is None:
                self._channel = _connected(self._folder)
            _exchange(self._channel, group)
        except StoreUnavailableError as error:
            self._drop()
            for pending in group:
                pending.fail(error)
        except BaseException:
            self._drop()  # what it answers later would be taken for the next answer
            raise

    def _drop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()


class ReadOnly:
    """The writer of a store that was opened to be read."""

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Refuses."""
        del arguments
        raise TypeError(f"{name}: this store was opened to be read")

    def write_all(self, operations: Sequence[Pending]) -> None:
        """Refuses."""
        for pending in operations:
            self.write(pending.name, pending.arguments)

    def close(self) -> None:
        """Holds nothing."""


def _connected(folder: Path) -> socket.socket:
    channel = socket.socket(socket.AF_UNIX)
    # The kernel's timeouts: with Python's, every call would poll first.
    for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        channel.setsockopt(socket.SOL_SOCKET, limit, ANSWER_TIMEVAL)
    try:
        channel.connect(read_address(folder))
    except OSError as error:
        channel.close()
        raise StoreUnavailableError("the store's writer does not run just now") from error
    return channel


def _exchange(channel: socket.socket, group: Sequence[Pending]) -> None:
    try:
        frames.send(channel, [(pending.name, pending.arguments) for pending in group])
        answers = frames.receive(channel)
    except (OSError, EOFError) as error:
        raise StoreUnavailableError(
            "the store's writer ended before it answered; send the write again"
        ) from error
    for pending, answer in zip(group, answers, strict=True):
        if "error" in answer:
            pending.fail(_restored(*answer["error"]))
        else:
            pending.succeed(answer["result"])


def _restored(reason: str, text: str, metadata: dict[str, str]) -> StoreError:
    kinds = {kind.reason: kind for kind in StoreError.__subclasses__()}
    return kinds.get(reason, StoreError)(text, **metadata)
