"""A plan sees the histories that a call for each customer would see, whatever came since."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.data.progress import silent
from recsys.live.deployment import Deployment
from recsys.pipeline.arrangement import arrange
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.plans import Plans
from recsys.store.store import Store
from recsys.types import DAY_S, CustomerId, LogPosition, visitor_key
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from tests.small_shop import CUSTOMERS, END, ITEMS, shop_events
from training.plan_histories import HistoryReader, with_changed

NOW = int(END.timestamp()) + DAY_S


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The log that the bundle was fitted on."""
    opened = open_store(f"store://{tmp_path / 'store'}")
    rows = shop_events().with_columns(shop_events()["event_time"].dt.epoch("us")).rows()
    opened.append([LogEvent(*row) for row in rows])
    yield opened
    opened.close()


@pytest.fixture(params=["its log", "files"])
def fitted_on(request: pytest.FixtureRequest, recommender: Recommender, store: Store):
    """The bundle, which knows how far it read the log, or was fitted on files alone."""
    if request.param == "files":
        return recommender
    return replace(recommender, log_position=LogPosition(store.id, store.last_position, 0))


def since(seed: int) -> list[LogEvent]:
    """Events of a third of the customers: new, late, returned, by visitors, on unknown items."""
    chance = random.Random(seed)  # noqa: S311  not a secret
    found = []
    for number in range(200):
        customer = f"customer-{chance.randrange(0, CUSTOMERS, 3):02}"
        who = chance.choice([customer, customer, visitor_key(f"v{customer}"), "nobody"])
        moment = NOW + chance.randrange(-60 * DAY_S, 3 * DAY_S)
        item = chance.choice([f"item-{chance.randrange(ITEMS):02}", "gone"])
        kind = chance.choice(["purchase", "purchase", "view", "return", "rating"])
        row = (f"since-{number}", who, None, None, item, None, kind, moment * 1_000_000)
        found.append(LogEvent(*row, quantity=1.0))
    return found


def reader(store: Store, recommender: Recommender) -> HistoryReader:
    read = recommender.log_position
    position = read.position if read is not None else 0
    return HistoryReader(store, recommender, position, 0, Plans(store).tombstones())


@pytest.mark.parametrize("seed", [1, 2])
def test_histories_are_those_of_calls(
    store: Store, fitted_on: Recommender, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.plan_histories.AT_ONCE", 7)
    events = since(seed)
    store.append(events)
    for number in range(0, CUSTOMERS, 6):
        store.link_visitor(f"vcustomer-{number:02}", f"customer-{number:02}")
    changed = reader(store, fitted_on).changed(NOW, silent)
    state = LiveState(store, Patience(time.monotonic))
    arrangement = arrange(Deployment(), fitted_on, {})
    resolver = fitted_on.resolver
    names = resolver.customers.series().to_list()
    states = with_changed(resolver.states, slice(0, len(names)), changed)
    different = 0
    for number, name in enumerate(names):
        asked = Query("for_you", NOW, CustomerId(name))
        [known] = state.complete([asked], arrangement)
        expected, mine = resolver.history(known.query), states.of(number)
        for one, other in zip(mine, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)
        before = resolver.states.of(number)
        different += len(before.days) != len(mine.days) or (before.days != mine.days).any()
    assert different > CUSTOMERS // 6


def test_a_slice_has_the_rows_of_all(store: Store, recommender: Recommender) -> None:
    store.append(since(3))
    changed = reader(store, recommender).changed(NOW, silent)
    states, count = recommender.resolver.states, len(recommender.resolver.customers)
    together = with_changed(states, slice(0, count), changed)
    for start in range(0, count, 10):
        part = slice(start, min(start + 10, count))
        some = with_changed(states, part, changed)
        for number in range(part.start, part.stop):
            for one, other in zip(some.of(number - start), together.of(number), strict=True):
                np.testing.assert_array_equal(one, other)
