"""From requests of pages, orders, labels and customers to queries of the library."""

from dataclasses import replace

from recsys.errors import InvalidQueryError
from recsys.pipeline.answers import CustomersQuery
from recsys.pipeline.query import MAX_GIVEN_ITEMS, Query
from recsys.types import ItemId
from recsys.v1.recommendation_service_pb2 import (
    PageSlot,
    RankItemsRequest,
    RecommendCustomersRequest,
    RecommendLabelsRequest,
    RecommendPageRequest,
)
from serving.answering.page import of_slot
from serving.messages.limits import (
    MAX_SLOTS,
    applied_customers,
    applied_page_size,
    check_count,
    checked_item_ids,
    checked_text,
)
from serving.messages.requests import (
    context,
    excluded,
    market,
    query_time,
    reader,
    recent_events,
)
from serving.messages.rule_requests import filtered, tuned


def to_page(request: RecommendPageRequest, now: int) -> list[Query]:
    """Returns one query per slot, in their order.

    Args:
        request: as it came.
        now: Unix seconds, the queries' time where the request has none.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    if not request.slots:
        raise InvalidQueryError("slots", "must have at least one element")
    check_count(request.slots, "slots", MAX_SLOTS)
    time = query_time(request, now)
    same = Query(
        placement="",
        query_time=time,
        customer_id=reader(request),
        context_item_ids=context(request.context_item_ids),
        events=recent_events(request.events, time),
        exclude_item_ids=excluded(request.exclude_item_ids),
        market=market(request.market),
    )
    queries = []
    for place, slot in enumerate(request.slots):
        with of_slot(place):
            queries.append(_in_slot(same, slot))
    return queries


def to_order(request: RankItemsRequest, now: int) -> Query:
    """Returns the query that has the items of a request ordered.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    time, item_ids = query_time(request, now), _distinct(request)
    query = Query(
        placement=checked_text(request.placement, "placement"),
        query_time=time,
        customer_id=reader(request),
        limit=len(item_ids),
        context_item_ids=context(request.context_item_ids),
        events=recent_events(request.events, time),
        only_item_ids=item_ids,
        market=market(request.market),
    )
    return filtered(query, request)


def to_labels_query(request: RecommendLabelsRequest, now: int) -> Query:
    """Returns the query that a request for labels is.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    time = query_time(request, now)
    return Query(
        placement=checked_text(request.placement, "placement"),
        query_time=time,
        customer_id=reader(request),
        limit=applied_page_size(request.page_size),
        events=recent_events(request.events, time),
        market=market(request.market),
    )


def to_customers_query(request: RecommendCustomersRequest, now: int) -> CustomersQuery:
    """Returns the query that a request for customers is.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    return CustomersQuery(
        placement=checked_text(request.placement, "placement"),
        item_id=ItemId(checked_text(request.item_id, "item_id")),
        query_time=query_time(request, now),
        limit=applied_customers(request.page_size),
        exclude_buyers=request.exclude_buyers,
    )


def _in_slot(same: Query, slot: PageSlot) -> Query:
    query = replace(
        same,
        placement=checked_text(slot.placement, "placement"),
        limit=applied_page_size(slot.page_size),
    )
    return tuned(query, slot)


def _distinct(request: RankItemsRequest) -> tuple[ItemId, ...]:
    if not request.item_ids:
        raise InvalidQueryError("item_ids", "must name at least one item")
    check_count(request.item_ids, "item_ids", MAX_GIVEN_ITEMS)
    item_ids = checked_item_ids(request.item_ids, "item_ids")
    seen = set()
    for place, item_id in enumerate(item_ids):
        if item_id in seen:
            raise InvalidQueryError(f"item_ids[{place}]", "stands in the list before")
        seen.add(item_id)
    return item_ids
