"""Rows to learn from hold what was known before a contact, and nothing of it or after it."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.events import EVENT_SCHEMA
from recsys.data.progress import silent
from recsys.data.vocabulary import Vocabulary
from recsys.fitting.contact_rows import CONTACT_SCHEMA, ContactRows, contact_rows, spent_after
from recsys.offers.offer import Offer, OfferKind
from recsys.offers.value_features import FEATURES
from recsys.offers.values import ScopedOffer
from recsys.types import DAY_S, ItemId

ITEMS: Vocabulary[ItemId] = Vocabulary.from_ids([ItemId(each) for each in ("coffee", "tea")])
START = 1_000 * DAY_S
OFFERS = {
    name: ScopedOffer(
        Offer(offer_id=name, kind=OfferKind.PERCENT, discount=5.0, channels=("web",)), nums
    )
    for name, nums in {"tea": np.array([1], dtype=np.int32), "all": None}.items()
}
Bought = tuple[str, str, str, int, float]
"""Customer, item, event type, seconds from `START`, unit price."""


def events_of(rows: list[Bought]) -> pl.LazyFrame:
    made = [
        {
            "event_id": str(number),
            "customer_id": customer,
            "item_id": item,
            "event_type": kind,
            "event_time": datetime.fromtimestamp(START + at, UTC),
            "quantity": 2.0,
            "unit_price": price,
        }
        for number, (customer, item, kind, at, price) in enumerate(rows)
    ]
    return pl.LazyFrame(made, schema=EVENT_SCHEMA)


def contacts_of(rows: list[tuple[str, str, int, bool, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "customer_id": customer,
                "offer_id": offer,
                "time": START + at,
                "held_out": held_out,
                "hold_out_share": 0.1,
                "redeemed_time": None if redeemed is None else START + redeemed,
            }
            for customer, offer, at, held_out, redeemed in rows
        ],
        schema=CONTACT_SCHEMA,
    )


def rows_of(contacts: pl.DataFrame, events: pl.LazyFrame) -> ContactRows:
    return contact_rows(contacts, events, ITEMS, OFFERS, progress=silent)


def of(rows: ContactRows, name: str) -> np.ndarray:
    return rows.features[:, FEATURES.index(name)]


def test_each_contact_sees_its_own_past() -> None:
    events = events_of(
        [
            ("anna", "tea", "purchase", -10 * DAY_S, 1.0),
            ("anna", "coffee", "purchase", 5 * DAY_S, 1.0),
            ("bert", "tea", "view", -DAY_S, 1.0),
            ("bert", "tea", "return", -DAY_S, 1.0),
            ("bert", "unknown", "purchase", -DAY_S, 1.0),
        ]
    )
    contacts = contacts_of(
        [
            ("anna", "tea", 0, False, DAY_S),
            ("anna", "all", 6 * DAY_S, False, None),
            ("bert", "tea", 0, True, None),
            ("carl", "gone", 0, False, None),
        ]
    )
    rows = rows_of(contacts, events)
    assert rows.contacts["customer_id"].to_list() == ["anna", "bert", "anna"]
    np.testing.assert_allclose(of(rows, "items bought"), np.log1p([1, 0, 2]), rtol=1e-6)
    np.testing.assert_allclose(
        of(rows, "items of the offer bought"), np.log1p([1, 0, 2]), rtol=1e-6
    )
    np.testing.assert_allclose(of(rows, "items of the offer looked at"), np.log1p([0, 1, 0]))
    np.testing.assert_allclose(of(rows, "contacts so far"), np.log1p([0, 0, 1]))
    np.testing.assert_allclose(of(rows, "redemptions so far"), np.log1p([0, 0, 1]))
    np.testing.assert_allclose(of(rows, "days since redemption"), [np.nan, np.nan, 5])
    assert rows.redeemed.tolist() == [1.0, 0.0, 0.0]


def test_hold_outs_are_no_contacts_of_the_past() -> None:
    contacts = contacts_of([("anna", "tea", 0, True, None), ("anna", "all", DAY_S, False, None)])
    rows = rows_of(contacts, events_of([]))
    assert of(rows, "contacts so far").tolist() == [0.0, 0.0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_what_comes_at_or_after_a_contact_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = [
        ("anna", str(rng.choice(["tea", "coffee"])), "purchase", -int(rng.integers(1, 9**6)), 1.0)
        for _ in range(5)
    ]
    after = [("anna", "tea", "purchase", int(rng.integers(0, 9**6)), 1.0) for _ in range(5)]
    first = ("anna", "tea", 0, False, int(rng.integers(0, 9**6)))
    later = [("anna", "all", int(rng.integers(0, 9**6)), False, None) for _ in range(3)]
    alone = rows_of(contacts_of([first]), events_of(before))
    whole = rows_of(contacts_of([first, *later]), events_of(before + after))
    place = whole.contacts.with_row_index().filter(
        pl.col("time") == START, pl.col("offer_id") == "tea"
    )["index"][0]
    np.testing.assert_array_equal(whole.features[place], alone.features[0])


def test_purchases_of_the_window_are_added_up() -> None:
    events = events_of(
        [
            ("anna", "tea", "purchase", -1, 3.0),
            ("anna", "tea", "purchase", 0, 3.0),
            ("anna", "unknown", "purchase", 7 * DAY_S - 1, 4.0),
            ("anna", "tea", "return", DAY_S, 1.0),
            ("anna", "tea", "view", DAY_S, 9.0),
            ("anna", "tea", "purchase", 7 * DAY_S, 50.0),
            ("bert", "tea", "purchase", 0, 100.0),
        ]
    )
    contacts = contacts_of([("anna", "tea", 0, False, None), ("carl", "tea", 0, False, None)])
    assert spent_after(contacts, events, 7.0).tolist() == pytest.approx([12.0, 0.0])
