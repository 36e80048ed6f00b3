"""Next baskets of customers whom nothing was fitted on: what they bought comes with the query."""

import pytest

from recsys.assembly import assemble, load_recommender
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import EventType, Tier
from tests.shops import Event, day, tiny_shop

CONFIG = """
[models.habits]
kind = "repurchase"
half_life_days = 60
count_weight = 0.2

[models.alike]
kind = "customer-neighbours"
neighbours = 3

[sources.habits]
kind = "repurchase"
model = "habits"

[sources.alike]
kind = "neighbours"
model = "alike"

[placements.next_basket]
sources = [{ name = "habits", weight = 0.4 }, { name = "alike", weight = 0.6 }]
"""

END = day(40)
NOW = int(END.timestamp())
BASKETS = {
    "first": ["pasta tomato", "pasta cheese", "wine"],
    "second": ["pasta tomato", "pasta tomato", "wine cheese"],
    "third": ["nappies milk", "nappies", "toys"],
    "fourth": ["nappies milk", "milk", "toys"],
}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "baskets.toml"
    path.write_text(CONFIG)
    events = [
        Event(customer, item, 10 * place, basket=f"{customer}-{place}")
        for customer, baskets in BASKETS.items()
        for place, basket in enumerate(baskets)
        for item in basket.split()
    ]
    return fit(tiny_shop(events), load_config(path), end_time=END)


def stranger(*baskets):
    events = tuple(
        RecentEvent(item, EventType.PURCHASE, NOW - 86_400 * 7 * (len(baskets) - place))
        for place, basket in enumerate(baskets)
        for item in basket.split()
    )
    return Query("next_basket", NOW, "stranger", limit=4, events=events)


def test_strangers_get_their_habits_and_what_followed_them_for_others(fitted):
    answers = assemble(fitted.pipeline, "here").recommend(
        [stranger("pasta tomato", "pasta"), stranger("nappies", "nappies milk")]
    )
    for answer, habit, followed in zip(
        answers, ("pasta", "nappies"), ("wine", "toys"), strict=True
    ):
        reasons = {item.item_id: item.reason for item in answer.items}
        assert reasons[habit].code == "bought-before"
        assert reasons[habit].count == 2
        assert reasons[followed].code == "because-you-bought"
        assert answer.tier is Tier.SESSION
    assert "toys" not in {item.item_id for item in answers[0].items}


def test_a_bundle_answers_as_what_it_was_made_of(fitted, tmp_path):
    queries = [stranger("pasta"), stranger("milk", "milk nappies"), stranger()]
    path = write_fitted(fitted, tmp_path, now=END)
    here = assemble(fitted.pipeline, path.name).recommend(queries)
    assert load_recommender(path).recommend(queries) == here
    assert here[2].items == ()
