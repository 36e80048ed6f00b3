"""From offers to a ranked list of those that one customer may get and that are worth it."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from recsys.data.plain_numbers import NARROW_DIGITS, money, plain
from recsys.live.contact_limits import ContactLimits
from recsys.live.experiments import uniform
from recsys.offers.book import OfferBook
from recsys.offers.offer import MICROS, to_micros
from recsys.offers.values import Audience, OfferValues, ScopedOffer, ValueBasis
from recsys.store.choosing import Candidate
from recsys.store.contacts import Cap
from recsys.types import DAY_S

_HELD_OUT = "offer-hold-out"


class NoOffer(StrEnum):
    """Why no offer is worth asking the ledger for."""

    NOT_ELIGIBLE = "not-eligible"
    BELOW_MIN_VALUE = "below-min-value"


class Ranked(NamedTuple):
    """An offer that a customer may get."""

    scoped: ScopedOffer
    value: float
    """Expected, costs taken off, in the shop's currency."""
    probability: float
    cost: float
    """Expected."""
    basis: ValueBasis


def rank(
    book: OfferBook,
    audience: Audience,
    values: OfferValues,
    *,
    channel: str,
    min_value: float,
    excluded: Collection[str] = (),
) -> list[Ranked] | NoOffer:
    """Returns what one customer may get by a channel: by priority, then by value, best first.

    Args:
        book: all offers.
        audience: of the one customer; its time decides which offers are valid.
        values: say what offers are worth.
        channel: by which it is given.
        min_value: an offer of less value is left out.
        excluded: ids of offers that are left out.
    """
    held = book.conditions.hold(audience)[0]
    places = [
        place
        for place in book.open_places(channel, audience.query_time)
        if held[place] and book.offers[place].offer.offer_id not in excluded
    ]
    if not places:
        return NoOffer.NOT_ELIGIBLE
    ranked = judged([book.offers[place] for place in places], audience, values)
    ranked = [each for each in ranked if each.value >= min_value]
    return ranked or NoOffer.BELOW_MIN_VALUE


def judged(offers: Sequence[ScopedOffer], audience: Audience, values: OfferValues) -> list[Ranked]:
    """Returns offers with what they are worth to one customer, best first."""
    worth = values.worth(audience, offers)
    value, cost = worth.values(offers)[0], worth.expected_costs(offers)[0]
    ranked = [
        Ranked(
            each,
            float(value[place]),
            float(worth.probability[0, place]),
            float(cost[place]),
            basis,
        )
        for place, (each, basis) in enumerate(zip(offers, worth.basis, strict=True))
    ]
    return sorted(
        ranked,
        key=lambda each: (-each.scoped.offer.priority, -each.value, each.scoped.offer.offer_id),
    )


def to_candidate(ranked: Ranked, customer_id: str, limits: ContactLimits) -> Candidate:
    """Returns what the ledger is asked for, and whether the customer is held out of it."""
    offer = ranked.scoped.offer
    return Candidate(
        offer_id=offer.offer_id,
        cost=to_micros(ranked.cost),
        contact_cost=to_micros(offer.cost.per_contact),
        redemption_cost=to_micros(offer.cost.per_redemption),
        cooldown=int(offer.cooldown_days * DAY_S * MICROS),
        held_out=is_held_out(customer_id, offer.offer_id, limits),
        probability=plain(ranked.probability, NARROW_DIGITS),
        value=money(ranked.value),
        basis=ranked.basis.value,
    )


def is_held_out(customer_id: str, offer_id: str, limits: ContactLimits) -> bool:
    """Says whether a customer gets nothing in an offer's place: always the same answer.

    Each customer is drawn anew for each offer, so that nobody is without all of them for ever.
    """
    subject = f"{offer_id}\n{customer_id}"
    return uniform(limits.hold_out_seed, _HELD_OUT, subject) < limits.hold_out


def to_caps(limits: ContactLimits) -> list[Cap]:
    """Returns the caps as the ledger counts them."""
    return [
        Cap(list(cap.channels), cap.most, int(cap.days * DAY_S * MICROS)) for cap in limits.caps
    ]
