"""What happened in the shop, as it is sent to the event log, and what became of it there."""

import math
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client import checks
from recsys.client.errors import ArgumentError
from recsys.client.keywords import names_keywords
from recsys.client.times import to_timestamp
from recsys.data.event_names import logged_event_type
from recsys.errors import FieldViolation, InvalidEventError
from recsys.types import EventType
from recsys.v1 import event_service_pb2 as pb
from recsys.v1.event_pb2 import Event

MESSAGE_EVENTS = 1_000
MESSAGE_BYTES = 1024 * 1024
"""Most events and bytes in one message of an import; a server takes ten times as many."""
MOST_WRONG = 50
"""Wrong fields that one error names, as a server's does."""
CALL_MESSAGES = 20
"""Messages in one call of an import: what is made in memory before it is sent."""


def new_event_id() -> str:
    """Returns an id that no other event has."""
    return uuid.uuid4().hex


def now() -> datetime:
    """Returns this machine's time."""
    return datetime.now(UTC)


@names_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class ShopEvent:
    """Something that a customer or a visitor did.

    It has its id from the moment it is made, so that sending the same object again, after an
    error that leaves open what happened, stores it once.
    """

    event_type: EventType | str
    """One of `EventType`, or a name that is usual elsewhere, such as `Product Viewed`, which is
    stored as ours; or another word in kebab-case, which is stored and used by no model."""
    customer_id: str = ""
    """The customer; one of the two ids is needed."""
    visitor_id: str = ""
    """The visitor who has not logged in."""
    item_id: str = ""
    """The item; only a search, an email, an offer, a survey or an unknown type can do without."""
    event_time: datetime = field(default_factory=now)
    """When it happened, with a time zone."""
    event_id: str = field(default_factory=new_event_id)
    """Tells it from all others. "": the server derives it from all other fields."""
    quantity: float | None = None
    """Units; None for one."""
    unit_price: float | None = None
    """Of one unit, in the shop's currency."""
    session_id: str = ""
    basket_id: str = ""
    offer_id: str = ""
    channel: str = ""
    attribution_token: str = ""
    """Of the answer that showed the item."""
    value: float | None = None
    """The stars of a rating, the answer of a survey."""
    properties: Mapping[str, Any] | None = None
    """Anything else worth keeping, as JSON has it."""


@dataclass(frozen=True, slots=True)
class WrittenEvents:
    """What became of events; the first three counts add up to what was sent."""

    stored: int
    duplicates: int
    """Known by their ids before."""
    erased: int
    """Of customers who were erased after them: they are not stored again."""
    unknown_types: int
    """Stored ones among them whose type no model knows."""
    last_position: int
    """Of the newest event in the log, whoever wrote it."""


@dataclass(frozen=True, slots=True)
class IdentifiedVisitor:
    """A visitor who is a customer now."""

    linked_now: bool
    """False: it was known before."""
    link_time: datetime


NOTHING_WRITTEN = WrittenEvents(0, 0, 0, 0, 0)


def write_request(events: Iterable[ShopEvent]) -> pb.WriteEventsRequest:
    """Returns the request that stores events, all or none.

    Raises:
        ArgumentError: they are no list of events.
        InvalidEventError: a field of one cannot be sent.
    """
    messages: list[Event] = []
    wrong: list[FieldViolation] = []
    for place, event in enumerate(_several(events)):
        try:
            messages.append(_message(event, f"events[{place}]"))
        except InvalidEventError as error:
            wrong.extend(error.violations)
            if len(wrong) >= MOST_WRONG:
                break
    if wrong:
        raise InvalidEventError(wrong[:MOST_WRONG])
    return pb.WriteEventsRequest(events=messages)


def import_calls(events: Iterable[ShopEvent]) -> Iterator[list[pb.ImportEventsRequest]]:
    """Yields the messages of call after call, made as they are needed."""
    messages = _messages(_several(events))
    while call := list(islice(messages, CALL_MESSAGES)):
        yield call


def identify_request(visitor_id: str, customer_id: str) -> pb.IdentifyCustomerRequest:
    """Returns the request that makes a visitor a customer."""
    return pb.IdentifyCustomerRequest(
        visitor_id=checks.name_text("visitor_id", visitor_id),
        customer_id=checks.name_text("customer_id", customer_id),
    )


def to_written(response: pb.WriteEventsResponse | pb.ImportEventsResponse) -> WrittenEvents:
    """Returns what a response says."""
    return WrittenEvents(
        stored=response.stored_count,
        duplicates=response.duplicate_count,
        erased=response.erased_count,
        unknown_types=response.unknown_type_count,
        last_position=response.last_position,
    )


def to_identified(response: pb.IdentifyCustomerResponse) -> IdentifiedVisitor:
    """Returns what a response says."""
    return IdentifiedVisitor(response.linked_now, response.link_time.ToDatetime(UTC))


def added(total: WrittenEvents, more: WrittenEvents) -> WrittenEvents:
    """Returns what became of two lots of events, the second sent after the first."""
    return WrittenEvents(
        stored=total.stored + more.stored,
        duplicates=total.duplicates + more.duplicates,
        erased=total.erased + more.erased,
        unknown_types=total.unknown_types + more.unknown_types,
        last_position=more.last_position,
    )


def _messages(events: Iterable[ShopEvent]) -> Iterator[pb.ImportEventsRequest]:
    batch: list[Event] = []
    size = 0
    for place, event in enumerate(events):
        message = _message(event, f"events[{place}]")
        if batch and (len(batch) == MESSAGE_EVENTS or size + message.ByteSize() > MESSAGE_BYTES):
            yield pb.ImportEventsRequest(events=batch)
            batch, size = [], 0
        batch.append(message)
        size += message.ByteSize()
    if batch:
        yield pb.ImportEventsRequest(events=batch)


def _several(events: Iterable[ShopEvent]) -> Iterable[ShopEvent]:
    """Returns events unless it is one.

    Raises:
        ArgumentError: it is one, or no list.
    """
    if isinstance(events, ShopEvent):
        raise ArgumentError("events", "must be a list of ShopEvent, is one: write [event]")
    return checks.iterable("events", events, "ShopEvent")


def _message(event: ShopEvent, path: str) -> Event:
    """Returns an event of the contract.

    Looks first whether all is as usual, which takes a fifth of the time of looking at each field.

    Raises:
        InvalidEventError: fields cannot be sent; all of them are named by their paths.
    """
    if type(event) is not ShopEvent or not _is_plain(event):
        return _checked(event, path)
    return Event(
        event_id=event.event_id,
        customer_id=event.customer_id,
        visitor_id=event.visitor_id,
        session_id=event.session_id,
        basket_id=event.basket_id,
        item_id=event.item_id,
        offer_id=event.offer_id,
        event_type=_log_name(event.event_type, has_item=bool(event.item_id)),
        event_time=_timestamp(event.event_time),
        quantity=event.quantity,
        unit_price=event.unit_price,
        channel=event.channel,
        attribution_token=event.attribution_token,
        value=event.value,
    )


def _is_plain(event: ShopEvent) -> bool:
    """Says whether texts are texts, numbers finite numbers, and the time has a zone."""
    return (
        _STRINGS.issuperset(map(type, _texts_of(event)))
        and _NUMBERS.issuperset(map(type, numbers := _numbers_of(event)))
        and all(number is None or math.isfinite(number) for number in numbers)
        and type(event.event_time) is datetime
        and event.event_time.tzinfo is not None
        and event.properties is None
    )


def _timestamp(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


@lru_cache(maxsize=256)
def _log_name(name: str, *, has_item: bool) -> str:
    return logged_event_type(name, has_item=has_item)


def _checked(event: ShopEvent, path: str) -> Event:
    """Returns an event of the contract, field by field.

    Raises:
        InvalidEventError: fields cannot be sent; all of them are named by their paths.
    """
    try:
        checks.instance(path, event, ShopEvent, "(**event)")
    except ArgumentError as error:
        raise InvalidEventError(error.violations) from None
    values: dict[str, Any] = {}
    wrong: list[FieldViolation] = []
    for name, check in _CHECKS.items():
        value = getattr(event, name)
        if value is None or value == "":
            continue
        try:
            values[name] = check(f"{path}.{name}", value)
        except ArgumentError as error:
            wrong.extend(error.violations)
    if wrong:
        raise InvalidEventError(wrong)
    kind = values.get("event_type", "")
    values["event_type"] = logged_event_type(kind, has_item="item_id" in values)
    return Event(**values)


def _properties(name: str, value: object) -> Struct:
    if not isinstance(value, Mapping):
        raise ArgumentError(name, f"must be values by name, {checks.saying(value)}")
    struct = Struct()
    try:
        struct.update(value)
    except (TypeError, ValueError, AttributeError):
        text = f"must be what JSON has: texts, numbers, lists, {checks.saying(value)}"
        raise ArgumentError(name, text) from None
    return struct


def _moment(name: str, value: object) -> Timestamp:
    return to_timestamp(value, name)


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
_FIGURES = ("quantity", "unit_price", "value")
_texts_of = attrgetter(*_TEXTS)
_numbers_of = attrgetter(*_FIGURES)
_STRINGS = frozenset({str, EventType})
_NUMBERS = frozenset({float, int, type(None)})
_CHECKS: Mapping[str, checks.Check] = {
    **dict.fromkeys(_TEXTS, checks.text),
    **dict.fromkeys(_FIGURES, checks.number),
    "event_time": _moment,
    "properties": _properties,
}
