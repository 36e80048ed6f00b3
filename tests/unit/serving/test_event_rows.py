"""Events become rows of the log, or the batch is refused with all that is wrong in it."""

from typing import Any

import pytest

from recsys.errors import FieldViolation, InvalidBatchError, InvalidEventError
from recsys.store.events import LogEvent
from recsys.types import EventType
from serving.errors import MAX_VIOLATIONS
from serving.messages.event_rows import to_rows
from tests.events import DAY_S, NOW_S, WRONG, Wrong, at, properties, sent_event

NOW_US = NOW_S * 1_000_000


def test_every_field_has_its_place() -> None:
    event = sent_event(
        "e7",
        customer_id="anna",
        visitor_id="ignored",
        session_id="s",
        basket_id="b",
        offer_id="o",
        event_type="purchase",
        event_time=at(NOW_S, 123_456_789),
        quantity=2.5,
        unit_price=9.99,
        channel="web",
        attribution_token="token",  # noqa: S106  not a secret
        value=-4.0,
        properties=properties(b=[1, 2.5, None, True], a="ü"),
    )
    assert to_rows([event], NOW_US) == [
        LogEvent(
            event_id="e7",
            customer_id="anna",
            session_id="s",
            basket_id="b",
            item_id="tea",
            offer_id="o",
            event_type="purchase",
            event_time=NOW_US + 123_456,
            quantity=2.5,
            unit_price=9.99,
            channel="web",
            attribution_token="token",  # noqa: S106  not a secret
            value=-4.0,
            properties='{"a":"ü","b":[1,2.5,null,true]}',
        )
    ]


def test_what_is_not_said_is_none_and_one_unit() -> None:
    [row] = to_rows([sent_event("", customer_id=None, visitor_id="v-1")], NOW_US)
    assert row == LogEvent(
        None, "visitor/v-1", None, None, "tea", None, "view", NOW_US - 60_000_000, 1.0
    )


def test_zero_is_said() -> None:
    [row] = to_rows([sent_event(unit_price=0.0, value=0.0, properties=properties())], NOW_US)
    assert (row.unit_price, row.value, row.properties) == (0.0, 0.0, "{}")


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_that_we_know_is_taken(kind: EventType) -> None:
    [row] = to_rows([sent_event(event_type=kind.value)], NOW_US)
    assert row.event_type == kind


@pytest.mark.parametrize("kind", ["store-visit", "gewürz-kauf", "x", "v2"])
def test_a_type_that_we_do_not_know_is_taken_even_without_an_item(kind: str) -> None:
    [row] = to_rows([sent_event(event_type=kind, item_id=None)], NOW_US)
    assert (row.event_type, row.item_id) == (kind, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_time": at(NOW_S + DAY_S)},
        {"event_time": at(946_684_800)},
        {"event_id": "é" * 256},
        {"attribution_token": "x" * 512},
        {"properties": properties(a="é" * 8_000)},
        {"event_type": "search", "item_id": None},
        {"item_id": "None"},
        {"session_id": "with\u00a0odd \u200dspaces £"},
    ],
)
def test_the_furthest_that_is_allowed(changes: dict[str, Any]) -> None:
    assert len(to_rows([sent_event(**changes)], NOW_US)) == 1


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.title)
def test_a_wrong_field_is_named(wrong: Wrong) -> None:
    good, bad = sent_event(), sent_event(**wrong.changes)
    with pytest.raises(InvalidEventError) as caught:
        to_rows([good, good, bad, good], NOW_US)
    assert caught.value.violations == (
        FieldViolation(f"events[2].{wrong.field}", wrong.description),
    )


def test_all_wrong_fields_are_named_up_to_a_number() -> None:
    bad = sent_event(quantity=-1.0, unit_price=-1.0, event_time=None)
    with pytest.raises(InvalidEventError, match=r"and 2 more") as caught:
        to_rows([sent_event(), bad], NOW_US)
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"events[1].event_time", "events[1].quantity", "events[1].unit_price"}
    with pytest.raises(InvalidEventError) as caught:
        to_rows([bad] * 10_000, NOW_US)
    assert len(caught.value.violations) == MAX_VIOLATIONS


@pytest.mark.parametrize(("count", "told"), [(0, "has 0"), (10_001, "has 10,001")])
def test_a_batch_has_one_to_ten_thousand_events(count: int, told: str) -> None:
    with pytest.raises(InvalidBatchError, match=told) as caught:
        to_rows([sent_event()] * count, NOW_US)
    assert [violation.field for violation in caught.value.violations] == ["events"]
    assert len(to_rows([sent_event()] * 10_000, NOW_US)) == 10_000
