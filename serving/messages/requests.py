"""From requests of the contract to queries of the library."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from recsys.data.event_names import usual_event_type
from recsys.errors import InvalidQueryError
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import CustomerId, ItemId, visitor_key
from recsys.v1.event_pb2 import Event
from recsys.v1.offer_service_pb2 import NextBestOfferRequest
from recsys.v1.recommendation_service_pb2 import (
    PURPOSE_EMAIL,
    PURPOSE_ON_SITE,
    PURPOSE_UNSPECIFIED,
    RankItemsRequest,
    RecommendBatchRequest,
    RecommendCustomersRequest,
    RecommendLabelsRequest,
    RecommendPageRequest,
    RecommendRequest,
)
from serving.messages.limits import (
    MAX_BATCH_CUSTOMERS,
    MAX_CONTEXT_ITEMS,
    MAX_EVENTS,
    MAX_EXCLUDED_ITEMS,
    MAX_TYPE_BYTES,
    applied_page_size,
    check_count,
    checked_customer_id,
    checked_item_ids,
    checked_text,
    unix_seconds,
)
from serving.messages.rule_requests import tuned
from serving.state.live_state import Purpose

ReaderRequest: TypeAlias = (
    RecommendRequest
    | RecommendPageRequest
    | RankItemsRequest
    | RecommendLabelsRequest
    | NextBestOfferRequest
)
"""Requests for one customer or visitor."""
TimedRequest: TypeAlias = ReaderRequest | RecommendBatchRequest | RecommendCustomersRequest
"""Requests that may say for which moment."""

_PURPOSES: Mapping[int, Purpose] = {
    PURPOSE_UNSPECIFIED: "recommend_on_site",
    PURPOSE_ON_SITE: "recommend_on_site",
    PURPOSE_EMAIL: "use_in_email",
}


def to_query(request: RecommendRequest, now: int) -> Query:
    """Returns the query of a request.

    Args:
        request: as it came.
        now: Unix seconds, the query's time where the request has none.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    time = query_time(request, now)
    query = Query(
        placement=checked_text(request.placement, "placement"),
        query_time=time,
        customer_id=reader(request),
        limit=applied_page_size(request.page_size),
        context_item_ids=context(request.context_item_ids),
        events=recent_events(request.events, time),
        exclude_item_ids=excluded(request.exclude_item_ids),
        market=market(request.market),
        explain=request.explain,
    )
    return tuned(query, request)


def to_queries(request: RecommendBatchRequest, now: int) -> list[Query]:
    """Returns one query per customer of a batch, in the order of the request.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    if not request.customer_ids:
        raise InvalidQueryError("customer_ids", "must name at least one customer")
    check_count(request.customer_ids, "customer_ids", MAX_BATCH_CUSTOMERS)
    query = Query(
        placement=checked_text(request.placement, "placement"),
        query_time=query_time(request, now),
        limit=applied_page_size(request.page_size),
        exclude_item_ids=excluded(request.exclude_item_ids),
        market=market(request.market),
    )
    query = tuned(query, request)
    return [
        replace(query, customer_id=checked_customer_id(customer_id, f"customer_ids[{place}]"))
        for place, customer_id in enumerate(request.customer_ids)
    ]


def to_purpose(purpose: int) -> Purpose:
    """Returns what a list is for; on site where the request does not say.

    Raises:
        InvalidQueryError: it is a purpose that this server does not know.
    """
    if purpose not in _PURPOSES:
        raise InvalidQueryError("purpose", f"{purpose} is none that this server knows")
    return _PURPOSES[purpose]


def to_audience_purpose(purpose: int) -> Purpose:
    """Returns what customers are told by; an email where the request does not say.

    Raises:
        InvalidQueryError: it is a purpose that this server does not know.
    """
    return to_purpose(PURPOSE_EMAIL if purpose == PURPOSE_UNSPECIFIED else purpose)


def reader(request: ReaderRequest) -> CustomerId | None:
    """Returns who is asked for: a customer, a visitor by the key, or nobody in particular.

    Raises:
        InvalidQueryError: both are named, or an id is out of its limits.
    """
    if request.customer_id and request.visitor_id:
        raise InvalidQueryError("visitor_id", "must be empty when customer_id is given")
    if request.customer_id:
        return checked_customer_id(request.customer_id, "customer_id")
    if request.visitor_id:
        return visitor_key(checked_text(request.visitor_id, "visitor_id"))
    return None


def query_time(request: TimedRequest, now: int) -> int:
    """Returns the moment to answer for, Unix seconds: the request's, or else now.

    Raises:
        InvalidQueryError: it is no time between 1970 and 9999.
    """
    if request.HasField("query_time"):
        return unix_seconds(request.query_time, "query_time")
    return now


def excluded(ids: Sequence[str]) -> tuple[ItemId, ...]:
    """Returns the items that must be in no list.

    Raises:
        InvalidQueryError: there are too many, or one is no id.
    """
    check_count(ids, "exclude_item_ids", MAX_EXCLUDED_ITEMS)
    return checked_item_ids(ids, "exclude_item_ids")


def market(name: str) -> str | None:
    """Returns the market that counts, None where the request names none.

    Raises:
        InvalidQueryError: it is out of the limits of a name.
    """
    return checked_text(name, "market") if name else None


def context(ids: Sequence[str]) -> tuple[ItemId, ...]:
    """Returns the items that a page is about.

    Raises:
        InvalidQueryError: there are too many, or one is no id.
    """
    check_count(ids, "context_item_ids", MAX_CONTEXT_ITEMS)
    return checked_item_ids(ids, "context_item_ids")


def recent_events(events: Sequence[Event], query_time: int) -> tuple[RecentEvent, ...]:
    """Returns the events of a request that concern an item and are of a type that models know.

    Raises:
        InvalidQueryError: there are too many, or one has a wrong field.
    """
    check_count(events, "events", MAX_EVENTS)
    return tuple(_usable(events, query_time))


def _usable(events: Sequence[Event], query_time: int) -> Iterator[RecentEvent]:
    for place, event in enumerate(events):
        path = f"events[{place}]"
        name = checked_text(event.event_type, f"{path}.event_type", max_bytes=MAX_TYPE_BYTES)
        event_time = _event_time(event, f"{path}.event_time")
        kind = usual_event_type(name)
        if event.item_id:
            item_id = ItemId(checked_text(event.item_id, f"{path}.item_id"))
            if kind is not None:
                yield RecentEvent(item_id, kind, min(event_time, query_time))


def _event_time(event: Event, field: str) -> int:
    if not event.HasField("event_time"):
        raise InvalidQueryError(field, "must be given")
    return unix_seconds(event.event_time, field)
