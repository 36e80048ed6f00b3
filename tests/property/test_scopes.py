"""What must hold of lists within scopes: each is the one that a filter for its items gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.assembly import assemble
from recsys.errors import InvalidQueryError, UnknownPlacementError
from recsys.fitting.fit import fit
from recsys.live.rules import NamedFilter, Strictness
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.query import MAX_LIMIT, Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, EventType
from tests.catalogue_changes import Changes
from tests.random_rules import Words, random_rules
from tests.ranked_shop import large_shop, ranked_config
from tests.small_shop import CUSTOMERS, END, ITEMS

NOW = int(END.timestamp())
PLACEMENTS = ("for_you", "for_you", "discover", "buy_again", "similar_items", "popular")
UNAVAILABLE = (4, 5)
WORDS = Words(
    filters=["'Tea' IN category", "caffeine", "price BETWEEN 10 AND 30", "brand = 'brand-1'"],
    named={"cheap": NamedFilter(sql="price < :most")},
    parameters={"cheap": [{"most": 6}, {"most": 25}]},
    columns=[("brand", None), ("category", 2)],
    item_ids=[f"item-{number:02}" for number in range(ITEMS)],
    stock=("list_price", "cost"),
    now=NOW,
)
item_ids = st.integers(0, ITEMS + 1).map(lambda number: f"item-{number:02}")
recent = st.builds(
    RecentEvent,
    item_id=item_ids,
    event_type=st.sampled_from(EventType),
    event_time=st.integers(NOW - 100 * DAY_S, NOW),
)
seeds = st.none() | st.integers(0, 10_000)
"""Of rules; none: there are none."""
queries = st.builds(
    Query,
    placement=st.sampled_from(PLACEMENTS),
    query_time=st.just(NOW),
    customer_id=st.none()
    | st.integers(0, CUSTOMERS + 3).map(lambda number: f"customer-{number:02}"),
    limit=st.sampled_from([1, 5, 10, MAX_LIMIT]),
    context_item_ids=st.lists(item_ids, max_size=3).map(tuple),
    events=st.lists(recent, max_size=8).map(tuple),
    exclude_item_ids=st.lists(item_ids, max_size=5).map(tuple),
    only_item_ids=st.one_of(st.just(()), st.lists(item_ids, max_size=20).map(tuple)),
    market=st.sampled_from([None, None, "de"]),
    strictness=st.sampled_from(Strictness),
    explain=st.booleans(),
)
scopes = st.one_of(
    st.none(),
    st.just(frozenset()),
    st.just(frozenset(UNAVAILABLE)),
    st.just(frozenset(range(0, ITEMS, 2))),
    st.frozensets(st.integers(0, ITEMS - 1), max_size=ITEMS),
)
relaxed = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100
)


@pytest.fixture(scope="module")
def ranked() -> Recommender:
    """Answers two placements with trees."""
    return assemble(fit(large_shop(4), ranked_config(), end_time=END).pipeline, "ranked")


@pytest.fixture(scope="module")
def changed(recommender: Recommender) -> Recommender:
    """Has items that the bundle does not know."""
    changes, follower = Changes(), CatalogueFollower(recommender)
    changes.upsert("new-a", title="Tea anew", category=["Drinks", "Tea"], available=True)
    changes.upsert("new-b", title="Coffee anew", category=["Drinks", "Coffee"], available=True)
    follower.follow(list(changes.rows.values()))
    return follower.recommender


def check(
    recommender: Recommender, query: Query, seed: int | None, asked: list[frozenset[int] | None]
) -> None:
    """Holds lists within scopes against the lists of filters that name the same items."""
    if query.placement not in recommender.placements:
        query = replace(query, placement="for_you")
    if seed is not None:
        query = replace(query, rules=random_rules(WORDS, np.random.default_rng(seed)))
    more = len(recommender.catalogue) - ITEMS  # new items stand after the bundle's
    numbers = [
        None
        if scope is None
        else np.array(sorted(scope | set(range(ITEMS, ITEMS + more * bool(scope)))), np.int32)
        for scope in asked
    ]
    told = recommender.recommend_within(query, numbers)
    assert len(told) == len(asked)
    for nums, one in zip(numbers, told, strict=True):
        if nums is None:
            [expected] = recommender.recommend([query])
        else:
            ids = recommender.catalogue.items.ids(nums) or ["nothing-has-this-id"]
            named = ", ".join(f"'{item_id}'" for item_id in ids)
            [expected] = recommender.recommend([replace(query, filter=f"item_id IN ({named})")])
        assert one == expected


@relaxed
@given(query=queries, seed=seeds, asked=st.lists(scopes, max_size=5))
def test_a_list_within_a_scope_is_that_of_a_filter(
    recommender: Recommender, query: Query, seed: int | None, asked: list[frozenset[int] | None]
) -> None:
    check(recommender, query, seed, asked)


@relaxed
@given(query=queries, seed=seeds, asked=st.lists(scopes, max_size=4))
def test_so_it_is_with_trees(
    ranked: Recommender, query: Query, seed: int | None, asked: list[frozenset[int] | None]
) -> None:
    check(ranked, query, seed, asked)


@relaxed
@given(query=queries, seed=seeds, asked=st.lists(scopes, max_size=4))
def test_so_it_is_with_new_items(
    changed: Recommender, query: Query, seed: int | None, asked: list[frozenset[int] | None]
) -> None:
    check(changed, query, seed, asked)


def test_a_scope_is_full_though_the_customer_never_met_it(recommender: Recommender) -> None:
    """A coffee drinker gets the best teas, and nothing that is not available."""
    query = Query("for_you", NOW, customer_id="customer-01", limit=10)  # type: ignore[arg-type]
    teas = np.arange(0, 40, 2, dtype=np.int32)
    [within, none, all_items] = recommender.recommend_within(
        query, [teas, np.array(UNAVAILABLE, np.int32), None]
    )
    assert len(within.items) == 10
    assert all(item.item_num in teas for item in within.items)
    assert none.items == ()
    assert [all_items] == recommender.recommend([query])


def test_wrong_queries_are_refused_as_ever(recommender: Recommender) -> None:
    with pytest.raises(UnknownPlacementError):
        recommender.recommend_within(Query("nowhere", NOW), [None])
    with pytest.raises(InvalidQueryError):
        recommender.recommend_within(Query("for_you", NOW, limit=0), [None])
