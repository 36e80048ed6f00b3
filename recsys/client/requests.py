"""From keyword arguments to requests of the contract."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Literal, TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.times import to_timestamp
from recsys.pipeline.query import RecentEvent
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.event_pb2 import Event

BATCH_SIZE = 10_000
"""Customers per RecommendBatch call, the most that the contract allows."""


Purpose = Literal["on-site", "email"]
_PURPOSES: "dict[Purpose, pb.Purpose.ValueType]" = {
    "on-site": pb.PURPOSE_ON_SITE,
    "email": pb.PURPOSE_EMAIL,
}


class ListSettings(TypedDict, total=False):
    """Keyword arguments with which any list may be asked for."""

    limit: int
    """Items wanted; by default 10, at most 500."""
    filter: str
    """SQL boolean expression over catalogue columns, such as `price < 50`."""
    exclude_item_ids: Sequence[str]
    """Items that must not be in the list, up to 10,000."""
    market: str
    """The market whose availability and price count."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now, by the server's clock."""
    item_fields: Sequence[str]
    """Catalogue columns to return with each item."""
    purpose: Purpose
    """What the list is used for, by default on site; the customer's consent to it counts."""


class ContextSettings(ListSettings, total=False):
    """Keyword arguments with which one list may be asked for."""

    customer_id: str
    """The customer; with neither customer nor visitor the list is for nobody in particular."""
    visitor_id: str
    """The visitor who has not logged in; not together with `customer_id`."""
    context_item_ids: Sequence[str]
    """What the page is about: the product shown, the contents of the cart; up to 100."""
    events: Sequence[RecentEvent]
    """What the customer or visitor did lately; up to 500."""


def recommend_request(placement: str, settings: ContextSettings) -> pb.RecommendRequest:
    """Returns the request for one list."""
    return pb.RecommendRequest(
        placement=placement,
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        context_item_ids=settings.get("context_item_ids", ()),
        events=[_event(event) for event in settings.get("events", ())],
        filter=settings.get("filter", ""),
        exclude_item_ids=settings.get("exclude_item_ids", ()),
        page_size=settings.get("limit", 0),
        market=settings.get("market", ""),
        query_time=_timestamp(settings.get("query_time")),
        item_fields=settings.get("item_fields", ()),
        purpose=_PURPOSES[settings.get("purpose", "on-site")],
    )


def batch_requests(
    placement: str, customer_ids: Iterable[str], settings: ListSettings
) -> Iterator[pb.RecommendBatchRequest]:
    """Yields the requests for the lists of any number of customers, made as they are needed."""
    remaining = iter(customer_ids)
    while part := list(islice(remaining, BATCH_SIZE)):
        yield pb.RecommendBatchRequest(
            customer_ids=part,
            placement=placement,
            filter=settings.get("filter", ""),
            exclude_item_ids=settings.get("exclude_item_ids", ()),
            page_size=settings.get("limit", 0),
            market=settings.get("market", ""),
            query_time=_timestamp(settings.get("query_time")),
            item_fields=settings.get("item_fields", ()),
            purpose=_PURPOSES[settings.get("purpose", "on-site")],
        )


def _event(event: RecentEvent) -> Event:
    return Event(
        item_id=event.item_id,
        event_type=event.event_type.value,
        event_time=Timestamp(seconds=event.event_time),
    )


def _timestamp(time: datetime | None) -> Timestamp | None:
    return None if time is None else to_timestamp(time, "query_time")
