"""Offers on what runs out, against reading every purchase by hand, whatever customers bought."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.state import CustomerStates, DecayScale, sum_days
from recsys.models.replenishment_model import ReplenishmentModel
from recsys.offers.book import OfferBook
from recsys.offers.due import DUE
from recsys.offers.eligibility import Conditions
from recsys.offers.facts import Knowledge, facts
from recsys.offers.offer import Offer, OfferScope
from recsys.offers.values import Audience, PastContacts
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, EVENT_CODES, CustomerId, EventType
from tests.small_shop import ITEMS

CUSTOMERS = 3
SHAPE, SCALE = 2.0, 30.0
MODEL = ReplenishmentModel(
    customer_prior=5.0,
    process=np.array([SHAPE, SCALE, 1.0, 9.0]),
    # Two items came after the bundle: they are like the shop as a whole.
    item_rates=np.linspace(0.02, 0.3, ITEMS - 2).astype(np.float32),
    item_drops=np.full(ITEMS - 2, 0.1, np.float32),
    correction=np.zeros(3),
)
SCOPES = (
    OfferScope(),
    OfferScope(item_ids=("item-01", "item-03")),
    OfferScope(category=("Drinks", "Coffee")),
    OfferScope(item_ids=("item-00",)),
    OfferScope(item_ids=("gone",)),
)

Bought = list[tuple[int, int, EventType, int]]
purchases = st.lists(
    st.tuples(
        st.integers(0, CUSTOMERS - 1),
        st.integers(0, 4) | st.sampled_from([ITEMS - 1]),
        st.sampled_from([EventType.PURCHASE, EventType.PURCHASE, EventType.VIEW]),
        st.integers(0, 60 * DAY_S),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def known(recommender: Recommender) -> Knowledge:
    return replace(Knowledge.of(recommender), forecaster=MODEL)


def audience(bought: Bought, now: int) -> Audience:
    columns = list(zip(*bought, strict=True)) or [(), (), (), ()]
    customers, items = (np.array(each, dtype=np.int32) for each in columns[:2])
    kinds = np.array([EVENT_CODES[each] for each in columns[2]], dtype=np.int8)
    scale = DecayScale((30.0,), now)
    owners, rows = sum_days(customers, items, kinds, np.array(columns[3], np.int64), scale)
    counts = np.bincount(owners, minlength=CUSTOMERS)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    names = [CustomerId(f"c{number}") for number in range(CUSTOMERS)]
    states = CustomerStates(offsets, rows, scale)
    return Audience(names, states, PastContacts.none(CUSTOMERS), now)


def due_by_hand(bought: Bought, customer: int, items: set[int], now: int) -> float | None:
    """Days until the first of a customer's items is due, one purchase at a time."""
    found = []
    for item in items:
        times = sorted(
            time
            for who, what, kind, time in bought
            if (who, what, kind) == (customer, item, EventType.PURCHASE)
        )
        days = {time // DAY_S for time in times}
        if len(days) < 2:
            continue
        rate = float(MODEL.item_rates[item]) if item < ITEMS - 2 else SHAPE / SCALE
        usual = SHAPE / rate
        span = (times[-1] - times[0]) / DAY_S
        interval = (usual + span) / (SHAPE + len(days) - 1)
        due = times[-1] + round(interval * DAY_S)
        if now - due <= due - times[-1]:
            found.append((due - now) / DAY_S)
    return min(found, default=None)


def inside(scope: OfferScope) -> set[int]:
    if scope.item_ids:
        return {int(each[-2:]) for each in scope.item_ids if each != "gone"}
    if scope.category:
        return {number for number in range(ITEMS) if number % 2 and number != 7}
    return set(range(ITEMS))


def offer(number: int, scope: OfferScope, eligibility: str) -> Offer:
    given = {"kind": "content", "channels": ("email",), "eligibility": eligibility}
    return Offer(offer_id=f"o{number}", scope=scope, **given)


@settings(max_examples=200)
@given(bought=purchases, now=st.integers(40 * DAY_S, 120 * DAY_S), days=st.integers(-5, 20))
def test_days_until_due_are_those_counted_by_hand(
    known: Knowledge, bought: Bought, now: int, days: int
) -> None:
    asking = audience(bought, now)
    texts = [
        f"{DUE} < {days}",
        f"NOT ({DUE} >= {days})",
        f"{DUE} IS NULL",
        f"{DUE} < 0 OR purchases > 1",
    ]
    offers = [
        offer(number, scope, text)
        for number, (scope, text) in enumerate((s, t) for s in SCOPES for t in texts)
    ]
    held = Conditions.of(offers, known).hold(asking)
    for customer in range(CUSTOMERS):
        many = len(
            {
                (item, time // DAY_S)
                for who, item, kind, time in bought
                if (who, kind) == (customer, EventType.PURCHASE)
            }
        )
        expected = []
        for scope in SCOPES:
            due = due_by_hand(bought, customer, inside(scope), now)
            within = due is not None and due < days
            expected += [within, within, due is None, many > 1 or (due is not None and due < 0)]
        assert held[customer].tolist() == expected
    whole = facts(asking, known, [DUE])[DUE].to_list()
    for customer, value in enumerate(whole):
        due = due_by_hand(bought, customer, set(range(ITEMS)), now)
        assert (value is None) == (due is None)
        assert value is None or math.isclose(value, due or 0.0, abs_tol=2 / DAY_S)


@settings(max_examples=30)
@given(bought=purchases, now=st.integers(40 * DAY_S, 120 * DAY_S))
def test_one_customer_alone_is_judged_as_among_all(
    known: Knowledge, bought: Bought, now: int
) -> None:
    offers = [offer(number, scope, f"{DUE} < 7") for number, scope in enumerate(SCOPES)]
    conditions = Conditions.of(offers, known)
    together = conditions.hold(audience(bought, now))
    for customer in range(CUSTOMERS):
        own = [row for row in bought if row[0] == customer]
        alone = conditions.hold(audience(own, now))
        np.testing.assert_array_equal(alone[customer], together[customer])


def test_a_changed_catalogue_changes_what_an_offer_is_about(known: Knowledge) -> None:
    """Prices change without a new compilation; what is in a category must still be followed."""
    bought = [(0, 1, EventType.PURCHASE, day * 10 * DAY_S) for day in range(1, 5)]
    asking = audience(bought, 45 * DAY_S)
    coffee = offer(0, OfferScope(category=("Drinks", "Coffee")), f"{DUE} < 30")
    book = OfferBook.of([coffee], known)
    assert book.conditions.hold(asking)[0, 0]
    is_one = pl.col("item_id") == "item-01"
    tea = pl.when(is_one).then(pl.lit(["Drinks", "Tea"])).otherwise(pl.col("category"))
    frame = known.catalogue.frame.with_columns(category=tea)
    moved = replace(known, catalogue=type(known.catalogue).from_frame(frame))
    assert not book.over(moved).conditions.hold(asking)[0, 0]


def test_a_bundle_without_a_model_refuses_the_column_with_its_place(known: Knowledge) -> None:
    without = replace(known, forecaster=None)
    text = f"purchases > 0 AND {DUE} < 7"
    conditions = Conditions.of([offer(0, OfferScope(), text)], without)
    error = conditions.refused[0]
    assert (error.field, error.position) == ("eligibility", text.index(DUE))
    assert DUE in error.description
    assert not conditions.hold(audience([], 100 * DAY_S)).any()
