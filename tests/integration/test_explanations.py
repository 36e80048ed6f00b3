"""Explanations add up to what is served: on trees, blends, taste vectors, and new items."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.assembly import assemble
from recsys.fitting.fit import fit
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.query import Query, RecentEvent, RecommendedItem
from recsys.pipeline.recommender import Recommender
from recsys.store.catalogue import ItemRow
from recsys.types import CustomerId, EventType, ItemId
from tests.ranked_shop import large_shop, ranked_config
from tests.small_shop import END

NOW = int(END.timestamp())
MOST = 1e-5


@pytest.fixture(scope="module")
def ranked() -> Recommender:
    return assemble(fit(large_shop(3), ranked_config(), end_time=END).pipeline, "ranked")


def explained(recommender: Recommender, query: Query) -> tuple[RecommendedItem, ...]:
    [plain] = recommender.recommend([query])
    [told] = recommender.recommend([replace(query, explain=True)])
    without = [replace(item, explanation=None, reason=item.reason) for item in told.items]
    for item, other in zip(without, plain.items, strict=True):
        assert replace(item, reason=other.reason) == other
        assert item.reason.code == other.reason.code
    return told.items


def adds_up(item: RecommendedItem) -> None:
    told = item.explanation
    assert told is not None
    assert sum(part.value for part in told.sources) == pytest.approx(told.blend_score, abs=MOST)
    assert sum(part.value for part in told.history) == pytest.approx(told.taste_score, abs=MOST)
    total = told.ranker_base + sum(part.value for part in told.features)
    assert total == pytest.approx(told.ranker_score, abs=MOST)
    for parts in (told.features, told.sources, told.history):
        values = [part.value for part in parts]
        assert values == sorted(values, reverse=True)
        assert all(values)


def test_features_add_up_to_the_score_that_is_served(ranked: Recommender) -> None:
    for number in range(30):
        query = Query("for_you", NOW, CustomerId(f"0/customer-{number:02}"))
        for item in explained(ranked, query):
            adds_up(item)
            told = item.explanation
            if told is not None and told.features:
                squashed = 1 / (1 + np.exp(-told.ranker_score))
                assert item.score == pytest.approx(squashed, abs=1e-6)
                inputs = {part.name: part.input for part in told.features}
                assert inputs.keys() <= set(ranked.rankers["for_you"].names)


def test_without_a_ranker_the_blend_is_the_score(recommender: Recommender) -> None:
    for number in range(30):
        for placement in ("for_you", "discover"):
            query = Query(placement, NOW, CustomerId(f"customer-{number:02}"), limit=5)
            for item in explained(recommender, query):
                adds_up(item)
                told = item.explanation
                assert told is not None
                assert told.features == ()
                assert told.blend_score == pytest.approx(item.score, abs=1e-7)


def test_what_speaks_for_a_taste_is_named_first(recommender: Recommender) -> None:
    met = 0
    for number in range(60):
        query = Query("discover", NOW, CustomerId(f"customer-{number:02}"))
        for item in explained(recommender, query):
            if item.reason.code == "matches-your-taste" and item.explanation:
                met += 1
                best = [part.item_id for part in item.explanation.history[:3] if part.value > 0]
                assert list(item.reason.item_ids) == best
    assert met > 10


def test_a_page_is_explained_by_its_items(recommender: Recommender) -> None:
    context = (ItemId("item-02"), ItemId("item-08"))
    items = explained(recommender, Query("similar_items", NOW, context_item_ids=context))
    named = {part.item_id for item in items for part in item.explanation.history}
    assert named
    assert named <= set(context)
    for item in items:
        adds_up(item)


def test_new_items_explain_and_are_explained(recommender: Recommender) -> None:
    content = '{"title":"Tea no. 4","category":["Drinks","Tea"],"available":true,"price":6.0}'
    row = ItemRow("new", replaces=True, removed=False, content=content, change_number=1)
    laid = CatalogueFollower(recommender).settle([row])
    bought = RecentEvent(ItemId("new"), EventType.PURCHASE, NOW - 60)
    for customer_id in (None, CustomerId("customer-02")):
        query = Query("discover", NOW, customer_id, 48, events=(bought,))
        items = explained(laid, query)
        for item in items:
            adds_up(item)
        named = {part.item_id for item in items for part in item.explanation.history}
        assert "new" in named, "and not the items that stand in for it"
    shown = explained(laid, Query("for_you", NOW, CustomerId("customer-02"), limit=48))
    [new] = [item for item in shown if item.item_id == "new"]
    adds_up(new)


def test_nobody_and_what_fills_a_list_have_nothing_to_say(recommender: Recommender) -> None:
    items = explained(recommender, Query("for_you", NOW, None, 45))
    for item in items:
        adds_up(item)
        assert item.explanation is not None
        assert item.explanation.history == ()
    query = Query("for_you", NOW, None, 5, filter="price < 0")
    assert explained(recommender, query) == ()


def test_a_list_that_no_tree_has_ordered_is_explained(ranked: Recommender) -> None:
    query = Query("discover", NOW, None, 1, only_item_ids=(ItemId("item-41"),))
    for item in explained(ranked, query):
        adds_up(item)
    rows = np.zeros((0, len(ranked.rankers["for_you"].names)), np.float32)
    parts, bases = ranked.rankers["for_you"].contributions(rows)
    assert parts.shape == rows.shape
    assert bases.shape == (0,)


def test_given_items_are_explained_too(ranked: Recommender) -> None:
    given = tuple(ItemId(f"item-{number:02}") for number in range(0, 40, 3))
    query = Query("for_you", NOW, CustomerId("1/customer-07"), 99, only_item_ids=given)
    items = explained(ranked, query)
    assert len(items) > 10
    for item in items:
        adds_up(item)


def test_the_segment_and_the_category_are_named(recommender: Recommender) -> None:
    labels = recommender.resolver.segments.labels
    asked = Query("for_you", NOW, CustomerId("customer-04"))
    request = recommender.resolver.resolve(asked, recommender.placement_configs["for_you"])
    source = recommender.sources["popular_in_segment"]
    nums, _ = source.scores(request).best(20)
    named = {reason.label for reason in source.explain(request, nums)}
    number = recommender.resolver.customers.number(CustomerId("customer-04"))
    assert number is not None
    own = {labels.id(num) for num in recommender.resolver.segments.of(number).tolist()}
    assert named
    assert named <= own
    about = Query("similar_items", NOW, context_item_ids=(ItemId("item-07"), ItemId("item-02")))
    [told] = recommender.recommend([replace(about, limit=48)])
    given = [item for item in told.items if item.reason.code == "popular-in-category"]
    assert {item.reason.label for item in given} == {"Drinks > Tea"}
