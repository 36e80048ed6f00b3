"""Items without any event, found by what the catalogue says of them."""

import pytest

from recsys.assembly import assemble, load_recommender
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import EventType
from tests.small_shop import END, shop_dataset, shop_events

NOW = int(END.timestamp())
CONFIG = """
[models.words]
kind = "content"

[sources.alike]
kind = "neighbours"
model = "words"

[placements.new_in]
sources = [{ name = "alike", weight = 1.0 }]

[placements.like_this]
sources = [{ name = "alike", weight = 1.0 }]
seeds = "context"
"""
SOLD = set(shop_events()["item_id"])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "content.toml"
    path.write_text(CONFIG)
    return fit(shop_dataset(), load_config(path), end_time=END)


def test_items_nobody_ever_bought_are_found_for_who_would_like_them(fitted):
    recommender = assemble(fitted.pipeline, "here")
    for number in (0, 1):
        query = Query("new_in", NOW, f"customer-{number:02}", exclude_item_ids=tuple(SOLD))
        items = recommender.recommend([query])[0].items
        assert len(items) >= 3
        assert not {item.item_id for item in items} & SOLD
        assert all(int(item.item_id[-2:]) % 2 == number for item in items[:3])
        assert all(item.reason.code.startswith("because-you-") for item in items)


def test_a_page_of_an_unsold_item_has_its_like(fitted):
    unsold = next(f"item-{n}" for n in range(40, 48) if f"item-{n}" not in SOLD)
    query = Query("like_this", NOW, context_item_ids=(unsold,), limit=5)
    items = assemble(fitted.pipeline, "here").recommend([query])[0].items
    assert len(items) == 5
    assert all(int(item.item_id[-2:]) % 2 == int(unsold[-2:]) % 2 for item in items)


def test_a_visitor_who_just_viewed_something_is_followed(fitted):
    event = RecentEvent("item-03", EventType.VIEW, NOW - 5)
    query = Query("new_in", NOW, events=(event,), exclude_item_ids=("item-03",))
    items = assemble(fitted.pipeline, "here").recommend([query])[0].items
    assert all(int(item.item_id[-2:]) % 2 for item in items[:5])


def test_a_bundle_answers_as_what_it_was_made_of(fitted, tmp_path):
    queries = [
        Query("new_in", NOW, "customer-03"),
        Query("like_this", NOW, context_item_ids=("item-46",)),
    ]
    path = write_fitted(fitted, tmp_path, now=END)
    here = assemble(fitted.pipeline, path.name).recommend(queries)
    assert load_recommender(path).recommend(queries) == here
