"""What is wrong with an event that is to be stored, field by field, as the protos document it.

Descriptions never repeat a value: it may be a customer's, and a megabyte long.
"""

import math
import re
from collections.abc import Iterator

from recsys.data.event_names import logged_event_type, usual_event_type
from recsys.data.reading.event_checks import WITHOUT_ITEM
from recsys.errors import FieldViolation
from recsys.types import EVENT_TYPES, VISITOR_PREFIX
from recsys.v1.event_pb2 import Event
from serving.messages.event_properties import properties_text
from serving.messages.limits import MAX_ID_BYTES, MAX_TYPE_BYTES, text_fault

EARLIEST_US = 946_684_800_000_000
"""2000-01-01: what is older is a clock that was never set, or seconds taken for something else."""
MAX_PROPERTIES_BYTES = 16_384
"""As JSON text."""
NEEDS_ITEM = frozenset(kind.value for kind in EVENT_TYPES if kind not in WITHOUT_ITEM)

_TEXTS = {  # the event type has rules of its own
    "event_id": MAX_ID_BYTES,
    "customer_id": MAX_ID_BYTES,
    "visitor_id": MAX_ID_BYTES,
    "session_id": MAX_ID_BYTES,
    "basket_id": MAX_ID_BYTES,
    "item_id": MAX_ID_BYTES,
    "offer_id": MAX_ID_BYTES,
    "channel": MAX_ID_BYTES,
    "attribution_token": MAX_ID_BYTES,
}
_KEBAB = re.compile(r"[^\W_]+(-[^\W_]+)*")
_NANOS_PER_S = 1_000_000_000


def event_violations(event: Event, path: str, latest_us: int) -> Iterator[FieldViolation]:
    """Yields what is wrong with an event.

    Args:
        event: as it came.
        path: where it stands, such as `events[17]`.
        latest_us: microseconds since 1970 that the event must not be later than.
    """
    for field, description in _faults(event, latest_us):
        yield FieldViolation(f"{path}.{field}", description)


def kind_fault(kind: str) -> str | None:
    """Says what is wrong with an event type, None if nothing.

    It need not be one that we know, but then it is written as it is kept: in kebab-case.
    """
    if not kind:
        return "must be given"
    if fault := text_fault(kind, MAX_TYPE_BYTES):
        return fault
    if usual_event_type(kind) is not None:
        return None
    if not _KEBAB.fullmatch(kind) or kind != kind.lower():
        return "must be a usual name, such as 'add-to-cart', or a word in kebab-case"
    return None


def _faults(event: Event, latest_us: int) -> Iterator[tuple[str, str]]:
    for field, most in _TEXTS.items():
        text = getattr(event, field)
        if text and (fault := text_fault(text, most)):
            yield field, fault
    if fault := kind_fault(event.event_type):
        yield "event_type", fault
    yield from _who_and_what(event)
    if fault := _time_fault(event, latest_us):
        yield "event_time", fault
    yield from _number_faults(event)
    if event.HasField("properties"):
        text = properties_text(event.properties)
        if not text:
            yield "properties", "must not hold NaN or infinity"
        elif len(text.encode()) > MAX_PROPERTIES_BYTES:
            yield "properties", f"must be at most {MAX_PROPERTIES_BYTES:,} bytes of JSON"


def _who_and_what(event: Event) -> Iterator[tuple[str, str]]:
    if not event.customer_id and not event.visitor_id:
        yield "customer_id", "must be given, or else visitor_id"
    if event.customer_id.startswith(VISITOR_PREFIX):
        yield "customer_id", f"must not begin with {VISITOR_PREFIX!r}: use visitor_id"
    if not event.item_id:
        kind = logged_event_type(event.event_type, has_item=False)
        if kind in NEEDS_ITEM:
            yield "item_id", f"must be given for an event of this type ({kind})"


def _time_fault(event: Event, latest_us: int) -> str | None:
    if not event.HasField("event_time"):
        return "must be given"
    if not 0 <= event.event_time.nanos < _NANOS_PER_S:
        return "must have 0 to 999,999,999 nanoseconds"
    time_us = event.event_time.seconds * 1_000_000 + event.event_time.nanos // 1000
    if time_us < EARLIEST_US:
        return "must not be before the year 2000"
    if time_us > latest_us:
        return "must not be more than a day in the future"
    return None


def _number_faults(event: Event) -> Iterator[tuple[str, str]]:
    if event.HasField("quantity") and not 0 < event.quantity < math.inf:
        yield "quantity", "must be a number above 0"
    if event.HasField("unit_price") and not 0 <= event.unit_price < math.inf:
        yield "unit_price", "must be a number of 0 or more"
    if event.HasField("value") and not math.isfinite(event.value):
        yield "value", "must be a finite number"
