"""What must hold when the items to order are given, whatever is asked."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.assembly import assemble
from recsys.errors import InvalidQueryError
from recsys.fitting.fit import fit
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.given import GIVEN
from recsys.pipeline.query import MAX_GIVEN_ITEMS, MAX_LIMIT, Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, EventType
from tests.catalogue_changes import Changes
from tests.ranked_shop import large_shop, ranked_config
from tests.small_shop import CUSTOMERS, END, ITEMS

NOW = int(END.timestamp())
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")
ALL = tuple(f"item-{number:02}" for number in range(ITEMS))
item_ids = st.integers(0, ITEMS + 3).map(lambda number: f"item-{number:02}")
recent = st.builds(
    RecentEvent,
    item_id=item_ids,
    event_type=st.sampled_from(EventType),
    event_time=st.integers(NOW - 100 * DAY_S, NOW),
)
queries = st.builds(
    Query,
    placement=st.sampled_from(PLACEMENTS),
    query_time=st.just(NOW),
    customer_id=st.none()
    | st.integers(0, CUSTOMERS + 3).map(lambda number: f"customer-{number:02}"),
    limit=st.sampled_from([5, 20]),
    context_item_ids=st.lists(item_ids, max_size=3).map(tuple),
    events=st.lists(recent, max_size=10).map(tuple),
    filter=st.sampled_from(("", "", "price < 20", "caffeine")),
    exclude_item_ids=st.lists(item_ids, max_size=5).map(tuple),
    market=st.sampled_from([None, None, "de"]),
)
orders = st.permutations(ALL).flatmap(
    lambda ids: st.integers(1, ITEMS).map(lambda count: tuple(ids[:count]))
)
relaxed = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)


@pytest.fixture(scope="module")
def ranked() -> Recommender:
    """Answers two placements with trees."""
    return assemble(fit(large_shop(4), ranked_config(), end_time=END).pipeline, "ranked")


@pytest.fixture(scope="module")
def changed(recommender: Recommender) -> Recommender:
    """Has three items that the bundle does not know, and one less."""
    changes, follower = Changes(), CatalogueFollower(recommender)
    like = {"category": ["Drinks", "Tea"], "title": "Tea no. 2", "brand": "brand-2"}
    follower.follow(
        [
            changes.upsert("new-a", **like, price=4.0),
            changes.upsert("new-b", **like, price=5.0, group_id="group-20"),
            changes.upsert("new-c"),
            changes.remove("item-09"),
        ]
    )
    while follower.waits:
        follower.follow([])
    return follower.recommender


def ordered(recommender: Recommender, query: Query, ids: tuple[str, ...]) -> list[str]:
    asked = replace(query, only_item_ids=ids, limit=len(ids))
    [answer] = recommender.recommend([asked])
    assert [item.rank for item in answer.items] == list(range(1, len(answer.items) + 1))
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    return [item.item_id for item in answer.items]


def check_comes_back(recommender, query, listed, random):
    """Items with a score of their own come back in their order, and before all others."""
    ids = [item.item_id for item in listed.items]
    random.shuffle(ids)
    if ids:
        found = ordered(recommender, query, tuple(ids))
        scores = {item.item_id: item.score for item in listed.items}
        assert sorted(found) == sorted(ids)
        assert [scores[item_id] for item_id in found] == [item.score for item in listed.items]


@relaxed
@given(query=queries, ids=orders)
def test_what_is_allowed_is_there_once_and_nothing_else(query, ids, recommender):
    config = recommender.placement_configs[query.placement]
    allowed = recommender.resolver.resolve(query, config).allowed
    expected = {item_id for item_id in ids if allowed[recommender.catalogue.items.number(item_id)]}
    found = ordered(recommender, query, (*ids, "no such item"))
    assert len(found) == len(set(found))
    assert set(found) == expected


@relaxed
@given(query=queries, random=st.randoms())
def test_a_list_that_is_shuffled_comes_back_in_its_order(query, random, recommender):
    [listed] = recommender.recommend([query])
    check_comes_back(recommender, query, listed, random)


@settings(relaxed, max_examples=60)
@given(query=queries, random=st.randoms())
def test_so_does_one_that_trees_ordered(query, random, ranked):
    asked = replace(query, placement="for_you", customer_id="1/customer-03")
    [listed] = ranked.recommend([asked])
    check_comes_back(ranked, asked, listed, random)


@settings(relaxed, max_examples=60)
@given(query=queries, ids=orders)
def test_items_after_the_bundle_are_ordered_too(query, ids, changed):
    config = changed.placement_configs[query.placement]
    allowed = changed.resolver.resolve(query, config).allowed
    given_ids = ("new-c", *ids, "new-b", "new-a")
    expected = {name for name in given_ids if allowed[changed.catalogue.items.number(name)]}
    assert set(ordered(changed, query, given_ids)) == expected


def test_what_nothing_is_known_of_keeps_its_order_behind(recommender):
    ids = ("item-47", "item-45", "item-46", "item-02", "item-44")  # but one was never bought
    query = Query("for_you", NOW, "customer-02", only_item_ids=ids)
    [answer] = recommender.recommend([query])
    assert answer.items[0].item_id == "item-02"
    assert [item.item_id for item in answer.items[1:]] == [
        "item-47",
        "item-45",
        "item-46",
        "item-44",
    ]
    assert {item.source for item in answer.items[1:]} == {GIVEN}


def test_an_order_of_nothing_known_is_not_personalised(recommender):
    query = Query("buy_again", NOW, "customer-02", only_item_ids=("item-47", "item-45"))
    [answer] = recommender.recommend([query])
    assert answer.items == ()


def test_more_may_be_ordered_than_listed(recommender):
    ids = tuple(f"item-{number:02}" for number in range(MAX_LIMIT + 1))
    [answer] = recommender.recommend(
        [Query("popular", NOW, limit=MAX_LIMIT + 1, only_item_ids=ids)]
    )
    assert len(answer.items) == ITEMS - 2  # two are not available
    with pytest.raises(InvalidQueryError, match=f"1 to {MAX_GIVEN_ITEMS}"):
        recommender.recommend(
            [Query("popular", NOW, limit=MAX_GIVEN_ITEMS + 1, only_item_ids=ids)]
        )
