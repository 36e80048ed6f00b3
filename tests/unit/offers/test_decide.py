"""Which offers one customer may get, in which order."""

from datetime import UTC, datetime

import numpy as np
import pytest

from recsys.live.contact_limits import ContactCap, ContactLimits
from recsys.offers.affinity import RESPONSE, AffinityValues
from recsys.offers.book import OfferBook
from recsys.offers.decide import NoOffer, is_held_out, rank, to_candidate, to_caps
from recsys.offers.facts import Knowledge
from recsys.offers.offer import Offer
from recsys.offers.values import Audience, PastContacts, ValueBasis
from recsys.pipeline.recommender import Recommender

NOW = int(datetime(2030, 6, 1, tzinfo=UTC).timestamp())


def offer(offer_id: str, **more) -> Offer:
    return Offer.model_validate(
        {"offer_id": offer_id, "kind": "content", "channels": ["email"], **more}
    )


def audience(recommender: Recommender, customer_num: int) -> Audience:
    states = recommender.resolver.states
    rows = states.of(customer_num)
    alone = type(states)(np.array([0, len(rows.item_nums)]), rows, states.scale)
    name = recommender.resolver.customers.id(customer_num)
    return Audience([name], alone, PastContacts.none(1), NOW)


@pytest.fixture
def values(recommender: Recommender) -> AffinityValues:
    return AffinityValues.of(recommender.resolver.states, recommender.catalogue)


def ranked(recommender: Recommender, values: AffinityValues, *offers: Offer, **more):
    book = OfferBook.of(offers, Knowledge.of(recommender))
    asked = {"channel": "email", "min_value": 0.0, **more}
    found = rank(book, audience(recommender, 0), values, **asked)
    return found if isinstance(found, NoOffer) else [each.scoped.offer.offer_id for each in found]


def test_priority_comes_before_value_and_value_before_the_id(
    recommender: Recommender, values: AffinityValues
) -> None:
    found = ranked(
        recommender,
        values,
        offer("a", gain_per_redemption=1),
        offer("b", gain_per_redemption=5),
        offer("c", gain_per_redemption=5),
        offer("d", gain_per_redemption=0, priority=1),
    )
    assert found == ["d", "b", "c", "a"]


def test_only_offers_of_the_channel_and_the_time_count(
    recommender: Recommender, values: AffinityValues
) -> None:
    found = ranked(
        recommender,
        values,
        offer("web", channels=["web"]),
        offer("over", end_time="2030-06-01T00:00:00Z"),
        offer("soon", start_time="2030-06-01T00:00:01Z"),
        offer("now", start_time="2030-06-01T00:00:00Z"),
        offer("nothing", scope={"item_ids": ["not in the catalogue"]}),
        offer("nobody", eligibility="purchases > 1000"),
        offer("excluded"),
        excluded={"excluded"},
    )
    assert found == ["now"]


def test_it_says_why_there_is_none(recommender: Recommender, values: AffinityValues) -> None:
    assert ranked(recommender, values) is NoOffer.NOT_ELIGIBLE
    costly = offer("a", cost={"per_contact": 1.0}, budget=9, gain_per_redemption=1)
    assert ranked(recommender, values, costly) is NoOffer.BELOW_MIN_VALUE
    assert ranked(recommender, values, costly, min_value=-1.0) == ["a"]


def test_affinity_is_the_share_of_what_a_customer_wants(
    recommender: Recommender, values: AffinityValues
) -> None:
    states = recommender.resolver.states
    own = states.of(0).item_nums
    others = np.setdiff1d(np.arange(len(recommender.catalogue)), own)[: len(np.unique(own))]
    ids = recommender.catalogue.items.ids
    offers = OfferBook.of(
        [
            offer("basket"),
            offer("mine", scope={"item_ids": ids(np.unique(own).astype(np.int32))}),
            offer("others", scope={"item_ids": ids(others.astype(np.int32))}),
        ],
        Knowledge.of(recommender),
    ).offers
    worth = values.worth(audience(recommender, 0), offers)
    basket, mine, strange = worth.probability[0].tolist()
    assert basket == pytest.approx(RESPONSE)
    assert basket >= mine > strange > 0
    assert worth.basis == (ValueBasis.AFFINITY,) * 3
    everybody = recommender.resolver.customers.series().to_list()
    past = PastContacts.none(len(everybody))
    together = values.worth(Audience(everybody, states, past, NOW), offers)
    np.testing.assert_allclose(together.gain[0], worth.gain[0], rtol=1e-6)
    assert values.worth(
        Audience(
            [],
            type(states)(np.array([0]), states.empty(), states.scale),
            PastContacts.none(0),
            NOW,
        ),
        offers,
    ).gain.shape == (0, 3)
    assert values.worth(audience(recommender, 0), []).gain.shape == (1, 0)


def test_an_offer_brings_its_items_margin_unless_it_says_otherwise(
    recommender: Recommender, values: AffinityValues
) -> None:
    items = recommender.catalogue
    margin = items.frame["price"][0] - items.frame["cost"][0]
    scoped = OfferBook.of(
        [offer("a", scope={"item_ids": [items.items.id(0)]}), offer("b", gain_per_redemption=7)],
        Knowledge.of(recommender),
    ).offers
    assert values.margins.gains(scoped).tolist() == pytest.approx([margin, 7.0])


def test_hold_outs_are_a_share_and_stay_the_same() -> None:
    limits = ContactLimits(hold_out=0.2, hold_out_seed="spring")
    pairs = [(f"customer-{n}", f"offer-{n % 7}") for n in range(5_000)]
    drawn = [is_held_out(*pair, limits) for pair in pairs]
    assert drawn == [is_held_out(*pair, limits) for pair in pairs]
    assert 0.18 < np.mean(drawn) < 0.22
    other = ContactLimits(hold_out=0.2, hold_out_seed="summer")
    assert 0.02 < np.mean(np.array(drawn) & [is_held_out(*pair, other) for pair in pairs]) < 0.06
    assert not any(is_held_out(*pair, ContactLimits(hold_out=0)) for pair in pairs)


def test_the_ledger_is_asked_in_its_own_units(
    recommender: Recommender, values: AffinityValues
) -> None:
    costly = offer(
        "a", cost={"per_contact": 0.5, "per_redemption": 2}, budget=9, cooldown_days=1.5
    )
    book = OfferBook.of([costly], Knowledge.of(recommender))
    [found] = rank(book, audience(recommender, 0), values, channel="email", min_value=-9)
    candidate = to_candidate(found, "anna", ContactLimits(hold_out=0))
    assert candidate.cost == pytest.approx(500_000 + RESPONSE * 2_000_000, abs=2)
    assert (candidate.contact_cost, candidate.redemption_cost) == (500_000, 2_000_000)
    assert candidate.cooldown == 36 * 3_600_000_000
    caps = ContactLimits(caps=(ContactCap(channels=("email",), most=2, days=7),))
    assert to_caps(caps) == [(["email"], 2, 7 * 86_400_000_000)]
