"""Customers of an item: equal to a plain sum over histories, kept ones alone, never short."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.assembly import assemble
from recsys.data.state import item_weights, type_weight_array
from recsys.errors import InvalidQueryError, UnknownItemError
from recsys.fitting.fit import Fitted
from recsys.pipeline.answers import CustomersQuery
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.customers import recommend_customers
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.worth import BACKWARD_KINDS, Backward, interest
from recsys.types import CustomerId, ItemId
from tests.catalogue_changes import Changes
from tests.small_shop import END, ITEMS

NOW = int(END.timestamp())
WHOM = CustomersQuery("customers_for_item", ItemId("item-06"), NOW)
ITEM = st.integers(0, 39).map(lambda n: ItemId(f"item-{n:02}"))


def test_sources_that_can_be_asked_backwards_are_known_by_their_kinds(fitted: Fitted) -> None:
    pipeline = fitted.pipeline
    sources = assemble(pipeline, "in-memory").sources
    backward = {name for name, source in sources.items() if isinstance(source, Backward)}
    kinds = {name: config.kind for name, config in pipeline.config.sources.items()}
    assert backward == {name for name, kind in kinds.items() if kind in BACKWARD_KINDS}
    assert {kinds[name] for name in backward} == BACKWARD_KINDS


@given(number=st.integers(0, ITEMS - 1), name=st.sampled_from(["repurchase", "taste"]))
def test_interest_is_what_each_history_adds_up_to(
    recommender: Recommender, number: int, name: str
) -> None:
    source, states = recommender.sources[name], recommender.resolver.states
    assert isinstance(source, Backward)
    worth = source.worth_of(number)
    if worth is None:
        return
    found = interest(states, ITEMS, worth, NOW)
    of_items = np.zeros(ITEMS)
    of_items[: len(worth.of_items)] = worth.of_items
    for customer in range(len(states)):
        total = 0.0
        for row in range(len(states.of(customer).item_nums)):
            one = states.of(customer).take(slice(row, row + 1))
            weights = type_weight_array(dict(worth.event_weights))
            nums, counted = item_weights(one, weights, worth.half_life_days, states.scale, NOW)
            total += float((worth.entries(counted) * of_items[nums]).sum())
        assert found[customer] == pytest.approx(max(total, 0), rel=1e-4, abs=1e-5)


def test_those_who_drink_it_are_told_first(recommender: Recommender) -> None:
    told = recommend_customers(recommender, replace(WHOM, limit=20))
    assert all(int(each.customer_id[-2:]) % 2 == 0 for each in told.customers)
    scores = [each.score for each in told.customers]
    assert scores == sorted(scores, reverse=True)
    assert [each.rank for each in told.customers] == list(range(1, 21))


@given(item_id=ITEM, limit=st.integers(1, 80), exclude=st.booleans())
def test_everybody_comes_once_and_only_who_is_kept(
    recommender: Recommender, item_id: ItemId, limit: int, *, exclude: bool
) -> None:
    asked: list[CustomerId] = []

    def keep(customer_ids: Sequence[CustomerId]) -> list[bool]:
        asked.extend(customer_ids)
        return [third(each) for each in customer_ids]

    query = replace(WHOM, item_id=item_id, limit=limit, exclude_buyers=exclude)
    told = [each.customer_id for each in recommend_customers(recommender, query, keep).customers]
    assert len(asked) == len(set(asked))
    assert len(set(told)) == len(told)
    assert all(third(each) for each in told)
    if not exclude:
        assert len(told) == min(limit, 20)


def test_buyers_can_be_left_out(recommender: Recommender) -> None:
    everybody = recommend_customers(recommender, replace(WHOM, limit=100)).customers
    others = recommend_customers(recommender, replace(WHOM, limit=100, exclude_buyers=True))
    number = recommender.catalogue.items.number(WHOM.item_id)
    states, bought = recommender.resolver.states, set()
    for customer in range(len(states)):
        if number in states.of(customer).item_nums:
            bought.add(recommender.resolver.customers.id(customer))
    assert bought
    assert {each.customer_id for each in others.customers} == {
        each.customer_id for each in everybody
    } - bought


def test_a_new_item_is_for_those_of_what_it_is_like(recommender: Recommender) -> None:
    row = Changes().upsert("zzz-new", title="Tea no. 99", category=["Drinks", "Tea"])
    laid = CatalogueFollower(recommender).follow([row])
    told = recommend_customers(laid, replace(WHOM, item_id=ItemId("zzz-new"), limit=15))
    assert np.mean([int(each.customer_id[-2:]) % 2 == 0 for each in told.customers]) > 0.9


def test_what_is_not_there_is_refused(recommender: Recommender) -> None:
    with pytest.raises(UnknownItemError):
        recommend_customers(recommender, replace(WHOM, item_id=ItemId("gone")))
    with pytest.raises(InvalidQueryError, match="limit"):
        recommend_customers(recommender, replace(WHOM, limit=10_001))
    with pytest.raises(InvalidQueryError, match="answers with items"):
        recommend_customers(recommender, replace(WHOM, placement="for_you"))


def third(customer_id: CustomerId) -> bool:
    return customer_id[-2:].isdigit() and int(customer_id[-2:]) % 3 == 0
