"""Attribution tokens: they say which answer an event followed from, and cannot be made up."""

import base64
import binascii
import hmac
from dataclasses import dataclass

PLACEMENT_BYTES, EXPERIMENT_BYTES, ARM_BYTES, BUNDLE_BYTES = 28, 24, 24, 32
"""Longest names in UTF-8: with them a token has 200 characters."""
TOKEN_CHARACTERS = 200

_VERSION = b"\x01"
_LABEL = b"recsys attribution token"
_MAC_BYTES, _ID_BYTES, _TIME_BYTES = 16, 16, 6
_FIXED = len(_VERSION) + _ID_BYTES + _TIME_BYTES


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer, as a token tells it."""

    request_id: str
    """32 hexadecimal digits, lower case."""
    placement: str
    bundle_version: str
    experiment: str
    """Empty: none."""
    arm: str
    """Empty without an experiment."""
    answer_time_ms: int
    """Milliseconds since 1970, UTC."""


class Tokens:
    """Makes and reads the tokens of one store; any thread may use it.

    A token is base64url text of: version, request id, time, the four names, each but the last
    behind its length, and the first 16 bytes of HMAC-SHA256 over all of that (RFC 2104, section
    5, allows half of a hash). The key is derived from the store's secret for this use alone.
    """

    def __init__(self, secret: bytes) -> None:
        """Takes the store's secret."""
        self._key = hmac.digest(secret, _LABEL, "sha256")

    def write(self, shown: Shown) -> str:
        """Returns the token of an answer, at most `TOKEN_CHARACTERS` of the base64url alphabet.

        Raises:
            ValueError: a name is too long. Names are checked where they are configured.
        """
        content = _packed(shown)
        return _text(content + self._mac(content))

    def read(self, token: str) -> Shown | None:
        """Returns what a token says; None: it is not one of this store's, or was changed."""
        if len(token) > TOKEN_CHARACTERS:
            return None
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        content, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        # Decoding skips foreign characters and unused bits: only the very text counts.
        if _text(data) != token or not hmac.compare_digest(mac, self._mac(content)):
            return None
        return _unpacked(content) if content.startswith(_VERSION) else None

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_MAC_BYTES]


def checked_name(name: str, limit: int) -> str:
    """Returns a name that fits into tokens.

    Raises:
        ValueError: it is empty or longer than `limit` bytes of UTF-8.
    """
    length = len(name.encode())
    if not 0 < length <= limit:
        message = f"the name {name!r} has {length} bytes; 1 to {limit} fit into attribution tokens"
        raise ValueError(message)
    return name


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _packed(shown: Shown) -> bytes:
    names = [
        (shown.placement, PLACEMENT_BYTES),
        (shown.experiment, EXPERIMENT_BYTES),
        (shown.arm, ARM_BYTES),
        (shown.bundle_version, BUNDLE_BYTES),
    ]
    texts = [name.encode() for name, _ in names]
    for (name, limit), text in zip(names, texts, strict=True):
        if len(text) > limit:
            message = f"the name {name!r} is longer than {limit} bytes"
            raise ValueError(message)
    return b"".join(
        (
            _VERSION,
            bytes.fromhex(shown.request_id),
            shown.answer_time_ms.to_bytes(_TIME_BYTES, "big"),
            *(bytes((len(text),)) + text for text in texts[:-1]),
            texts[-1],
        )
    )


def _unpacked(content: bytes) -> Shown:
    time_at = len(_VERSION) + _ID_BYTES
    names, at = [], _FIXED
    for _ in range(3):
        end = at + 1 + content[at]
        names.append(content[at + 1 : end].decode())
        at = end
    placement, experiment, arm = names
    return Shown(
        request_id=content[len(_VERSION) : time_at].hex(),
        placement=placement,
        bundle_version=content[at:].decode(),
        experiment=experiment,
        arm=arm,
        answer_time_ms=int.from_bytes(content[time_at:_FIXED], "big"),
    )
