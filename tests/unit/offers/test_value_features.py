"""What is seen of customers and offers equals counting by hand, alone and among others."""

import numpy as np
import pytest

from recsys.data.state import CustomerStates, DecayScale, StateRows, sum_days
from recsys.offers import value_features
from recsys.offers.offer import Offer, OfferKind
from recsys.offers.value_features import FEATURES, feature_rows, own_rows
from recsys.offers.values import PastContacts, ScopedOffer
from recsys.types import DAY_S, EVENT_CODES, EventType

NOW = 1_000 * DAY_S
PURCHASE, VIEW = EVENT_CODES[EventType.PURCHASE], EVENT_CODES[EventType.VIEW]
Event = tuple[int, int, int, int]
"""Customer, item, type, days ago."""
EVENTS: list[Event] = [
    (0, 1, PURCHASE, 10),
    (0, 1, PURCHASE, 40),
    (0, 5, PURCHASE, 100),
    (0, 9, VIEW, 3),
    (2, 5, PURCHASE, 1),
    (2, 7, VIEW, 200),
]


def states_of(events: list[Event], customers: int) -> CustomerStates:
    columns = np.array(events, dtype=np.int64).reshape(-1, 4)
    scale = DecayScale((1.0,), 0)
    nums, rows = sum_days(
        columns[:, 0].astype(np.int32),
        columns[:, 1].astype(np.int32),
        columns[:, 2].astype(np.uint8),
        NOW - columns[:, 3] * DAY_S,
        scale,
    )
    counts = np.bincount(nums, minlength=customers)
    return CustomerStates(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows, scale)


def offer(nums: list[int] | None, **fields: object) -> ScopedOffer:
    made = Offer.model_validate(
        {"offer_id": "o", "kind": OfferKind.PERCENT, "discount": 10.0, "channels": ("web",)}
        | fields
    )
    return ScopedOffer(made, None if nums is None else np.array(nums, dtype=np.int32))


OFFERS = [offer([1, 9]), offer(None), offer([5, 6]), offer([])]


@pytest.fixture
def seen() -> np.ndarray:
    states = states_of(EVENTS, 3)
    past = PastContacts(
        np.array([4, 0, 0], np.int32),
        np.array([2, 0, 0], np.int32),
        np.array([NOW - 2 * DAY_S, -1, -1]),
        np.array([NOW - 5 * DAY_S, -1, -1]),
    )
    return feature_rows(states, past, np.full(3, NOW), OFFERS)


def of(seen: np.ndarray, name: str) -> np.ndarray:
    return seen[:, :, FEATURES.index(name)]


def test_shape_and_names(seen: np.ndarray) -> None:
    assert seen.shape == (3, 4, len(FEATURES))
    assert seen.dtype == np.float32
    assert len(set(FEATURES)) == len(FEATURES)


def test_a_customer_is_counted(seen: np.ndarray) -> None:
    def same(name: str, *expected: float) -> None:
        for column in range(len(OFFERS)):
            np.testing.assert_allclose(of(seen, name)[:, column], expected, rtol=1e-5)

    same("days since purchase", 10, np.nan, 1)
    same("items bought", np.log1p(2), 0, np.log1p(1))
    same("items bought, 28 days", np.log1p(1), 0, np.log1p(1))
    same("item-days bought", np.log1p(3), 0, np.log1p(1))
    same("items bought again", 0.5, 0, 0)
    same("days as a customer", 100, np.nan, 1)
    same("items looked at, 28 days", np.log1p(1), 0, 0)
    same("contacts so far", np.log1p(4), 0, 0)
    same("redemptions of contacts", 3 / 14, 0.1, 0.1)
    same("days since contact", 2, np.nan, np.nan)
    same("days since redemption", 5, np.nan, np.nan)


def test_a_customer_is_counted_within_each_offer(seen: np.ndarray) -> None:
    def same(name: str, customer: int, *expected: float) -> None:
        np.testing.assert_allclose(of(seen, name)[customer], expected, rtol=1e-5)

    same("items of the offer bought", 0, *np.log1p([1, 2, 1, 0]))
    same("item-days of the offer bought", 0, *np.log1p([2, 3, 1, 0]))
    same("part of the offer in item-days", 0, 2 / 3, 1, 1 / 3, 0)
    same("items of the offer bought, 28 days", 0, *np.log1p([1, 1, 0, 0]))
    same("items of the offer bought, 91 days", 0, *np.log1p([1, 1, 0, 0]))
    same("items of the offer looked at", 0, *np.log1p([1, 1, 0, 0]))
    same("items of the offer looked at", 2, *np.log1p([0, 1, 0, 0]))
    same("items of the offer bought", 1, 0, 0, 0, 0)


def test_an_offer_says_what_it_is() -> None:
    valid = offer([1], start_time="2026-01-01T00:00:00Z", end_time="2026-01-08T00:00:00Z")
    content = offer(None, kind=OfferKind.CONTENT, discount=0.0)
    found = feature_rows(states_of([], 1), PastContacts.none(1), np.array([NOW]), [valid, content])
    np.testing.assert_allclose(of(found, "offer kind")[0], [0, 3])
    np.testing.assert_allclose(of(found, "discount")[0], [10, 0])
    np.testing.assert_allclose(of(found, "days valid")[0], [7, np.nan])
    np.testing.assert_allclose(of(found, "items in the offer")[0], [np.log1p(1), np.nan])


def test_a_row_is_the_same_alone_and_for_one_offer_each() -> None:
    states = states_of(EVENTS, 3)
    past, times, own = PastContacts.none(3), np.full(3, NOW), np.array([2, 0, 1])
    whole = feature_rows(states, past, times, OFFERS)
    np.testing.assert_array_equal(
        own_rows(states, past, times, OFFERS, own), whole[np.arange(3), own]
    )
    for customer in range(3):
        part = slice(int(states.offsets[customer]), int(states.offsets[customer + 1]))
        alone = CustomerStates(
            np.array([0, part.stop - part.start]), states.rows.take(part), states.scale
        )
        one = feature_rows(alone, PastContacts.none(1), times[:1], OFFERS)
        np.testing.assert_array_equal(one[0], whole[customer])


def test_many_rows_are_counted_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    events = [
        (int(c), int(i), int(k), int(d))
        for c, i, k, d in zip(
            rng.integers(0, 30, 600),
            rng.integers(0, 40, 600),
            rng.choice([PURCHASE, VIEW], 600),
            rng.integers(0, 200, 600),
            strict=True,
        )
    ]
    states, past, times = states_of(events, 30), PastContacts.none(30), np.full(30, NOW)
    offers = [offer(sorted(set(rng.integers(0, 30, 8).tolist()))) for _ in range(5)] + [OFFERS[1]]
    few = feature_rows(states, past, times, offers)
    monkeypatch.setattr(value_features, "FEW_ROWS", 0)
    np.testing.assert_array_equal(feature_rows(states, past, times, offers), few)
    own = rng.integers(0, 6, 30)
    np.testing.assert_array_equal(
        own_rows(states, past, times, offers, own), few[np.arange(30), own]
    )


def test_nobody_and_nothing_have_no_rows() -> None:
    states = states_of([], 0)
    assert isinstance(states.rows, StateRows)
    found = feature_rows(states, PastContacts.none(0), np.empty(0, np.int64), OFFERS)
    assert found.shape == (0, 4, len(FEATURES))
    none = feature_rows(states_of(EVENTS, 3), PastContacts.none(3), np.full(3, NOW), [])
    assert none.shape == (3, 0, len(FEATURES))
