"""Events as the client sends them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.events import (
    CALL_MESSAGES,
    MESSAGE_BYTES,
    MESSAGE_EVENTS,
    ShopEvent,
    _checked,
    _is_plain,
    import_calls,
    write_request,
)
from recsys.errors import InvalidEventError
from recsys.types import EventType
from recsys.v1.event_pb2 import Event


def view(**changes: Any) -> ShopEvent:
    values: dict[str, Any] = {"event_type": "view", "customer_id": "anna", "item_id": "tea"}
    return ShopEvent(**(values | changes))


def sent(event: ShopEvent) -> Event:
    [message] = write_request([event]).events
    return message


def test_every_field_is_sent() -> None:
    zone = timezone(timedelta(hours=2))
    event = ShopEvent(
        event_type="store-visit",
        customer_id="anna",
        visitor_id="v",
        item_id="tea",
        event_time=datetime(2024, 1, 1, 14, 0, 0, 250_000, tzinfo=zone),
        event_id="e",
        quantity=2,
        unit_price=0.0,
        session_id="s",
        basket_id="b",
        offer_id="o",
        channel="web",
        attribution_token="t",  # noqa: S106  not a secret
        value=5,
        properties={"page": 3, "words": ["a", None]},
    )
    expected = Event(
        event_type="store-visit",
        customer_id="anna",
        visitor_id="v",
        item_id="tea",
        event_time=Timestamp(seconds=1_704_110_400, nanos=250_000_000),
        event_id="e",
        quantity=2,
        unit_price=0.0,
        session_id="s",
        basket_id="b",
        offer_id="o",
        channel="web",
        attribution_token="t",  # noqa: S106  not a secret
        value=5,
    )
    expected.properties.update({"page": 3, "words": ["a", None]})
    assert sent(event) == expected
    assert {field.name for field in Event.DESCRIPTOR.fields} == set(ShopEvent.__slots__)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"event_type": EventType.PURCHASE, "quantity": 3, "unit_price": 0.0, "value": -1.5},
        {"event_type": "Product Viewed", "visitor_id": "v", "item_id": "", "session_id": "s"},
        {"event_type": "page_view", "item_id": "", "channel": "web", "basket_id": "b"},
    ],
)
def test_the_quick_look_sends_what_the_close_one_does(changes: dict[str, Any]) -> None:
    event = view(**changes)
    assert _is_plain(event)
    assert sent(event) == _checked(event, "events[0]")


def test_what_is_not_said_is_not_sent() -> None:
    message = sent(view(event_type=EventType.VIEW))
    assert message.event_type == "view"
    for name in ("quantity", "unit_price", "value", "properties"):
        assert not message.HasField(name)


def test_an_event_keeps_the_id_that_it_was_made_with() -> None:
    one, other = view(), view()
    assert sent(one).event_id == sent(one).event_id
    assert len({sent(one).event_id, sent(other).event_id}) == 2
    assert sent(view(event_id="")).event_id == ""


def test_the_time_is_now_by_default_and_has_a_zone() -> None:
    assert abs(datetime.now(UTC) - view().event_time) < timedelta(minutes=1)
    with pytest.raises(InvalidEventError, match=r"events\[0\].event_time: needs a time zone"):
        sent(view(event_time=datetime(2024, 1, 1)))  # noqa: DTZ001


def test_imports_are_cut_by_count_and_by_size() -> None:
    count = MESSAGE_EVENTS * (CALL_MESSAGES + 1) + 1
    calls = list(import_calls(view(event_id=str(n)) for n in range(count)))
    sizes = [[len(message.events) for message in call] for call in calls]
    assert sizes == [[MESSAGE_EVENTS] * CALL_MESSAGES, [MESSAGE_EVENTS, 1]]
    ids = [event.event_id for call in calls for message in call for event in message.events]
    assert ids == [str(n) for n in range(count)]

    [call] = import_calls(view(properties={"text": "x" * 300_000}) for _ in range(7))
    assert [len(message.events) for message in call] == [3, 3, 1]
    assert all(message.ByteSize() < MESSAGE_BYTES + 1000 for message in call)
    [alone] = import_calls([view(properties={"text": "x" * 2 * MESSAGE_BYTES})])
    assert len(alone) == 1
    assert list(import_calls([])) == []


def test_events_are_taken_only_as_they_are_sent() -> None:
    taken = []

    def endless() -> Iterator[ShopEvent]:
        while True:
            taken.append(1)
            yield view()

    next(import_calls(endless()))
    assert len(taken) <= MESSAGE_EVENTS * CALL_MESSAGES + 1
