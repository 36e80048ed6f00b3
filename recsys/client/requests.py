"""From keyword arguments to requests of the contract."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Literal, TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.checks import (
    Check,
    checked,
    count,
    flag,
    iterable,
    name_text,
    one_of,
    placement_name,
    text,
    texts,
    time,
)
from recsys.client.recent_events import recent_events, to_events
from recsys.client.rule_values import (
    STRICTNESS,
    ParameterValue,
    Strictness,
    Tuning,
    parameters,
    to_parameters,
    to_tuning,
    tuning,
)
from recsys.client.times import to_timestamp
from recsys.pipeline.query import RecentEvent
from recsys.v1 import recommendation_service_pb2 as pb

BATCH_SIZE = 10_000
"""Customers per RecommendBatch call, the most that the contract allows."""


Purpose = Literal["on-site", "email"]
PURPOSES: "dict[Purpose, pb.Purpose.ValueType]" = {
    "on-site": pb.PURPOSE_ON_SITE,
    "email": pb.PURPOSE_EMAIL,
}


class FilterSettings(TypedDict, total=False):
    """Keyword arguments that say which items are wanted at all."""

    filter: str
    """SQL boolean expression over catalogue columns, such as `price < 50`."""
    filter_name: str
    """A filter of the deployment file, which must hold as well."""
    filter_parameters: Mapping[str, ParameterValue]
    """Values of `:name` in both filters: texts, numbers, truth values, lists of texts or
    numbers."""


class RuleSettings(FilterSettings, total=False):
    """Keyword arguments that say how a list is varied."""

    tuning: Tuning
    """How much a list is varied, kept fresh and kept to what is popular, by name or number."""
    strictness: Strictness
    """Whether rules give way when too few items pass them; by default as they say."""


class ListSettings(RuleSettings, total=False):
    """Keyword arguments with which any list may be asked for."""

    limit: int
    """Items wanted; by default 10, at most 500."""
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


class WhoSettings(TypedDict, total=False):
    """Keyword arguments that say who asks."""

    customer_id: str
    """The customer; with neither customer nor visitor the list is for nobody in particular."""
    visitor_id: str
    """The visitor who has not logged in; not together with `customer_id`."""
    events: Sequence[RecentEvent]
    """What the customer or visitor did lately; up to 500."""


class ContextSettings(ListSettings, WhoSettings, total=False):
    """Keyword arguments with which one list may be asked for."""

    context_item_ids: Sequence[str]
    """What the page is about: the product shown, the contents of the cart; up to 100."""
    explain: bool
    """Whether each item comes with its explanation; by default not, because it takes time."""


FILTER_CHECKS: Mapping[str, Check] = {
    "filter": text,
    "filter_name": text,
    "filter_parameters": parameters,
}
RULE_CHECKS: Mapping[str, Check] = {
    **FILTER_CHECKS,
    "tuning": tuning,
    "strictness": one_of(STRICTNESS),
}
LIST_CHECKS: Mapping[str, Check] = {
    **RULE_CHECKS,
    "limit": count,
    "exclude_item_ids": texts,
    "market": text,
    "query_time": time,
    "item_fields": texts,
    "purpose": one_of(PURPOSES),
}
WHO_CHECKS: Mapping[str, Check] = {
    "customer_id": text,
    "visitor_id": text,
    "events": recent_events,
}
CONTEXT_CHECKS: Mapping[str, Check] = {
    **LIST_CHECKS,
    **WHO_CHECKS,
    "context_item_ids": texts,
    "explain": flag,
}
"""By name of an argument; each class of settings has the checks of the same name."""


def recommend_request(placement: str, settings: ContextSettings) -> pb.RecommendRequest:
    """Returns the request for one list.

    Raises:
        ArgumentError: an argument is wrong, or there is none of its name.
    """
    settings = checked(settings, CONTEXT_CHECKS, also=("timeout_s",))
    return pb.RecommendRequest(
        placement=placement_name(placement),
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        context_item_ids=settings.get("context_item_ids", ()),
        events=to_events(settings.get("events", ())),
        filter=settings.get("filter", ""),
        filter_name=settings.get("filter_name", ""),
        filter_parameters=to_parameters(settings.get("filter_parameters")),
        tuning=to_tuning(settings.get("tuning")),
        strictness=STRICTNESS[settings.get("strictness", "as-rules")],
        exclude_item_ids=settings.get("exclude_item_ids", ()),
        page_size=settings.get("limit", 0),
        market=settings.get("market", ""),
        query_time=query_timestamp(settings.get("query_time")),
        item_fields=settings.get("item_fields", ()),
        purpose=PURPOSES[settings.get("purpose", "on-site")],
        explain=settings.get("explain", False),
    )


def batch_requests(
    placement: str, customer_ids: Iterable[str], settings: ListSettings
) -> Iterator[pb.RecommendBatchRequest]:
    """Returns the requests for the lists of any number of customers, made as they are needed.

    Raises:
        ArgumentError: an argument is wrong, or there is none of its name; at once, but for
            customers, which are checked as they are taken.
    """
    settings = checked(settings, LIST_CHECKS)
    placement = placement_name(placement)
    return _batches(placement, iter(iterable("customer_ids", customer_ids, "texts")), settings)


def _batches(
    placement: str, customer_ids: Iterator[str], settings: ListSettings
) -> Iterator[pb.RecommendBatchRequest]:
    done = 0
    while part := list(islice(customer_ids, BATCH_SIZE)):
        for place, customer_id in enumerate(part, done):
            name_text(f"customer_ids[{place}]", customer_id)
        done += len(part)
        yield pb.RecommendBatchRequest(
            customer_ids=part,
            placement=placement,
            filter=settings.get("filter", ""),
            filter_name=settings.get("filter_name", ""),
            filter_parameters=to_parameters(settings.get("filter_parameters")),
            tuning=to_tuning(settings.get("tuning")),
            strictness=STRICTNESS[settings.get("strictness", "as-rules")],
            exclude_item_ids=settings.get("exclude_item_ids", ()),
            page_size=settings.get("limit", 0),
            market=settings.get("market", ""),
            query_time=query_timestamp(settings.get("query_time")),
            item_fields=settings.get("item_fields", ()),
            purpose=PURPOSES[settings.get("purpose", "on-site")],
        )


def query_timestamp(moment: datetime | None) -> Timestamp | None:
    """Returns the moment to answer for, None where none is given."""
    return None if moment is None else to_timestamp(moment, "query_time")
