"""JSON messages on a stream socket, each behind its length."""

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")


def send(channel: socket.socket, message: Any) -> None:  # noqa: ANN401  JSON
    """Sends one message.

    Raises:
        OSError: the other end is gone.
    """
    text = json.dumps(message, separators=(",", ":")).encode()
    channel.sendall(_LENGTH.pack(len(text)) + text)


def receive(channel: socket.socket) -> Any:  # noqa: ANN401  JSON
    """Waits for one message and returns it.

    Raises:
        EOFError: the other end closed.
        OSError: it is gone, or took longer than the socket's timeout.
    """
    head = _exactly(channel, _LENGTH.size)
    return json.loads(_exactly(channel, _LENGTH.unpack(head)[0]))


def is_closed(channel: socket.socket) -> bool:
    """Says whether the other end closed while nothing was asked."""
    try:
        return not channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _exactly(channel: socket.socket, count: int) -> bytes:
    first = channel.recv(count)
    if len(first) == count:
        return first
    text = bytearray(first)
    while len(text) < count:
        part = channel.recv(count - len(text))
        if not part:
            raise EOFError
        text += part
    return bytes(text)
