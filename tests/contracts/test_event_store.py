"""What every driver of the store does, and what the store promises above them."""

import pytest

from recsys.errors import VisitorTakenError
from recsys.store.store import Store
from recsys.types import visitor_key
from tests.stores import log_event


def test_positions_are_gap_free_and_the_first_of_an_id_wins(store: Store) -> None:
    batch = [log_event("a"), log_event("b"), log_event("a", item_id="cup")]
    assert store.append(batch) == (2, 1, 0, 2, 0)
    assert store.append([log_event("b"), log_event("c")]) == (1, 1, 0, 3, 0)
    assert [row[:2] for row in store.rows(0, 10, 10)] == [(1, "a"), (2, "b"), (3, "c")]
    assert store.rows(0, 10, 10)[0][5] == "tea"
    assert store.last_position == 3


def test_types_that_no_model_knows_are_stored_and_counted(store: Store) -> None:
    batch = [log_event("a", event_type="sniff"), log_event("a", event_type="sniff")]
    assert store.append([*batch, log_event("b")]) == (2, 1, 0, 2, 1)
    assert store.append(batch).unknown_types == 0


def test_tail_has_what_came_after_and_what_visitors_did(store: Store) -> None:
    store.append([log_event("a"), log_event("b", visitor_key("v1")), log_event("c", "ben")])
    first = store.link_visitor("v1", "anna")
    assert first.linked_now
    assert store.link_visitor("v1", "anna") == (False, first.link_time)
    store.append([log_event("d", visitor_key("v1"), item_id="cup")])
    for asked in ("anna", visitor_key("v1")):
        tail = store.tail(asked, 1)
        assert tail.customer_id == "anna"
        assert [event.position for event in tail.events] == [2, 4]
        assert [link[:3] for link in tail.links] == [("v1", "anna", 3)]
    assert store.tail("nobody", 0).events == ()


def test_a_visitor_is_one_customer(store: Store) -> None:
    store.link_visitor("v1", "anna")
    with pytest.raises(VisitorTakenError):
        store.link_visitor("v1", "ben")


def test_events_without_an_id_are_known_by_what_they_say(store: Store) -> None:
    batch = [log_event(None), log_event(None), log_event(None, item_id="cup")]
    assert store.append(batch).stored == 3
    assert store.append(batch).duplicates == 3


def test_identity(store: Store) -> None:
    assert len(store.id) == 36
    assert len(store.secret) == 32
    assert store.versions()["position"] == 0
