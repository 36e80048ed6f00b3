"""What a customer did lately, as it travels with a request."""

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.checks import count, elements, instance, name_text, saying
from recsys.client.errors import ArgumentError
from recsys.data.event_names import closest_event_type, usual_event_type
from recsys.pipeline.query import RecentEvent
from recsys.types import EventType, ItemId
from recsys.v1.event_pb2 import Event


def recent_events(name: str, value: object) -> list[RecentEvent]:
    """Returns events of a request; a type may go by any usual name."""
    found = elements(name, value, "RecentEvent")
    return [_recent(f"{name}[{place}]", each) for place, each in enumerate(found)]


def to_events(events: Iterable[RecentEvent]) -> list[Event]:
    """Returns events of the contract."""
    return [
        Event(
            item_id=event.item_id,
            event_type=event.event_type.value,
            event_time=Timestamp(seconds=event.event_time),
        )
        for event in events
    ]


def _recent(name: str, value: object) -> RecentEvent:
    event: RecentEvent = instance(
        name, value, RecentEvent, "(item_id=..., event_type=..., event_time=...)"
    )
    return event._replace(
        item_id=ItemId(name_text(f"{name}.item_id", event.item_id)),
        event_type=_kind(f"{name}.event_type", event.event_type),
        event_time=_seconds(f"{name}.event_time", event.event_time),
    )


def _kind(name: str, value: object) -> EventType:
    if isinstance(value, EventType):
        return value
    usual = usual_event_type(value) if isinstance(value, str) else None
    if usual is None:
        closest = closest_event_type(value) if isinstance(value, str) else None
        hint = f"; did you mean {closest!r}?" if closest else ""
        raise ArgumentError(name, f"must be an EventType or a usual name, {saying(value)}{hint}")
    return usual


def _seconds(name: str, value: object) -> int:
    if isinstance(value, datetime):
        hint = "write int(event_time.timestamp()) of a time with a zone"
        raise ArgumentError(name, f"must be whole Unix seconds, {saying(value)}: {hint}")
    return count(name, value) if not isinstance(value, int) or value < 2**31 else value
