"""The ranges of request fields, as the protos document them, each error with its field's path."""

import re
from collections.abc import Iterable, Sized

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.errors import InvalidQueryError
from recsys.pipeline.answers import DEFAULT_CUSTOMERS, MAX_CUSTOMERS
from recsys.pipeline.query import DEFAULT_LIMIT, MAX_LIMIT
from recsys.types import VISITOR_PREFIX, CustomerId, ItemId

MAX_ID_BYTES = 512
MAX_TYPE_BYTES = 64
MAX_CONTEXT_ITEMS = 100
MAX_EVENTS = 500
MAX_EXCLUDED_ITEMS = 10_000
MAX_ITEM_FIELDS = 100
MAX_BATCH_CUSTOMERS = 10_000
MAX_SLOTS = 20
MAX_TIME_S = 253_402_300_799
"""Unix seconds of 9999-12-31T23:59:59Z, the last time that a `Timestamp` may hold."""

_NANOS_PER_S = 1_000_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def checked_text(text: str, field: str, *, max_bytes: int = MAX_ID_BYTES) -> str:
    """Returns an id or a name that is not empty, not too long and without control characters.

    Raises:
        InvalidQueryError: it is one of these.
    """
    if fault := text_fault(text, max_bytes):
        raise InvalidQueryError(field, fault)
    return text


def text_fault(text: str, max_bytes: int = MAX_ID_BYTES) -> str | None:
    """Says what `checked_text` would refuse, None if nothing."""
    if not text:
        return "must not be empty"
    size = len(text.encode())
    if size > max_bytes:
        return f"must be at most {max_bytes} bytes, is {size}"
    if _CONTROL.search(text):
        return "must not contain control characters"
    return None


def checked_customer_id(text: str, field: str) -> CustomerId:
    """Returns a customer id that cannot be mistaken for a visitor's.

    Raises:
        InvalidQueryError: it is empty, too long, has control characters or begins as a visitor's.
    """
    if text.startswith(VISITOR_PREFIX):
        raise InvalidQueryError(field, f"must not begin with {VISITOR_PREFIX!r}: use visitor_id")
    return CustomerId(checked_text(text, field))


def checked_item_ids(ids: Iterable[str], field: str) -> tuple[ItemId, ...]:
    """Returns item ids, each of which is within the limits of an id.

    Raises:
        InvalidQueryError: one is not; the field's path has its place.
    """
    return tuple(ItemId(checked_text(text, f"{field}[{place}]")) for place, text in enumerate(ids))


def check_count(values: Sized, field: str, most: int) -> None:
    """Refuses a list with more than `most` elements.

    Raises:
        InvalidQueryError: it has more.
    """
    if len(values) > most:
        raise InvalidQueryError(field, f"must have at most {most} elements, has {len(values)}")


def applied_page_size(page_size: int) -> int:
    """Returns the number of items to list: the default for 0, at most `MAX_LIMIT`.

    Raises:
        InvalidQueryError: it is negative.
    """
    if page_size < 0:
        raise InvalidQueryError("page_size", f"must not be negative, is {page_size}")
    return min(page_size, MAX_LIMIT) if page_size else DEFAULT_LIMIT


def applied_customers(page_size: int) -> int:
    """Returns the number of customers to list: the default for 0, at most `MAX_CUSTOMERS`.

    Raises:
        InvalidQueryError: it is negative.
    """
    if page_size < 0:
        raise InvalidQueryError("page_size", f"must not be negative, is {page_size}")
    return min(page_size, MAX_CUSTOMERS) if page_size else DEFAULT_CUSTOMERS


def unix_seconds(time: Timestamp, field: str) -> int:
    """Returns a time in whole Unix seconds.

    Raises:
        InvalidQueryError: it is before 1970, after 9999, or not a valid timestamp.
    """
    if not 0 <= time.seconds <= MAX_TIME_S:
        raise InvalidQueryError(field, "must lie in the years 1970 to 9999")
    if not 0 <= time.nanos < _NANOS_PER_S:
        raise InvalidQueryError(field, "must have 0 to 999,999,999 nanoseconds")
    return time.seconds
