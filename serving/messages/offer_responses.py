"""From what the ledger said to answers of the contract."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.offer_messages import to_message
from recsys.offers.decide import NoOffer
from recsys.offers.offer import Offer, from_micros
from recsys.offers.scopes import scoped
from recsys.offers.values import ScopedOffer, ValueBasis
from recsys.store.choosing import Chosen, Outcome
from recsys.store.contacts import Contact, ContactState, StoredOffer
from recsys.store.ledger import ALTERNATES
from recsys.v1 import offer_service_pb2 as pb
from serving.answering.offering import Judged, Offering
from serving.messages.lists import to_reason

WANTED_ITEMS = 10
_REASONS = {
    NoOffer.NOT_ELIGIBLE: pb.NO_OFFER_REASON_NOT_ELIGIBLE,
    NoOffer.BELOW_MIN_VALUE: pb.NO_OFFER_REASON_BELOW_MIN_VALUE,
    Outcome.CAPPED: pb.NO_OFFER_REASON_CAPPED,
    Outcome.SPENT: pb.NO_OFFER_REASON_SPENT,
    Outcome.NO_CONSENT: pb.NO_OFFER_REASON_NO_CONSENT,
    Outcome.HELD_OUT: pb.NO_OFFER_REASON_HOLD_OUT,
    Outcome.ERASED: pb.NO_OFFER_REASON_NOT_ELIGIBLE,
}
_BASES = {
    ValueBasis.UPLIFT.value: pb.VALUE_BASIS_UPLIFT,
    ValueBasis.PROPENSITY.value: pb.VALUE_BASIS_PROPENSITY,
    ValueBasis.AFFINITY.value: pb.VALUE_BASIS_AFFINITY,
}
_STATES = {state: pb.ContactState.Value(f"CONTACT_STATE_{state.name}") for state in ContactState}


@dataclass(frozen=True, slots=True)
class Figures:
    """What an offer was expected to be worth when it was chosen."""

    offer_id: str
    value: float
    probability: float
    cost: float


@dataclass(frozen=True, slots=True)
class NextOffer:
    """The answer to one request for an offer."""

    judged: Judged
    outcome: Outcome | NoOffer
    contact: Contact | None = None
    """What was recorded, or would have been."""
    dry_run: bool = False

    @classmethod
    def of(cls, judged: Judged, chosen: Chosen, *, dry_run: bool = False) -> "NextOffer":
        """Returns the answer of the ledger."""
        return cls(judged, chosen.outcome, chosen.contact, dry_run)

    def figures(self) -> list[Figures]:
        """Returns the offer that is given, and its alternates; none where nothing is."""
        contact = self.contact
        if contact is None or self.outcome is not Outcome.GIVEN:
            return []
        others = json.loads(contact.answer).get(ALTERNATES, ())
        cost = contact.contact_cost + contact.probability * contact.redemption_cost
        best = Figures(
            contact.offer_id, contact.value, contact.probability, from_micros(int(cost))
        )
        named = [
            Figures(offer_id, value, probability, from_micros(micros))
            for offer_id, value, probability, micros in others
        ]
        return [best, *named]


def to_response(
    answer: NextOffer, offering: Offering, request_id: str, token: str
) -> pb.NextBestOfferResponse:
    """Returns what a caller is told."""
    response = pb.NextBestOfferResponse(
        request_id=request_id,
        bundle_version=offering.recommender.bundle_version,
        attribution_token=token,
        values_version=offering.values_version,
    )
    figures = answer.figures()
    if not figures:
        response.no_offer_reason = _REASONS[answer.outcome]
        return response
    contact = answer.contact
    choices = to_choices(figures, answer.judged, offering)
    response.send = True
    response.best.CopyFrom(choices[0])
    response.alternates.extend(choices[1:])
    if contact is not None:
        response.value_basis = _BASES[contact.basis]
        response.values_version = contact.values_version
        response.contact_id = "" if answer.dry_run else contact.contact_id
    return response


def to_state(stored: StoredOffer) -> pb.OfferState:
    """Returns an offer and what is left of it."""
    offer = Offer.model_validate_json(stored.content)
    state = pb.OfferState(
        offer=to_message(offer),
        contact_count=stored.contact_count,
        redemption_count=stored.redemption_count,
    )
    if stored.voucher_stock is not None:
        state.vouchers_left = max(0, stored.voucher_stock - stored.vouchers_taken)
    if stored.budget is not None:
        state.budget_left = from_micros(max(0, stored.budget - stored.spent))
    return state


def to_contact(contact: Contact) -> pb.Contact:
    """Returns a contact; one of a customer who was held out names no offer."""
    choose_time = Timestamp()
    choose_time.FromMicroseconds(contact.choose_time)
    return pb.Contact(
        contact_id=contact.contact_id,
        offer_id="" if contact.held_out else contact.offer_id,
        channel=contact.channel,
        choose_time=choose_time,
        state=_STATES[contact.state],
        plan_id=contact.plan_id,
    )


def to_choices(
    figures: Sequence[Figures], judged: Judged, offering: Offering
) -> list[pb.OfferChoice]:
    """Returns offers with what they were expected to be worth, and the items to show."""
    offers = _offers(figures, offering)
    wanted = offering.wanted(judged.known, offers, WANTED_ITEMS)
    return [
        pb.OfferChoice(
            offer=to_message(each.offer),
            expected_value=figure.value,
            probability=figure.probability,
            expected_cost=figure.cost,
            reasons=map(to_reason, reasons),
            item_ids=item_ids,
        )
        for figure, each, (item_ids, reasons) in zip(figures, offers, wanted, strict=True)
    ]


def _offers(figures: Sequence[Figures], offering: Offering) -> list[ScopedOffer]:
    """Returns the offers; of one that was removed since it was given, what is on record."""
    book = () if offering.desk is None else offering.desk.book.offers
    there = {each.offer.offer_id: each for each in book}
    gone = [each.offer_id for each in figures if each.offer_id not in there]
    for offer_id, stored in offering.offers.of(gone).items():
        offer = Offer.model_validate_json(stored.content)
        there[offer_id] = scoped(offer, offering.recommender.catalogue)
    return [there[each.offer_id] for each in figures]
