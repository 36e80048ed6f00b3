"""What offers are asked with, and what is sent for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.offer_messages import to_message
from recsys.client.times import to_timestamp
from recsys.offers.offer import Offer
from recsys.pipeline.query import RecentEvent
from recsys.store.contacts import ContactState
from recsys.v1 import offer_service_pb2 as pb
from recsys.v1.event_pb2 import Event

_STATES: "Mapping[ContactState, pb.ContactState.ValueType]" = {
    state: pb.ContactState.Value(f"CONTACT_STATE_{state.name}") for state in ContactState
}


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


def upsert_request(offers: Iterable[Offer]) -> pb.UpsertOffersRequest:
    """Returns the message that creates or replaces offers."""
    return pb.UpsertOffersRequest(offers=map(to_message, offers))


def next_request(channel: str, settings: OfferSettings) -> pb.NextBestOfferRequest:
    """Returns the message that asks for the best offer."""
    request = pb.NextBestOfferRequest(
        channel=channel,
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        exclude_offer_ids=settings.get("exclude_offer_ids", ()),
        page_size=settings.get("limit", 0),
        dry_run=settings.get("dry_run", False),
        request_id=settings.get("request_id", ""),
        min_value=settings.get("min_value"),
        events=[
            Event(
                item_id=event.item_id,
                event_type=event.event_type.value,
                event_time=Timestamp(seconds=event.event_time),
            )
            for event in settings.get("events", ())
        ],
    )
    time = settings.get("query_time")
    if time is not None:
        request.query_time.CopyFrom(to_timestamp(time, "query_time"))
    return request


def record_request(updates: Iterable[ContactUpdate]) -> pb.RecordContactsRequest:
    """Returns the message that says what became of contacts."""
    return pb.RecordContactsRequest(
        updates=[
            pb.ContactUpdate(
                contact_id=each.contact_id,
                state=_STATES[each.state],
                event_time=None
                if each.event_time is None
                else to_timestamp(each.event_time, "event_time"),
                cost=each.cost,
            )
            for each in updates
        ]
    )
