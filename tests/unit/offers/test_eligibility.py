"""Who may get an offer, against reading every customer's history by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recsys.data.dataset import Dataset
from recsys.errors import InvalidFilterError
from recsys.offers.eligibility import Conditions
from recsys.offers.facts import FACTS, Knowledge, facts
from recsys.offers.offer import Offer
from recsys.offers.values import Audience, PastContacts
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, visitor_key

NOW = datetime(2030, 6, 1, tzinfo=UTC)


@pytest.fixture
def known(recommender: Recommender) -> Knowledge:
    return Knowledge.of(recommender)


@pytest.fixture
def audience(recommender: Recommender) -> Audience:
    states = recommender.resolver.states
    ids = recommender.resolver.customers.series().to_list()
    past = PastContacts.none(len(ids))
    return Audience(ids, states, past, int(NOW.timestamp()))


def offer(eligibility: str) -> Offer:
    return Offer(offer_id="o", kind="content", channels=("email",), eligibility=eligibility)


def chosen(audience: Audience, known: Knowledge, eligibility: str) -> set[str]:
    conditions = Conditions.of([offer(eligibility)], known)
    assert not conditions.refused
    held = conditions.hold(audience)[:, 0]
    return {name for name, holds in zip(audience.customer_ids, held, strict=True) if holds}


def test_every_fact_is_made_of_what_customers_did(
    shop: Dataset, audience: Audience, known: Knowledge
) -> None:
    table = facts(audience, known, known.schema())
    assert {name: table.schema[name] for name in FACTS} == FACTS
    events = shop.events.collect()
    bought = events.filter(pl.col("event_type") == "purchase")
    items = {row["item_id"]: row for row in shop.items.iter_rows(named=True)}
    regions = dict(shop.customers.select("customer_id", "region").iter_rows())
    for row in table.iter_rows(named=True):
        own = bought.filter(pl.col("customer_id") == row["customer_id"])
        everything = events.filter(pl.col("customer_id") == row["customer_id"])
        ids = set(own["item_id"].drop_nulls())
        assert row["region"] == regions.get(row["customer_id"])
        assert row["bought_item_ids"] == sorted(ids)
        steps = {step for each in ids for step in items[each]["category"] or []}
        assert row["bought_categories"] == sorted(steps)
        assert row["purchased_items"] == len(ids)
        days = own.select("item_id", pl.col("event_time").dt.date()).drop_nulls().unique()
        assert row["purchases"] == len(days)
        last = own["event_time"].max()
        assert row["last_purchase_time"] == (last and last.replace(microsecond=0))
        age = None if last is None else (NOW - last) / timedelta(days=1)
        assert row["days_since_purchase"] == (
            None if age is None else pytest.approx(age, abs=1e-4)
        )
        touched = everything.filter(pl.col("item_id").is_not_null())["event_time"].max()
        assert row["last_event_time"] == (touched and touched.replace(microsecond=0))
        assert (row["rfm"] is None) == (len(own) == 0)


@pytest.mark.parametrize(
    ("eligibility", "expected"),
    [
        ("region = 'south'", "region = 'south'"),
        ("'region=south' IN segments AND purchases >= 1", "region = 'south' AND purchases > 0"),
        ("days_since_purchase > 1 OR last_purchase_time IS NULL", "customer_id IS NOT NULL"),
        ("NOT (purchased_items > 2)", "purchased_items <= 2"),
        (
            "rfm LIKE '3%'",
            "rfm IN ('333', '332', '331', '323', '322', '321', '313', '312', '311')",
        ),
    ],
)
def test_one_way_to_say_it_equals_another(
    audience: Audience, known: Knowledge, eligibility: str, expected: str
) -> None:
    found = chosen(audience, known, eligibility)
    assert found == chosen(audience, known, expected)
    assert found


def test_one_customer_alone_is_judged_as_among_all(audience: Audience, known: Knowledge) -> None:
    texts = [
        "region = 'south'",
        "days_since_purchase < 1700",
        "'region=north' IN segments",
        "rfm IN ('333', '222')",
        "",
    ]
    conditions = Conditions.of([offer(text) for text in texts], known)
    together = conditions.hold(audience)
    for place, customer_id in enumerate(audience.customer_ids):
        offsets, rows = audience.states.offsets, audience.states.of(place)
        alone = type(audience.states)(
            np.array([0, offsets[place + 1] - offsets[place]]), rows, audience.states.scale
        )
        one = Audience([customer_id], alone, PastContacts.none(1), audience.query_time)
        np.testing.assert_array_equal(conditions.hold(one)[0], together[place])


def test_nothing_is_known_of_a_stranger(known: Knowledge, recommender: Recommender) -> None:
    states = recommender.resolver.states
    nobody = type(states)(np.array([0, 0, 0]), states.empty(), states.scale)
    strangers = Audience(
        [visitor_key("v"), CustomerId("")], nobody, PastContacts.none(2), int(NOW.timestamp())
    )
    assert chosen(strangers, known, "is_visitor") == {visitor_key("v")}
    assert chosen(strangers, known, "region = 'south' OR NOT (region = 'south')") == set()
    assert chosen(strangers, known, "purchases = 0 AND rfm IS NULL") == {visitor_key("v"), ""}


@pytest.mark.parametrize(
    "eligibility", ["income = 'high'", "price < 3", "purchases = 'two'", "drop table", "1 = 1"]
)
def test_what_cannot_be_asked_is_refused_with_its_place(
    audience: Audience, known: Knowledge, eligibility: str
) -> None:
    conditions = Conditions.of([offer("purchases > 0"), offer(eligibility)], known)
    assert conditions.refused[1].field == "eligibility"
    assert isinstance(conditions.refused[1], InvalidFilterError)
    assert not conditions.hold(audience)[:, 1].any()
    assert conditions.hold(audience)[:, 0].any()
