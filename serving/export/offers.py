"""The offer beside a customer's list: the next best one, or that of a plan."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from recsys.errors import ConfigError
from recsys.live.attribution import Shown
from recsys.offers.offer import Offer
from recsys.store.contacts import Contact, ContactState
from recsys.store.offers import Offers
from recsys.store.plans import PlanNote, Plans
from recsys.store.store import Store
from recsys.types import CustomerId
from serving.answering.attribution import Attribution
from serving.answering.offering import PLACEMENT, Offering, OfferQuery
from serving.answering.plan_tokens import plan_token
from serving.export.job import Job
from serving.export.offline import Desk

ALTERNATES = 0
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
"""Of the offer in a row; `attributes` is JSON text."""


class Giver(Protocol):
    """Says what a customer is offered; asked again it says the same."""

    def of(self, customer_id: CustomerId) -> dict[str, Any] | None:
        """Returns `COLUMNS` of a customer's offer, None: there is none.

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
    known = Titles(Offers(store))
    if wish.plan:
        note = Plans(store).find(wish.plan)
        if note is None:
            raise ConfigError(f"plan: there is no finished plan {wish.plan!r}")
        channels = desk.snapshot.arrangement.deployment.contacts.email_channels
        return Planned(note, tuple(channels), Plans(store), known, desk.attribution)
    if desk.snapshot.offers is None:
        raise ConfigError("offers: there are none in the store")
    return NextBest(job, desk, known, clock)


class Titles:
    """Says what offers are, each looked up once."""

    def __init__(self, offers: Offers) -> None:
        """Takes where offers lie."""
        self.offers = offers
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
        told = offer.model_dump_json(include={"attributes"})
        return {
            "offer_id": offer_id,
            "title": offer.title,
            "kind": str(offer.kind),
            "discount": offer.discount,
            "end_time": None if offer.end_time is None else offer.end_time.isoformat(),
            "attributes": told[len('{"attributes":') : -1],
            "channel": contact.channel,
            "contact_id": contact.contact_id,
            "attribution_token": token,
            "probability": contact.probability,
            "value": contact.value,
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

    def of(self, customer_id: CustomerId) -> dict[str, Any] | None:
        """Returns the planned offer; none where it was cancelled or the customer is held out."""
        for channel in self.channels:
            planned = self.plans.planned(self.note.plan_id, customer_id, channel)
            if planned is not None:
                contact = self.plans.current(planned)
                if contact.held_out or contact.state is ContactState.CANCELLED:
                    return None
                return self.titles.row(contact, plan_token(contact, self.note, self.attribution))
        return None


@dataclass(frozen=True, slots=True)
class NextBest:
    """Chooses the next best offer and takes what it takes, as `NextBestOffer` does."""

    job: Job
    desk: Desk
    titles: Titles
    clock: Callable[[], float]

    def of(self, customer_id: CustomerId) -> dict[str, Any] | None:
        """Returns what the customer gets; a contact that is there already is the answer."""
        request_id = self.job.request_id(f"offer\0{customer_id}")
        offers, now = self.titles.offers, self.clock()
        contact = offers.contact(request_id)
        if contact is None:
            contact = self._chosen(customer_id, request_id, now)
        if contact is None or contact.held_out:
            return None
        bundle = self.desk.snapshot.recommender.bundle_version
        shown = Shown(request_id, PLACEMENT, bundle, "", "", int(now * 1_000))
        return self.titles.row(contact, self.desk.attribution.token(shown))

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
