"""Queries are completed from the store so that each event counts once."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import StoreUnavailableError
from recsys.live.deployment import Deployment
from recsys.pipeline.arrangement import Arrangement, arrange
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.consent import Refusals
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import DAY_S, CustomerId, LogPosition, visitor_key
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from tests.small_shop import END, shop_events

ANNA = CustomerId("customer-04")
NOW = int(END.timestamp()) + 60


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The log that the bundle was fitted on."""
    opened = open_store(f"store://{tmp_path / 'store'}")
    rows = shop_events().with_columns(shop_events()["event_time"].dt.epoch("us")).rows()
    opened.append([LogEvent(*row) for row in rows])
    yield opened
    opened.close()


@pytest.fixture
def arrangement(recommender: Recommender, store: Store) -> Arrangement:
    read = LogPosition(store.id, store.last_position)
    return arrange(Deployment(), replace(recommender, log_position=read), {})


@pytest.fixture
def state(store: Store) -> LiveState:
    return LiveState(store, Patience(time.monotonic))


def event(name: str, item_id: str, at: int, who: str = ANNA) -> LogEvent:
    return LogEvent(name, who, None, None, item_id, None, "view", at * 1_000_000)


def asked(who: str = ANNA, at: int = NOW) -> Query:
    return Query("for_you", at, CustomerId(who), 5)


def test_a_late_event_brings_the_events_that_decide(
    state: LiveState, store: Store, arrangement: Arrangement
) -> None:
    resolver = arrangement.control.resolver
    rows = resolver.states.of(resolver.customers.number(ANNA))
    place = int(np.argmax(rows.days))
    item_id = resolver.catalogue.items.id(int(rows.item_nums[place]))
    assert rows.days[place] > 1
    late = int(rows.first_times[place]) + 1
    [before] = state.complete([asked()], arrangement)
    assert (before.query.events, before.query.earlier) == ((), ())
    store.append([event("late", item_id, late)])
    [known] = state.complete([asked()], arrangement)
    assert known.live_event_count == 1
    assert {name for name, _ in known.query.earlier} == {ANNA}
    assert {each.item_id for _, each in known.query.earlier} == {item_id}
    config = arrangement.control.placement_configs["for_you"]
    merged = resolver.resolve(known.query, config).rows
    same = merged.item_nums == rows.item_nums[place]
    # Its day is counted already: the event adds none.
    assert merged.days[same].sum() == rows.days[rows.item_nums == rows.item_nums[place]].sum()


def test_a_visitor_of_the_bundle_who_logs_in_brings_the_own_history(
    state: LiveState, store: Store, recommender: Recommender
) -> None:
    """The bundle knows the other by an own name, as it knows visitors."""
    resolver, other = recommender.resolver, "customer-06"
    visitor = visitor_key("v")
    position = store.last_position
    store.append([event("v1", "item-08", NOW, visitor)])
    renamed = resolver.customers

    class Names(type(renamed)):
        def number(self, id_: CustomerId) -> int | None:
            return super().number(CustomerId(other) if id_ == visitor else id_)

    names = Names(*renamed.arrays().values())
    control = replace(
        recommender,
        resolver=replace(resolver, customers=names),
        log_position=LogPosition(store.id, position),
    )
    arrangement = arrange(Deployment(), control, {})
    store.link_visitor("v", ANNA)
    [known] = state.complete([asked(visitor)], arrangement)
    assert known.asked.customer_id == known.query.customer_id == ANNA
    assert known.query.merged_ids == (visitor,)
    config = control.placement_configs["for_you"]
    merged = set(control.resolver.resolve(known.query, config).rows.item_nums.tolist())
    own = {
        num
        for name in (ANNA, other)
        for num in resolver.states.of(resolver.customers.number(name)).item_nums.tolist()
    }
    assert own <= merged


def test_events_of_a_later_time_do_not_count(
    state: LiveState, store: Store, arrangement: Arrangement
) -> None:
    store.append([event("a", "item-08", NOW), event("b", "item-10", NOW + 3 * DAY_S)])
    counts = [
        state.complete([asked(at=at)], arrangement)[0].live_event_count
        for at in (NOW - 2 * DAY_S, NOW, NOW + 4 * DAY_S)
    ]
    assert counts == [0, 1, 2]


def test_refused_and_erased_customers_are_nobody(
    state: LiveState, store: Store, arrangement: Arrangement
) -> None:
    store.append([event("a", "item-08", NOW)])
    [gone] = state.complete([asked()], arrangement, erased=lambda name, _: name == ANNA)
    assert (gone.asked.customer_id, gone.query.customer_id) == (ANNA, None)
    assert gone.live_event_count == 1
    [nobody] = state.complete([replace(asked(), customer_id=None)], arrangement)
    assert (nobody.tail, nobody.missing) == (None, False)


def test_who_refused_is_nobody_while_the_store_is_away_too(
    state: LiveState, arrangement: Arrangement, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(Store, "tails", gone)
    refusals = Refusals({"use_in_email": frozenset({ANNA})})
    for purpose, refused in (("use_in_email", True), ("recommend_on_site", False)):
        [known] = state.complete([asked()], arrangement, purpose=purpose, refusals=refusals)
        assert known.missing
        assert known.consent_refused is refused
        assert known.query.customer_id == (None if refused else ANNA)
