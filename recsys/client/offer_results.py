"""What calls on offers and contacts answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from recsys.client.offer_messages import to_offers
from recsys.offers.offer import Offer
from recsys.offers.values import ValueBasis
from recsys.pipeline.query import Reason
from recsys.store.contacts import ContactState
from recsys.types import ItemId
from recsys.v1 import offer_service_pb2 as pb

_BASES: Mapping[int, ValueBasis] = {
    pb.VALUE_BASIS_UPLIFT: ValueBasis.UPLIFT,
    pb.VALUE_BASIS_PROPENSITY: ValueBasis.PROPENSITY,
    pb.VALUE_BASIS_AFFINITY: ValueBasis.AFFINITY,
}


class UpsertedOffers(NamedTuple):
    """What became of offers."""

    created: int
    replaced: int


@dataclass(frozen=True, slots=True)
class OfferState:
    """An offer and what is left of it."""

    offer: Offer
    vouchers_left: int | None
    """None: any number."""
    budget_left: float | None
    """None: the offer has no budget."""
    contact_count: int
    redemption_count: int


@dataclass(frozen=True, slots=True)
class OfferChoice:
    """An offer and what it is worth for one customer."""

    offer: Offer
    expected_value: float
    """Its cost taken off, in the shop's currency."""
    probability: float
    """That the customer redeems it."""
    expected_cost: float
    reasons: tuple[Reason, ...]
    item_ids: tuple[ItemId, ...]
    """Items of the offer that the customer is most likely to want, best first."""


@dataclass(frozen=True, slots=True)
class NextOffer:
    """The answer to one request for an offer."""

    best: OfferChoice | None
    """None: send nothing, `no_offer_reason` says why."""
    alternates: tuple[OfferChoice, ...]
    no_offer_reason: str
    """`not-eligible`, `capped`, `spent`, `below-min-value`, `no-consent` or `hold-out`; empty
    where there is an offer."""
    contact_id: str
    """For `record_contacts`; empty where none was recorded."""
    attribution_token: str
    """Echo it in the events that follow."""
    request_id: str
    value_basis: ValueBasis | None
    bundle_version: str
    values_version: str


class RecordedContacts(NamedTuple):
    """What was done with updates."""

    recorded: int
    duplicates: int
    """Updates that changed nothing."""
    missing: tuple[str, ...]
    """Contacts that are not known."""


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """One contact of a customer."""

    contact_id: str
    offer_id: str
    """Empty: the customer was held out."""
    channel: str
    choose_time: datetime
    state: ContactState
    plan_id: str
    """Empty: of no plan."""


def to_choice(message: pb.OfferChoice) -> OfferChoice:
    """Returns an offer and what it is worth."""
    return OfferChoice(
        offer=_offer(message.offer),
        expected_value=message.expected_value,
        probability=message.probability,
        expected_cost=message.expected_cost,
        reasons=tuple(
            Reason(
                each.code,
                tuple(map(ItemId, each.item_ids)),
                each.count,
                each.date.seconds if each.HasField("date") else None,
                each.label,
            )
            for each in message.reasons
        ),
        item_ids=tuple(map(ItemId, message.item_ids)),
    )


def to_recorded(done: pb.RecordContactsResponse) -> RecordedContacts:
    """Returns what was done with updates."""
    return RecordedContacts(
        done.recorded_count, done.duplicate_count, tuple(done.missing_contact_ids)
    )


def to_next_offer(answer: pb.NextBestOfferResponse) -> NextOffer:
    """Returns the answer to one request for an offer."""
    reason = pb.NoOfferReason.Name(answer.no_offer_reason).removeprefix("NO_OFFER_REASON_")
    return NextOffer(
        best=to_choice(answer.best) if answer.send else None,
        alternates=tuple(map(to_choice, answer.alternates)),
        no_offer_reason="" if answer.send else reason.lower().replace("_", "-"),
        contact_id=answer.contact_id,
        attribution_token=answer.attribution_token,
        request_id=answer.request_id,
        value_basis=_BASES.get(answer.value_basis),
        bundle_version=answer.bundle_version,
        values_version=answer.values_version,
    )


def to_state(message: pb.OfferState) -> OfferState:
    """Returns an offer and what is left of it."""
    return OfferState(
        offer=_offer(message.offer),
        vouchers_left=message.vouchers_left if message.HasField("vouchers_left") else None,
        budget_left=message.budget_left if message.HasField("budget_left") else None,
        contact_count=message.contact_count,
        redemption_count=message.redemption_count,
    )


def to_contact(message: pb.Contact) -> CustomerContact:
    """Returns one contact of a customer."""
    name = pb.ContactState.Name(message.state).removeprefix("CONTACT_STATE_")
    return CustomerContact(
        contact_id=message.contact_id,
        offer_id=message.offer_id,
        channel=message.channel,
        choose_time=message.choose_time.ToDatetime(UTC),
        state=ContactState(name.lower()),
        plan_id=message.plan_id,
    )


def _offer(message: pb.Offer) -> Offer:
    [offer] = to_offers([message], "offer")
    return offer
