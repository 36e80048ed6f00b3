"""What an offer may say."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from recsys.offers.offer import Offer, OfferCost, OfferScope, from_micros, to_micros

PLAIN = {"offer_id": "o", "kind": "content", "channels": ["email"]}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kind": "percent"}, "discount: must be above 0"),
        ({"kind": "percent", "discount": 101}, "above 100"),
        ({"discount": 1}, "content has none"),
        ({"cost": {"per_contact": 0.1}}, "budget: is needed"),
        ({"start_time": "2026-02-01T00:00:00Z", "end_time": "2026-02-01T00:00:00Z"}, "end_time"),
        ({"channels": []}, "channels"),
        ({"channels": ["email", "email"]}, "stands twice"),
        ({"channels": ["E mail"]}, "channels"),
        ({"scope": {"item_ids": ["a"], "category": ["b"]}}, "not both"),
        ({"scope": {"item_ids": ["a", "a"]}}, "stands twice"),
        ({"offer_id": "a\nb"}, "offer_id"),
        ({"offer_id": "x" * 65}, "offer_id"),
        ({"voucher_stock": -1}, "voucher_stock"),
        ({"budget": float("nan")}, "budget"),
        ({"priority": 1_001}, "priority"),
        ({"cooldown_days": -1}, "cooldown_days"),
        ({"discout": 1}, "discout"),
        ({"start_time": "2026-02-01T00:00:00"}, "start_time"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Offer.model_validate({**PLAIN, **changes})


def test_an_offer_survives_its_json() -> None:
    offer = Offer.model_validate(
        {
            **PLAIN,
            "kind": "percent",
            "discount": 10,
            "cost": {"per_redemption": 0.5},
            "budget": 100,
            "scope": {"category": ["Grocery", "Tea"]},
            "start_time": "2026-02-01T00:00:00Z",
            "end_time": "2026-03-01T00:00:00+01:00",
            "attributes": {"link": "https://shop.example/tea", "texts": ["a", "b"]},
        }
    )
    assert Offer.model_validate_json(offer.model_dump_json()) == offer


def test_an_offer_is_valid_from_its_start_until_its_end() -> None:
    start, end = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    offer = Offer.model_validate({**PLAIN, "start_time": start, "end_time": end})
    first, last = int(start.timestamp()), int(end.timestamp())
    assert [offer.is_valid_at(at) for at in (first - 1, first, last - 1, last)] == [
        False,
        True,
        True,
        False,
    ]


def test_costs_are_expected_by_the_probability() -> None:
    assert OfferCost(per_contact=0.1, per_redemption=2.0).expected(0.25) == pytest.approx(0.6)
    assert OfferCost().is_free
    assert OfferScope().is_basket


def test_money_is_rounded_up_to_millionths() -> None:
    assert to_micros(0.1) == 100_000
    assert to_micros(1e-12) == 0
    assert to_micros(0.000_000_1) == 1
    assert to_micros(0.1 + 0.2) == 300_000
    assert from_micros(to_micros(12.34)) == 12.34
