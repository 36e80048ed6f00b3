"""What offers are asked with, and what is sent for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from recsys.client.checks import (
    Check,
    checked,
    count,
    elements,
    flag,
    instance,
    name_text,
    number,
    one_of,
    text,
    texts,
    time,
)
from recsys.client.keywords import names_keywords
from recsys.client.offer_messages import to_message
from recsys.client.recent_events import recent_events, to_events
from recsys.client.times import to_timestamp
from recsys.offers.offer import Offer
from recsys.pipeline.query import RecentEvent
from recsys.store.contacts import ContactState
from recsys.v1 import offer_service_pb2 as pb

_STATES: "Mapping[ContactState, pb.ContactState.ValueType]" = {
    state: pb.ContactState.Value(f"CONTACT_STATE_{state.name}") for state in ContactState
}


@names_keywords
@dataclass(frozen=True, slots=True)
class ContactUpdate:
    """Something that became of a contact."""

    contact_id: str
    state: ContactState
    event_time: datetime | None = None
    """None: now."""
    cost: float | None = None
    """What a redemption really cost; None: what the offer says."""


class OfferSettings(TypedDict, total=False):
    """Keyword arguments with which an offer may be asked for."""

    customer_id: str
    """The customer; needed where no visitor is given."""
    visitor_id: str
    """The visitor who has not logged in."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now."""
    events: Sequence[RecentEvent]
    """What the customer did lately; up to 500."""
    exclude_offer_ids: Sequence[str]
    """Offers that must not be given; up to 1,000."""
    limit: int
    """Alternates wanted beside the best; by default 3, at most 50."""
    dry_run: bool
    """Answers without recording anything."""
    request_id: str
    """32 hexadecimal digits: a call that is repeated with it takes nothing again."""
    min_value: float
    """Least expected value that is worth a contact; by default as the deployment file says."""


OFFER_CHECKS: Mapping[str, Check] = {
    "customer_id": text,
    "visitor_id": text,
    "query_time": time,
    "events": recent_events,
    "exclude_offer_ids": texts,
    "limit": count,
    "dry_run": flag,
    "request_id": text,
    "min_value": number,
}


def upsert_request(offers: Iterable[Offer]) -> pb.UpsertOffersRequest:
    """Returns the message that creates or replaces offers."""
    found = elements("offers", offers, "Offer")
    for place, offer in enumerate(found):
        instance(f"offers[{place}]", offer, Offer, ".model_validate(...)")
    return pb.UpsertOffersRequest(offers=map(to_message, found))


def next_request(channel: str, settings: OfferSettings) -> pb.NextBestOfferRequest:
    """Returns the message that asks for the best offer."""
    settings = checked(settings, OFFER_CHECKS)
    request = pb.NextBestOfferRequest(
        channel=name_text("channel", channel),
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        exclude_offer_ids=settings.get("exclude_offer_ids", ()),
        page_size=settings.get("limit", 0),
        dry_run=settings.get("dry_run", False),
        request_id=settings.get("request_id", ""),
        min_value=settings.get("min_value"),
        events=to_events(settings.get("events", ())),
    )
    moment = settings.get("query_time")
    if moment is not None:
        request.query_time.CopyFrom(to_timestamp(moment, "query_time"))
    return request


def record_request(updates: Iterable[ContactUpdate]) -> pb.RecordContactsRequest:
    """Returns the message that says what became of contacts."""
    found = elements("updates", updates, "ContactUpdate")
    return pb.RecordContactsRequest(
        updates=[_update(f"updates[{place}]", each) for place, each in enumerate(found)]
    )


def _update(path: str, value: ContactUpdate) -> pb.ContactUpdate:
    update: ContactUpdate = instance(path, value, ContactUpdate, "(**...)")
    moment = update.event_time
    state = one_of(_STATES)(f"{path}.state", update.state)
    return pb.ContactUpdate(
        contact_id=name_text(f"{path}.contact_id", update.contact_id),
        state=_STATES[ContactState(state)],
        event_time=None if moment is None else to_timestamp(moment, f"{path}.event_time"),
        cost=None if update.cost is None else number(f"{path}.cost", update.cost),
    )
