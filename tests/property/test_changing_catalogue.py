"""What must hold for every list while the catalogue changes, whatever is asked."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.assembly import assemble
from recsys.data.catalogue import Catalogue
from recsys.fitting.fit import Fitted, fit
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.new_items import NEW_ITEMS, NewItemRules
from recsys.pipeline.query import MAX_LIMIT, Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, EventType
from tests.catalogue_changes import COLUMNS, Changes, expected_items
from tests.ranked_shop import large_shop, ranked_config
from tests.small_shop import CUSTOMERS, END, ITEMS

NOW = int(END.timestamp())
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")
NEW = ("new-a", "new-b", "new-c", "item-05b")
ids = st.integers(0, ITEMS + 1).map(lambda number: f"item-{number:02}") | st.sampled_from(NEW)
recent = st.builds(
    RecentEvent,
    item_id=ids,
    event_type=st.sampled_from(EventType),
    event_time=st.integers(NOW - 100 * DAY_S, NOW),
)
queries = st.builds(
    Query,
    placement=st.sampled_from(PLACEMENTS),
    query_time=st.just(NOW),
    customer_id=st.one_of(
        st.none(),
        st.integers(0, CUSTOMERS + 3).map(lambda number: f"customer-{number:02}"),
        st.just("visitor/v1"),
    ),
    limit=st.sampled_from([1, 5, 20, MAX_LIMIT]),
    context_item_ids=st.lists(ids, max_size=4).map(tuple),
    events=st.lists(recent, max_size=12).map(tuple),
    filter=st.sampled_from(("", "", "price < 20", "brand IN ('brand-1', 'brand-9')", "caffeine")),
    exclude_item_ids=st.lists(ids, max_size=10).map(tuple),
    market=st.sampled_from([None, None, "de"]),
)
STEP = st.tuples(st.sampled_from(["whole", "whole", "part", "remove"]), ids, COLUMNS)
STEPS = st.lists(STEP, max_size=8)
relaxed = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80
)


def after(recommender: Recommender, steps: list) -> tuple[Recommender, Changes]:
    """Returns what answers after the steps, the first of them one by one."""
    changes, follower = Changes(), CatalogueFollower(recommender)
    for kind, item_id, columns in steps:
        if kind == "remove":
            row = changes.remove(item_id)
        else:
            row = changes.upsert(item_id, replaces=kind == "whole", **columns)
        if len(changes.rows) < 3:
            follower.follow([row])
    follower.follow(list(changes.rows.values()))
    assert not follower.waits
    return follower.recommender, changes


@relaxed
@given(steps=STEPS, query=queries)
def test_a_list_is_whole_and_allowed(steps: list, query: Query, recommender: Recommender) -> None:
    now, changes = after(recommender, steps)
    items = expected_items(recommender.catalogue.frame, changes.rows)
    config = now.placement_configs[query.placement]
    allowed = now.resolver.resolve(query, config).allowed
    [answer] = now.recommend([query])
    listed = np.array([item.item_num for item in answer.items], dtype=int)
    groups = now.catalogue.group_nums
    assert allowed[listed].all()
    assert len(np.unique(groups[listed])) == len(listed), "two variants of one product"
    assert len(listed) == min(query.limit, len(np.unique(groups[allowed])))
    assert [item.rank for item in answer.items] == list(range(1, len(listed) + 1))
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()
    known = {row["item_id"]: row for row in items.to_dicts()}
    assert {item.item_id for item in answer.items} <= known.keys()
    for item in answer.items:
        row = known[item.item_id]
        offers = {offer["market"]: offer for offer in row["markets"] or []}
        sold = row if query.market is None else offers[query.market]
        assert sold["available"] is not False
        assert query.filter != "price < 20" or sold["price"] < 20
        assert (item.source == NEW_ITEMS) <= (item.item_num >= ITEMS)
        assert set(item.reason.item_ids) - {event.item_id for event in query.events} <= (
            known.keys() | {f"item-{number:02}" for number in range(ITEMS)}
        )
    assert answer.missing_item_ids == tuple(i for i in query.context_item_ids if i not in known)


@relaxed
@given(steps=STEPS, query=queries)
def test_changes_of_known_items_are_a_catalogue_built_whole(
    steps: list, query: Query, recommender: Recommender, fitted: Fitted
) -> None:
    steps = [step for step in steps if step[1] in recommender.catalogue.frame["item_id"].to_list()]
    now, changes = after(recommender, steps)
    # Numbers stay in a bundle: a removed item is there, and can be had nowhere.
    frame = pl.concat(
        [
            expected_items(recommender.catalogue.frame, changes.rows),
            recommender.catalogue.frame.filter(
                pl.col("item_id").is_in([i for i, row in changes.rows.items() if row.removed])
            ).with_columns(available=False, markets=pl.lit(None, pl.List(pl.Struct(OFFER)))),
        ]
    )
    whole = replace(fitted.pipeline, catalogue=Catalogue.from_frame(frame))
    gone = {item_id for item_id, row in changes.rows.items() if row.removed}
    context = tuple(item_id for item_id in query.context_item_ids if item_id not in gone)
    query = replace(query, context_item_ids=context)
    [expected] = assemble(whole, "in-memory").recommend([query])
    [answer] = now.recommend([query])
    assert answer == expected


OFFER = {"market": pl.String(), "available": pl.Boolean(), "price": pl.Float64()}


@settings(relaxed, max_examples=15)
@given(steps=STEPS, batch=st.lists(queries, min_size=2, max_size=40))
def test_a_batch_gives_what_single_queries_give(
    steps: list, batch: list[Query], recommender: Recommender
) -> None:
    now, _ = after(recommender, steps)
    assert now.recommend(batch) == [now.recommend([query])[0] for query in batch]


@relaxed
@given(query=queries)
def test_nothing_changed_is_the_very_same(query: Query, recommender: Recommender) -> None:
    follower = CatalogueFollower(recommender)
    assert follower.follow([]) is recommender
    # An item that can be shown nowhere changes no list.
    now = follower.follow([Changes().upsert("new-a", title="Tea", available=False)])
    assert now is not recommender
    known = tuple(item_id for item_id in query.context_item_ids if item_id not in NEW)
    query = replace(
        query,
        context_item_ids=known,
        events=tuple(event for event in query.events if event.item_id not in NEW),
    )
    assert now.recommend([query]) == recommender.recommend([query])


@pytest.fixture(scope="module")
def ranked() -> Recommender:
    return assemble(fit(large_shop(3), ranked_config(), end_time=END).pipeline, "ranked")


@settings(relaxed, max_examples=40)
@given(steps=STEPS, query=queries, place=st.integers(0, 2))
def test_ranked_lists_are_whole_too(
    steps: list, query: Query, place: int, ranked: Recommender
) -> None:
    assert ranked.rankers, "nothing is ranked"
    now, _ = after(ranked, steps)
    customer = None if query.customer_id is None else f"{place}/{query.customer_id}"
    placement = "discover" if query.placement == "discover" else "for_you"
    query = replace(query, placement=placement, customer_id=customer)
    allowed = now.resolver.resolve(query, now.placement_configs[placement]).allowed
    [answer] = now.recommend([query])
    groups = now.catalogue.group_nums
    assert len(answer.items) == min(query.limit, len(np.unique(groups[allowed])))
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("limit", [1, 5, 10, 40])
def test_a_flood_of_new_items_takes_its_share_alone(limit: int, recommender: Recommender) -> None:
    changes, follower = Changes(), CatalogueFollower(recommender)
    for number in range(1_000):
        changes.upsert(
            f"flood-{number:03}", title="Tea", category=["Drinks", "Tea"], brand="brand-1"
        )
    now = follower.follow(list(changes.rows.values()))
    steps = 1
    while follower.waits:
        now, steps = follower.follow([]), steps + 1
    assert steps == 10
    most = max(1, int(NewItemRules().share * limit))
    for placement in ("for_you", "similar_items", "popular"):
        query = Query(placement, NOW, "customer-02", limit, context_item_ids=("item-02",))
        [answer] = now.recommend([query])
        found = [item.source == NEW_ITEMS for item in answer.items]
        assert len(found) == limit
        assert sum(found) <= most
