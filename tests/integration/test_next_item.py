"""Transitions from a configuration file to lists, through a bundle."""

import pytest

from recsys.assembly import assemble, load_recommender
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import EventType, Tier
from tests.shops import Event, day, tiny_shop

CONFIG = """
[models.steps]
kind = "markov"

[sources.next]
kind = "next-item"
model = "steps"

[placements.next]
sources = [{ name = "next", weight = 1.0 }]

[placements.after_this]
sources = [{ name = "next", weight = 1.0 }]
seeds = "context"
"""

END = day(20)
NOW = int(END.timestamp())
WALKS = ["kettle tea cup", "kettle tea milk", "kettle tea cup", "mill beans filter"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "next.toml"
    path.write_text(CONFIG)
    events = [
        Event(f"c{who}", item, place)
        for who, walk in enumerate(WALKS)
        for place, item in enumerate(walk.split())
    ]
    events.append(Event("starter", "kettle", 3))
    return fit(tiny_shop(events), load_config(path), end_time=END)


def ids(answer):
    return [item.item_id for item in answer.items]


def test_the_next_step_comes_first(fitted):
    answer = assemble(fitted.pipeline, "here").recommend([Query("next", NOW, "starter")])[0]
    assert ids(answer) == ["tea", "cup", "milk"]
    assert answer.tier is Tier.PERSONALISED
    assert {item.reason.code for item in answer.items} == {"chosen-after"}
    assert answer.items[0].reason.item_ids == ("kettle",)


def test_what_just_happened_counts_most(fitted):
    recommender = assemble(fitted.pipeline, "here")
    event = RecentEvent("mill", EventType.VIEW, NOW - 60)
    known = recommender.recommend([Query("next", NOW, "starter", events=(event,))])[0]
    assert ids(known)[0] == "tea", "a view weighs a tenth of a purchase"
    event = RecentEvent("mill", EventType.PURCHASE, NOW - 60)
    known = recommender.recommend([Query("next", NOW, "starter", events=(event,))])[0]
    assert ids(known)[:1] == ["tea"], "three customers went on from the kettle, one from the mill"
    visitor = recommender.recommend([Query("next", NOW, events=(event,))])[0]
    assert ids(visitor) == ["beans", "filter"]
    assert visitor.tier is Tier.SESSION
    assert visitor.items[0].reason.item_ids == ("mill",)


def test_a_page_asks_what_follows_its_item(fitted):
    query = Query("after_this", NOW, context_item_ids=("beans",))
    assert ids(assemble(fitted.pipeline, "here").recommend([query])[0]) == ["filter"]


def test_a_bundle_answers_as_what_it_was_made_of(fitted, tmp_path):
    queries = [Query("next", NOW, "starter"), Query("after_this", NOW, context_item_ids=("tea",))]
    path = write_fitted(fitted, tmp_path, now=END)
    here = assemble(fitted.pipeline, path.name).recommend(queries)
    assert load_recommender(path).recommend(queries) == here


def test_only_transitions_can_say_what_is_next(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('[sources.next]\nkind = "next-item"\nmodel = "taste"\n')
    with pytest.raises(ConfigError, match="needs a model of kind 'markov'"):
        load_config(path)
