"""A log read as sequences of moments, and the order of a history."""

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates, type_weight_array
from recsys.models.latest import latest_first
from recsys.models.markov import Markov
from recsys.models.moments import moments
from recsys.types import EventType
from tests.shops import Event, tiny_shop


def read(events, **settings):
    dataset = tiny_shop(events)
    log = Interactions.from_events(dataset.events, items=Catalogue.from_frame(dataset.items).items)
    return log, moments(log, Markov(**settings))


def test_moments_are_the_seconds_of_each_customer():
    events = [Event("b", "x", 1), Event("a", "y", 2), Event("a", "x", 0), Event("a", "z", 2)]
    log, found = read(events)
    np.testing.assert_array_equal(found.owners, [0, 0, 1])
    np.testing.assert_array_equal(found.items.toarray(), [[1, 0, 0], [0, 1, 1], [1, 0, 0]])
    np.testing.assert_array_equal(found.weights, 1)
    assert len(log) == 4


def test_an_item_chosen_again_at_once_makes_no_moment():
    kinds = enumerate(["view", "add-to-cart", "purchase"])
    events = [Event("a", "x", 0.1 * place, kind) for place, kind in kinds]
    events += [Event("a", "y", 1), Event("a", "x", 2)]
    _, found = read(events)
    np.testing.assert_array_equal(found.items.toarray() > 0, [[1, 0], [0, 1], [1, 0]])


def test_the_heaviest_event_of_a_moment_counts():
    _, found = read([Event("a", "x", 0, "view"), Event("a", "x", 0, "purchase")])
    np.testing.assert_array_equal(found.items.toarray(), [[1.0]])


def test_moments_fade():
    _, found = read([Event("a", "x", 0), Event("a", "y", 10)], half_life_days=10.0)
    np.testing.assert_allclose(found.weights, [0.5, 1.0], rtol=1e-5)


def test_sessions_do_not_follow_each_other():
    events = [Event("a", "x", 0, basket="1"), Event("a", "y", 1, basket="2")]
    _, found = read(events, over="sessions")
    assert len(set(found.owners.tolist())) == 2


def test_a_log_in_which_nothing_counts_has_no_moments():
    _, found = read([Event("a", "x", 0, "view")], event_weights={"purchase": 1.0})
    assert found.items.shape == (0, 1)
    assert len(found.owners) == len(found.weights) == 0


def test_the_latest_items_come_first():
    events = [Event("a", "w", 1, "view"), Event("a", "x", 3), Event("a", "y", 2)]
    events += [Event("a", "z", 3), Event("a", "y", 1)]
    log, _ = read(events)
    rows = CustomerStates.from_interactions(log, ()).of(0)
    types = type_weight_array({EventType.PURCHASE: 1.0})
    nums, steps, weights = latest_first(rows, types, 10)
    assert [log.items.id(num) for num in nums] == ["x", "z", "y"]
    np.testing.assert_array_equal(steps, [0, 0, 1])
    np.testing.assert_array_equal(weights, 1)
    assert len(latest_first(rows, types, 1)[0]) == 1
    assert len(latest_first(rows, types * 0, 5)[0]) == 0
