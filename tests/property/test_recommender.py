"""What must hold for every list, whatever is asked."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.pipeline.query import MAX_LIMIT, Query, RecentEvent
from recsys.types import DAY_S, EventType
from tests.small_shop import CUSTOMERS, END, ITEMS

NOW = int(END.timestamp())
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")
item_ids = st.integers(0, ITEMS + 3).map(lambda number: f"item-{number:02}")
recent = st.builds(
    RecentEvent,
    item_id=item_ids,
    event_type=st.sampled_from(EventType),
    event_time=st.one_of(st.integers(NOW - 200 * DAY_S, NOW), st.integers(0, 2**34)),
)
queries = st.builds(
    Query,
    placement=st.sampled_from(PLACEMENTS),
    query_time=st.one_of(st.just(NOW), st.integers(0, 2**34)),
    customer_id=st.one_of(
        st.none(),
        st.integers(0, CUSTOMERS + 5).map(lambda number: f"customer-{number:02}"),
        st.sampled_from(["newcomer", "visitor/v1", "nobody"]),
    ),
    limit=st.sampled_from([1, 5, 20, MAX_LIMIT]),
    context_item_ids=st.lists(item_ids, max_size=4).map(tuple),
    events=st.lists(recent, max_size=30).map(tuple),
    filter=st.sampled_from(("", "price < 20", "brand IN ('brand-1')", "caffeine", "price > 1000")),
    exclude_item_ids=st.lists(item_ids, max_size=20).map(tuple),
    market=st.sampled_from([None, None, "de"]),
)
relaxed = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200
)


@relaxed
@given(query=queries)
def test_a_list_is_never_short_while_an_allowed_item_exists(query, recommender):
    answer = recommender.recommend([query])[0]
    config = recommender.placement_configs[query.placement]
    allowed = recommender.resolver.resolve(query, config).allowed
    groups = recommender.catalogue.group_nums
    listed = np.array([item.item_num for item in answer.items], dtype=int)
    assert allowed[listed].all()
    assert len(np.unique(groups[listed])) == len(listed), "two variants of one product"
    assert len(listed) == min(query.limit, len(np.unique(groups[allowed])))
    assert [item.rank for item in answer.items] == list(range(1, len(listed) + 1))
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()


@relaxed
@given(query=queries)
def test_what_is_left_out_stays_out(query, recommender):
    answer = recommender.recommend([query])[0]
    listed = {item.item_id for item in answer.items}
    frame = recommender.catalogue.frame
    rows = {row["item_id"]: row for row in frame.to_dicts()}
    assert not listed & set(query.exclude_item_ids)
    for item_id in listed:
        row = rows[item_id]
        market = {entry["market"]: entry for entry in row["markets"] or []}
        if query.market:
            assert market[query.market]["available"]
        else:
            assert row["available"]
        price = market[query.market]["price"] if query.market else row["price"]
        if query.filter == "price < 20":
            assert price < 20
        if query.filter == "caffeine":
            assert row["caffeine"]
    if query.placement in ("similar_items", "bought_together"):
        known = [item_id for item_id in query.context_item_ids if item_id in rows]
        assert not listed & set(known)
    assert answer.missing_item_ids == tuple(i for i in query.context_item_ids if i not in rows)


@settings(relaxed, max_examples=25)
@given(batch=st.lists(queries, min_size=2, max_size=150))
def test_a_batch_gives_what_single_queries_give(batch, recommender):
    singly = [recommender.recommend([query])[0] for query in batch]
    assert recommender.recommend(batch) == singly
    assert [
        answer
        for place in range(0, len(batch), 7)
        for answer in recommender.recommend(batch[place : place + 7])
    ] == singly


@settings(relaxed, max_examples=50)
@given(query=queries)
def test_memory_and_disk_answer_alike(query, recommender, loaded):
    first, second = recommender.recommend([query])[0], loaded.recommend([query])[0]
    assert first.items == second.items
    assert first.tier == second.tier
