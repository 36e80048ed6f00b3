from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.data.splits import Split, temporal_split
from recsys.errors import ConfigError, DataError
from recsys.pipeline.query import RecentEvent
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.mask import Mask
from recsys.protocols.truth import PROTOCOLS
from recsys.types import EventType
from tests.shops import Event, day, tiny_shop

CUTOFF = 10
EVENTS = [
    Event("ann", "tea", 1),
    Event("ann", "milk", 2),
    Event("ann", "cup", 3, kind="view"),
    Event("bob", "milk", 2),
    Event("cat", "tea", 3, kind="click"),
    Event("ann", "tea", 11, basket="a1"),
    Event("ann", "cup", 11, basket="a1"),
    Event("ann", "jam", 11, basket="a1"),
    Event("ann", "tea", 12, basket="a2"),
    Event("bob", "milk", 11, basket="b1"),
    Event("cat", "milk", 11, basket="c1"),
    Event("cat", "tea", 12, basket="c2"),
]
CREATED = {"jam": 0.0}


@pytest.fixture
def split() -> Split:
    return temporal_split(tiny_shop(EVENTS, CREATED), cutoff=day(CUTOFF))


def truths(split: Split, cases: Cases) -> dict[str, set[str]]:
    """Returns the right items by customer."""
    flat = [split.items.id(num) for num in cases.truth_item_nums.tolist()]
    return {
        split.customers.id(customer): set(flat[start:end])
        for customer, start, end in zip(
            cases.customer_nums.tolist(),
            cases.truth_offsets[:-1],
            cases.truth_offsets[1:],
            strict=True,
        )
    }


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("for_you", {"ann": {"tea", "cup", "jam"}, "bob": {"milk"}, "cat": {"milk", "tea"}}),
        # Ann only viewed the cup: it is new to her. Cat clicked on tea, but never bought any.
        ("discover", {"ann": {"cup", "jam"}, "cat": {"milk", "tea"}}),
        ("buy_again", {"ann": {"tea"}, "bob": {"milk"}}),
        ("popular", {"ann": {"tea", "cup", "jam"}, "bob": {"milk"}, "cat": {"milk", "tea"}}),
        # Last touched: ann's cup, bob's milk; a click is no sign, so cat has no context.
        ("similar_items", {"ann": {"tea", "jam"}}),
    ],
)
def test_right_items_of_each_placement(
    split: Split, placement: str, expected: dict[str, set[str]]
) -> None:
    cases = cases_for(placement, split, limit=5, seed=0)
    assert truths(split, cases) == expected
    assert cases.truth_sizes.tolist() == [len(items) for items in truths(split, cases).values()]
    assert len(cases) == len(expected)


@pytest.mark.parametrize("placement", PROTOCOLS)
def test_queries_are_put_at_the_cutoff(split: Split, placement: str) -> None:
    for query in cases_for(placement, split, limit=7, seed=0).queries:
        assert query.placement == placement
        assert query.query_time == split.cutoff_time
        assert query.limit == 7
        assert query.events == ()


@pytest.mark.parametrize("placement", ["for_you", "discover", "buy_again"])
def test_personal_placements_name_the_customer(split: Split, placement: str) -> None:
    cases = cases_for(placement, split, limit=5, seed=0)
    asked = [query.customer_id for query in cases.queries]
    assert asked == list(truths(split, cases))
    assert all(query.context_item_ids == () for query in cases.queries)


def test_a_third_of_a_basket_is_hidden_and_the_rest_is_the_cart() -> None:
    basket = {f"item-{number}" for number in range(10)}
    events = [Event("ann", item, 1) for item in basket]
    events += [Event("ann", item, 11, basket="a") for item in basket]
    events += [Event("bob", item, 1) for item in basket]
    events += [Event("bob", item, 11, basket="b") for item in ("item-0", "item-1")]
    events += [Event("cat", item, 11, basket="c") for item in ("item-0",)]
    split = temporal_split(tiny_shop(events), cutoff=day(CUTOFF))
    hidden = set()
    for seed in range(8):
        cases = cases_for("complete_the_basket", split, limit=5, seed=seed)
        ann, bob = cases.queries  # cat bought one thing: nothing could be hidden
        assert (ann.customer_id, bob.customer_id) == ("ann", "bob")
        found = truths(split, cases)
        assert len(found["ann"]) == 3
        assert found["ann"] | set(ann.context_item_ids) == basket
        assert not found["ann"] & set(ann.context_item_ids)
        assert len(found["bob"]) == len(bob.context_item_ids) == 1
        again = cases_for("complete_the_basket", split, limit=5, seed=seed)
        assert again.queries == cases.queries
        hidden |= found["ann"]
    assert len(hidden) > 5


@pytest.mark.parametrize("placement", ["popular", "similar_items", "bought_together"])
def test_the_others_ask_for_nobody(split: Split, placement: str) -> None:
    cases = cases_for(placement, split, limit=5, seed=0)
    assert {query.customer_id for query in cases.queries} == {None}


def test_similar_items_start_from_the_last_item_touched(split: Split) -> None:
    (query,) = cases_for("similar_items", split, limit=5, seed=0).queries
    assert query.context_item_ids == ("cup",)


def test_bought_together_asks_for_the_rest_of_one_basket(split: Split) -> None:
    basket = {"tea", "cup", "jam"}
    contexts = set()
    for seed in range(20):
        cases = cases_for("bought_together", split, limit=5, seed=seed)
        (query,) = cases.queries  # only ann bought two items at once
        (context,) = query.context_item_ids
        assert truths(split, cases) == {"ann": basket - {context}}
        contexts.add(context)
    assert contexts == basket


def test_a_customer_with_many_baskets_counts_once() -> None:
    events = [Event("ann", item, 1) for item in ("tea", "milk", "cup", "jam")]
    for number in range(6):
        events += [Event("ann", item, 11 + number, basket=f"{number}") for item in ("tea", "milk")]
    split = temporal_split(tiny_shop(events), cutoff=day(CUTOFF))
    assert len(cases_for("bought_together", split, limit=5, seed=0)) == 1


def test_ties_in_time_are_drawn_by_the_seed() -> None:
    events = [Event("ann", item, 1) for item in ("tea", "milk", "cup")]
    split = temporal_split(
        tiny_shop([*events, Event("ann", "jam", 12)], CREATED), cutoff=day(CUTOFF)
    )
    drawn = {
        seed: cases_for("similar_items", split, limit=5, seed=seed).queries[0].context_item_ids
        for seed in range(30)
    }
    assert {item for (item,) in drawn.values()} == {"tea", "milk", "cup"}
    again = cases_for("similar_items", split, limit=5, seed=4)
    assert again.queries[0].context_item_ids == drawn[4]


def test_the_order_of_events_decides_nothing() -> None:
    one = temporal_split(tiny_shop(EVENTS, CREATED), cutoff=day(CUTOFF))
    two = temporal_split(tiny_shop(EVENTS[::-1], CREATED), cutoff=day(CUTOFF))
    for placement in PROTOCOLS:
        first, second = (cases_for(placement, split, limit=5, seed=3) for split in (one, two))
        assert first.queries == second.queries
        np.testing.assert_array_equal(first.truth_item_nums, second.truth_item_nums)


def test_a_placement_without_protocol_is_refused(split: Split) -> None:
    with pytest.raises(ConfigError, match="'homepage'; known: for_you, discover"):
        cases_for("homepage", split, limit=5, seed=0)


def test_a_placement_nobody_has_an_answer_for_is_an_error() -> None:
    split = temporal_split(
        tiny_shop([Event("ann", "tea", 1), Event("ann", "tea", 11)]), cutoff=day(CUTOFF)
    )
    with pytest.raises(DataError, match="discover: no customer has a right answer"):
        cases_for("discover", split, limit=5, seed=0)


@pytest.mark.parametrize(
    ("placement", "mask", "expected"),
    [
        (
            "discover",
            Mask.NONE,
            {"ann": {"tea", "cup", "jam"}, "bob": {"milk"}, "cat": {"milk", "tea"}},
        ),
        ("for_you", Mask.BOUGHT, {"ann": {"cup", "jam"}, "cat": {"milk", "tea"}}),
        # Ann viewed the cup, cat clicked on tea.
        ("discover", Mask.SEEN, {"ann": {"jam"}, "cat": {"milk"}}),
        ("buy_again", Mask.SEEN, {"ann": {"tea"}, "bob": {"milk"}}),
    ],
)
def test_a_mask_takes_the_place_of_the_placements_own(
    split: Split, placement: str, mask: Mask, expected: dict[str, set[str]]
) -> None:
    cases = cases_for(placement, split, limit=5, seed=0, mask=mask)
    assert truths(split, cases) == expected


def test_what_the_split_gives_travels_with_the_query(split: Split) -> None:
    tea, milk = (split.items.number(item) for item in ("tea", "milk"))
    rows = {"customer_num": [0, 0, 2], "item_num": [tea, milk, milk], "code": [4, 0, 4]}
    schema = {"customer_num": pl.Int32, "item_num": pl.Int32, "code": pl.UInt8, "time": pl.Int64}
    given = pl.DataFrame({**rows, "time": [5, 6, 7]}, schema=schema)
    split = replace(split, given=given, query_times=np.array([10, 20, 30]))
    ann, bob, cat = cases_for("for_you", split, limit=5, seed=0).queries
    assert ann.events == (
        RecentEvent("tea", EventType.PURCHASE, 5),
        RecentEvent("milk", EventType.VIEW, 6),
    )
    assert bob.events == ()
    assert cat.events == (RecentEvent("milk", EventType.PURCHASE, 7),)
    assert [query.query_time for query in (ann, bob, cat)] == [10, 20, 30]
    for query in cases_for("popular", split, limit=5, seed=0).queries:
        assert query.events == ()
