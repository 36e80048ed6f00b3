"""What an answer reads of the log, from every driver."""

import pytest

from recsys.store.events import Asked, TailEvent
from recsys.store.store import Store
from recsys.store.tables import tails
from recsys.types import CustomerId, visitor_key
from tests.stores import log_event

ANNA, BEN = CustomerId("anna"), CustomerId("ben")


def test_many_tails_are_those_of_each(store: Store) -> None:
    store.append(
        [
            log_event(f"e{place}", owner)
            for place, owner in enumerate([ANNA, BEN, visitor_key("v")])
        ]
    )
    store.link_visitor("v", "ben")
    asked = [
        Asked(BEN, 0),
        Asked(CustomerId("nobody"), 0),
        Asked(visitor_key("v"), 2),
        Asked(ANNA, 1),
        Asked(BEN, 0),
    ]
    found = store.tails(asked)
    assert [tail.customer_id for tail in found] == [BEN, "nobody", BEN, ANNA, BEN]
    assert [[event.position for event in tail.events] for tail in found] == [
        [2, 3],
        [],
        [3],
        [],
        [2, 3],
    ]
    assert found == [store.tail(*one) for one in asked]
    assert store.tails([]) == []


def test_a_tail_event_says_all_that_states_need(store: Store) -> None:
    event = log_event("a", event_type="purchase")._replace(quantity=2.5)
    store.append([event, log_event("b", item_id=None, event_type="search")])
    assert store.tail("anna", 0).events == (
        TailEvent(1, ANNA, event.item_id, "purchase", event.event_time, 2.5),
    )


def test_of_a_robot_the_latest_events_are_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "MOST_EVENTS", 3)
    store.append([log_event(f"e{place}") for place in range(9)])
    store.append([log_event(f"v{place}", visitor_key("v")) for place in range(2)])
    store.link_visitor("v", "anna")
    positions = [event.position for event in store.tail("anna", 0).events]
    assert positions == [7, 8, 9, 10, 11]
    assert [event.position for event in store.tail("anna", 7).events] == [8, 9, 10, 11]
    again = store.counted(["anna"], frozenset(["tea"]), 6)
    assert sorted(event.position for event in again) == [4, 5, 6]


def test_counted_events_are_those_of_the_items_before_the_position(store: Store) -> None:
    items = [f"item-{place}" for place in range(40)]
    store.append([log_event(item, item_id=item) for item in items])
    store.append([log_event("v", visitor_key("v"), item_id="item-1"), log_event("x", "ben")])
    few, many = frozenset(items[1:3]), frozenset(items)
    assert {e.item_id for e in store.counted(["anna"], few, 2)} == {"item-1"}
    assert len(store.counted(["anna"], few, 41)) == 2
    assert len(store.counted(["anna", visitor_key("v")], few, 41)) == 3
    assert len(store.counted(["anna"], many, 39)) == 39
    assert store.counted([], few, 41) == []
