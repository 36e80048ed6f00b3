"""The offer beside a customer's list: the next best one, or that of a plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from json import dumps
from typing import Any, NamedTuple, Protocol

import polars as pl

from recsys.data.plain_numbers import NARROW_DIGITS, json_value, money, plain
from recsys.errors import ConfigError
from recsys.live.attribution import Shown
from recsys.offers.attributes import AttributeKind, attribute_columns, kinds_of
from recsys.offers.offer import Offer
from recsys.store.contacts import Contact, ContactState
from recsys.store.offers import Offers
from recsys.store.plans import PlanNote, Plans
from recsys.store.store import Store
from recsys.types import CustomerId
from serving.answering.attribution import Attribution
from serving.answering.offering import PLACEMENT, Offering, OfferQuery
from serving.answering.plan_tokens import plan_token
from serving.export.job import Job, Wish
from serving.export.offline import Desk

ALTERNATES = 0


class Assignment(StrEnum):
    """On which side of a campaign a customer is."""

    OFFER = "offer"
    HELD_OUT = "held-out"
    """Drawn to get nothing, to learn what the offer brings."""
    NONE = "none"
    """There was no offer to give."""


COLUMNS: Mapping[str, pl.DataType] = {
    "offer_id": pl.String(),
    "title": pl.String(),
    "kind": pl.String(),
    "discount": pl.Float64(),
    "end_time": pl.String(),
    "attributes": pl.String(),
    "channel": pl.String(),
    "contact_id": pl.String(),
    "attribution_token": pl.String(),
    "probability": pl.Float64(),
    "value": pl.Float64(),
}
"""Of the offer in a row; `attributes` is JSON text, and each of them a column besides."""


class Given(NamedTuple):
    """What a customer is offered."""

    columns: dict[str, Any] | None = None
    """`COLUMNS` and those of attributes; None: there is no offer."""
    held_out: Contact | None = None
    """Of whom gets nothing in an offer's place: the ledger's row."""

    @property
    def assignment(self) -> Assignment:
        """Returns on which side of the campaign the customer is."""
        if self.held_out is not None:
            return Assignment.HELD_OUT
        return Assignment.NONE if self.columns is None else Assignment.OFFER


class Giver(Protocol):
    """Says what a customer is offered; asked again it says the same."""

    def of(self, customer_id: CustomerId) -> Given:
        """Returns a customer's offer.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        ...


def giver(
    job: Job, desk: Desk, store: Store | None, clock: Callable[[], float] = time.time
) -> Giver | None:
    """Returns who gives the offers of an export, None where none are wished.

    Raises:
        ConfigError: there is no such plan, or no offer at all.
    """
    wish = job.wish
    if not (wish.offers or wish.plan):
        return None
    if store is None:
        raise ConfigError("offers and plans lie in a store: --store URL")
    known = Titles(Offers(store), job.attributes)
    if wish.plan:
        note = Plans(store).find(wish.plan)
        if note is None:
            raise ConfigError(f"plan: there is no finished plan {wish.plan!r}")
        channels = desk.snapshot.arrangement.deployment.contacts.email_channels
        return Planned(note, tuple(channels), Plans(store), known, desk.attribution)
    if desk.snapshot.offers is None:
        raise ConfigError("offers: there are none in the store")
    return NextBest(job, desk, known, clock)


def attributes_of(wish: Wish, store: Store | None) -> dict[str, AttributeKind]:
    """Returns the attributes of the offers that an export may have, as of now."""
    if store is None or not (wish.offers or wish.plan):
        return {}
    offers = [Offer.model_validate_json(each.content) for each in Offers(store).all()]
    return kinds_of(each for each in offers if not wish.offers or wish.offers in each.channels)


class Titles:
    """Says what offers are, each looked up once."""

    def __init__(self, offers: Offers, attributes: Mapping[str, AttributeKind]) -> None:
        """Takes where offers lie, and which of their attributes have a column."""
        self.offers = offers
        self._attributes = attributes
        self._known: dict[str, Offer | None] = {}

    def row(self, contact: Contact, token: str) -> dict[str, Any] | None:
        """Returns the columns of a contact; None where its offer is there no more."""
        offer_id = contact.offer_id
        if offer_id not in self._known:
            stored = self.offers.of([offer_id]).get(offer_id)
            there = stored is not None and not stored.removed
            self._known[offer_id] = (
                Offer.model_validate_json(stored.content) if stored and there else None
            )
        offer = self._known[offer_id]
        if offer is None:
            return None
        return {
            "offer_id": offer_id,
            "title": offer.title,
            "kind": str(offer.kind),
            "discount": money(offer.discount),
            "end_time": None if offer.end_time is None else offer.end_time.isoformat(),
            "attributes": _compact(offer.attributes),
            "channel": contact.channel,
            "contact_id": contact.contact_id,
            "attribution_token": token,
            "probability": plain(contact.probability, NARROW_DIGITS),
            "value": money(contact.value),
            **attribute_columns(offer, self._attributes),
        }


@dataclass(frozen=True, slots=True)
class Planned:
    """Gives what a plan says, or what stands in its place by now."""

    note: PlanNote
    channels: tuple[str, ...]
    """Those that need consent to email, the first one that something is planned on counts."""
    plans: Plans
    titles: Titles
    attribution: Attribution

    def of(self, customer_id: CustomerId) -> Given:
        """Returns the planned offer; none where it was cancelled."""
        for channel in self.channels:
            planned = self.plans.planned(self.note.plan_id, customer_id, channel)
            if planned is not None:
                contact = self.plans.current(planned)
                if contact.held_out:
                    return Given(held_out=contact)
                if contact.state is ContactState.CANCELLED:
                    return Given()
                token = plan_token(contact, self.note, self.attribution)
                return Given(self.titles.row(contact, token))
        return Given()


@dataclass(frozen=True, slots=True)
class NextBest:
    """Chooses the next best offer and takes what it takes, as `NextBestOffer` does."""

    job: Job
    desk: Desk
    titles: Titles
    clock: Callable[[], float]

    def of(self, customer_id: CustomerId) -> Given:
        """Returns what the customer gets; a contact that is there already is the answer."""
        request_id = self.job.request_id(f"offer\0{customer_id}")
        offers, now = self.titles.offers, self.clock()
        contact = offers.contact(request_id)
        if contact is None:
            contact = self._chosen(customer_id, request_id, now)
        if contact is None:
            return Given()
        if contact.held_out:
            return Given(held_out=contact)
        bundle = self.desk.snapshot.recommender.bundle_version
        shown = Shown(request_id, PLACEMENT, bundle, "", "", int(now * 1_000))
        return Given(self.titles.row(contact, self.desk.attribution.token(shown)))

    def _chosen(self, customer_id: CustomerId, request_id: str, now: float) -> Contact | None:
        offering = Offering(self.desk.snapshot, self.desk.state, self.titles.offers, now)
        query = OfferQuery(customer_id, self.job.wish.offers, self.job.query_time)
        judged = offering.judged(query)
        if judged.known.consent_refused or isinstance(judged.found, str):
            return None
        choosing = offering.choosing(
            judged,
            query,
            contact_id=request_id,
            time=int(now * 1_000_000),
            alternates=ALTERNATES,
        )
        return offering.offers.give(choosing).contact


def _compact(attributes: Mapping[str, Any]) -> str:
    return dumps(json_value(attributes), ensure_ascii=False, separators=(",", ":"))
