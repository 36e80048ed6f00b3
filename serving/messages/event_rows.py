"""From events of the contract to rows of the event log, checked as a whole before any is kept.

A batch is looked at column by column first: whether all is well takes a few microseconds an event
that way. Only a batch in which something is unusual is looked at event by event.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.data.event_names import logged_event_type
from recsys.data.reading.event_checks import FUTURE_TOLERANCE
from recsys.errors import FieldViolation, InvalidBatchError, InvalidEventError
from recsys.store.events import LogEvent
from recsys.types import VISITOR_PREFIX
from recsys.v1.event_pb2 import Event
from serving.errors import MAX_VIOLATIONS
from serving.messages.event_checks import (
    EARLIEST_US,
    MAX_PROPERTIES_BYTES,
    NEEDS_ITEM,
    event_violations,
    kind_fault,
)
from serving.messages.event_properties import properties_text
from serving.messages.limits import MAX_ID_BYTES

MAX_BATCH_EVENTS = 10_000
BYTES_PER_CHARACTER = 4
"""In UTF-8, at most."""

_TOLERANCE_US = int(FUTURE_TOLERANCE.total_seconds() * 1_000_000)
_NANOS_PER_S = 1_000_000_000
_PLAIN_PROPERTIES = MAX_PROPERTIES_BYTES // BYTES_PER_CHARACTER
_ASCII_CONTROL = bytes([*range(0x20), 0x7F])
_OTHER_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")

_TEXTS = (
    "event_id",
    "customer_id",
    "visitor_id",
    "session_id",
    "basket_id",
    "item_id",
    "offer_id",
    "event_type",
    "channel",
    "attribution_token",
)
_OPTIONAL = tuple(name for name in _TEXTS if name in LogEvent._fields)
_texts_of = attrgetter(*_TEXTS)

Texts = Mapping[str, Sequence[str]]
"""The text fields of a batch, by name; empty where an event does not say."""


def to_rows(events: Sequence[Event], now_us: int) -> list[LogEvent]:
    """Returns the rows of a batch, in its order.

    Args:
        events: as they came.
        now_us: microseconds since 1970, UTC.

    Raises:
        InvalidBatchError: there are none, or too many.
        InvalidEventError: some are wrong; it names up to `MAX_VIOLATIONS` fields.
    """
    if not 1 <= len(events) <= MAX_BATCH_EVENTS:
        text = f"must have 1 to {MAX_BATCH_EVENTS:,} elements, has {len(events):,}"
        raise InvalidBatchError("events", text)
    latest_us = now_us + _TOLERANCE_US
    texts = dict(zip(_TEXTS, zip(*map(_texts_of, events), strict=True), strict=True))
    rows = _rows(events, texts)
    if not (_are_plain_texts(texts) and _are_plain_rows(rows, texts, latest_us)):
        _look_closely(events, latest_us)
    return rows


def _rows(events: Sequence[Event], texts: Texts) -> list[LogEvent]:
    """Returns the rows of events that need not be good ones."""
    columns: dict[str, Iterable[Any]] = {name: _or_none(texts[name]) for name in _OPTIONAL}
    columns["customer_id"] = [
        customer_id or VISITOR_PREFIX + visitor_id
        for customer_id, visitor_id in zip(texts["customer_id"], texts["visitor_id"], strict=True)
    ]
    columns["event_type"] = _kinds(texts)
    columns["event_time"] = [_microseconds(event.event_time) for event in events]
    columns["quantity"] = [
        event.quantity or (0.0 if event.HasField("quantity") else 1.0) for event in events
    ]
    columns["unit_price"] = [
        event.unit_price or (0.0 if event.HasField("unit_price") else None) for event in events
    ]
    columns["value"] = [
        event.value or (0.0 if event.HasField("value") else None) for event in events
    ]
    columns["properties"] = [
        properties_text(event.properties) if event.HasField("properties") else None
        for event in events
    ]
    ordered = [columns[name] for name in LogEvent._fields]
    return list(map(LogEvent._make, zip(*ordered, strict=True)))


def _kinds(texts: Texts) -> list[str]:
    """Returns our name of each event's type, looked up once for each name of the batch."""
    kinds, items = texts["event_type"], texts["item_id"]
    names = {
        (kind, has_item): logged_event_type(kind, has_item=has_item)
        for kind in set(kinds)
        for has_item in (True, False)
    }
    return [names[kind, bool(item)] for kind, item in zip(kinds, items, strict=True)]


def _or_none(texts: Iterable[str]) -> list[str | None]:
    return [text or None for text in texts]


def _microseconds(time: Timestamp) -> int:
    """Returns a time as the log has it; for one that is none, a time that no event has."""
    nanos = time.nanos
    return time.seconds * 1_000_000 + nanos // 1000 if 0 <= nanos < _NANOS_PER_S else -1


def _are_plain_texts(texts: Texts) -> bool:
    """Says whether no text can be too long or holds a control character."""
    whole = "".join(chain.from_iterable(texts.values())).encode()
    if len(whole.translate(None, _ASCII_CONTROL)) < len(whole) or _OTHER_CONTROL.search(whole):
        return False
    most = MAX_ID_BYTES if whole.isascii() else MAX_ID_BYTES // BYTES_PER_CHARACTER
    return all(max(map(len, column)) <= most for column in texts.values())


def _are_plain_rows(rows: Sequence[LogEvent], texts: Texts, latest_us: int) -> bool:
    """Says whether all rows are good, if their texts are short and clean."""
    if any(map(kind_fault, set(texts["event_type"]))):
        return False
    if any(customer_id.startswith(VISITOR_PREFIX) for customer_id in texts["customer_id"]):
        return False
    return all(
        row.customer_id != VISITOR_PREFIX
        and (row.item_id is not None or row.event_type not in NEEDS_ITEM)
        and EARLIEST_US <= row.event_time <= latest_us
        and 0 < row.quantity < math.inf
        and (row.unit_price is None or 0 <= row.unit_price < math.inf)
        and (row.value is None or math.isfinite(row.value))
        and (row.properties is None or 0 < len(row.properties) <= _PLAIN_PROPERTIES)
        for row in rows
    )


def _look_closely(events: Sequence[Event], latest_us: int) -> None:
    """Looks at every field of every event, until enough are found wrong.

    Raises:
        InvalidEventError: some are.
    """
    wrong: list[FieldViolation] = []
    for place, event in enumerate(events):
        wrong += event_violations(event, f"events[{place}]", latest_us)
        if len(wrong) >= MAX_VIOLATIONS:
            break
    if wrong:
        raise InvalidEventError(wrong[:MAX_VIOLATIONS])
