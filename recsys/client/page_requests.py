"""From keyword arguments to requests of pages, orders, labels and customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from recsys.client.checks import (
    Check,
    checked,
    count,
    elements,
    flag,
    name_text,
    one_of,
    placement_name,
    saying,
    text,
    texts,
    time,
)
from recsys.client.errors import ArgumentError
from recsys.client.keywords import names_keywords
from recsys.client.recent_events import to_events
from recsys.client.requests import (
    FILTER_CHECKS,
    PURPOSES,
    RULE_CHECKS,
    WHO_CHECKS,
    FilterSettings,
    Purpose,
    WhoSettings,
    query_timestamp,
)
from recsys.client.rule_values import (
    STRICTNESS,
    ParameterValue,
    Strictness,
    Tuning,
    to_parameters,
    to_tuning,
)
from recsys.v1 import recommendation_service_pb2 as pb


@names_keywords
@dataclass(frozen=True, slots=True)
class PageSlot:
    """One list of a page."""

    placement: str
    """One that answers with items."""
    limit: int = 0
    """Items wanted; 0: 10, at most 500."""
    filter: str = ""
    """SQL boolean expression over catalogue columns."""
    filter_name: str = ""
    """A filter of the deployment file, which must hold as well."""
    filter_parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    """Values of `:name` in both filters."""
    tuning: Tuning | None = None
    """How the list is varied; None: as the placement's rules say."""
    strictness: Strictness = "as-rules"
    """Whether rules give way when too few items pass them."""


class PageSettings(WhoSettings, total=False):
    """Keyword arguments that hold for every list of a page."""

    context_item_ids: Sequence[str]
    """What the page is about: the product shown, the contents of the cart; up to 100."""
    exclude_item_ids: Sequence[str]
    """Items that must be in no list, up to 10,000."""
    market: str
    """The market whose availability and price count."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now, by the server's clock."""
    item_fields: Sequence[str]
    """Catalogue columns to return with each item."""
    purpose: Purpose
    """What the lists are used for, by default on site."""


class OrderSettings(FilterSettings, WhoSettings, total=False):
    """Keyword arguments with which items may be ordered."""

    context_item_ids: Sequence[str]
    """What the page is about; up to 100."""
    market: str
    """The market whose availability and price count."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now, by the server's clock."""
    purpose: Purpose
    """What the order is used for, by default on site."""


class LabelSettings(WhoSettings, total=False):
    """Keyword arguments with which labels may be asked for."""

    limit: int
    """Labels wanted; by default 10, at most 500."""
    market: str
    """The market whose availability counts."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now, by the server's clock."""
    purpose: Purpose
    """What the labels are used for, by default on site."""


class AudienceSettings(TypedDict, total=False):
    """Keyword arguments with which customers may be asked for."""

    limit: int
    """Customers wanted; by default 100, at most 10,000."""
    exclude_buyers: bool
    """Leaves out those who bought the item."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now, by the server's clock."""
    purpose: Purpose
    """What they are told by, by default an email."""


_COMMON: Mapping[str, Check] = {
    "market": text,
    "query_time": time,
    "purpose": one_of(PURPOSES),
}
PAGE_CHECKS: Mapping[str, Check] = {
    **WHO_CHECKS,
    **_COMMON,
    "context_item_ids": texts,
    "exclude_item_ids": texts,
    "item_fields": texts,
}
ORDER_CHECKS: Mapping[str, Check] = {
    **FILTER_CHECKS,
    **WHO_CHECKS,
    **_COMMON,
    "context_item_ids": texts,
}
LABEL_CHECKS: Mapping[str, Check] = {**WHO_CHECKS, **_COMMON, "limit": count}
AUDIENCE_CHECKS: Mapping[str, Check] = {
    "limit": count,
    "exclude_buyers": flag,
    "query_time": time,
    "purpose": one_of(PURPOSES),
}
_SLOT_CHECKS: Mapping[str, Check] = {**RULE_CHECKS, "limit": count}


def page_request(
    slots: Sequence[PageSlot | str], settings: PageSettings
) -> pb.RecommendPageRequest:
    """Returns the request for the lists of a page."""
    settings = checked(settings, PAGE_CHECKS)
    found = elements("slots", slots, "PageSlot or names of placements")
    return pb.RecommendPageRequest(
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        context_item_ids=settings.get("context_item_ids", ()),
        events=to_events(settings.get("events", ())),
        slots=[_slot(f"slots[{place}]", slot) for place, slot in enumerate(found)],
        exclude_item_ids=settings.get("exclude_item_ids", ()),
        market=settings.get("market", ""),
        query_time=query_timestamp(settings.get("query_time")),
        item_fields=settings.get("item_fields", ()),
        purpose=PURPOSES[settings.get("purpose", "on-site")],
    )


def order_request(
    placement: str, item_ids: Sequence[str], settings: OrderSettings
) -> pb.RankItemsRequest:
    """Returns the request that has items ordered."""
    settings = checked(settings, ORDER_CHECKS)
    return pb.RankItemsRequest(
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        placement=placement_name(placement),
        item_ids=texts("item_ids", item_ids),
        context_item_ids=settings.get("context_item_ids", ()),
        events=to_events(settings.get("events", ())),
        filter=settings.get("filter", ""),
        filter_name=settings.get("filter_name", ""),
        filter_parameters=to_parameters(settings.get("filter_parameters")),
        market=settings.get("market", ""),
        query_time=query_timestamp(settings.get("query_time")),
        purpose=PURPOSES[settings.get("purpose", "on-site")],
    )


def labels_request(placement: str, settings: LabelSettings) -> pb.RecommendLabelsRequest:
    """Returns the request for labels."""
    settings = checked(settings, LABEL_CHECKS)
    return pb.RecommendLabelsRequest(
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        placement=placement_name(placement),
        events=to_events(settings.get("events", ())),
        page_size=settings.get("limit", 0),
        market=settings.get("market", ""),
        query_time=query_timestamp(settings.get("query_time")),
        purpose=PURPOSES[settings.get("purpose", "on-site")],
    )


def customers_request(
    placement: str, item_id: str, settings: AudienceSettings
) -> pb.RecommendCustomersRequest:
    """Returns the request for the customers of an item."""
    settings = checked(settings, AUDIENCE_CHECKS)
    return pb.RecommendCustomersRequest(
        item_id=name_text("item_id", item_id),
        placement=placement_name(placement),
        page_size=settings.get("limit", 0),
        exclude_buyers=settings.get("exclude_buyers", False),
        query_time=query_timestamp(settings.get("query_time")),
        purpose=PURPOSES[settings.get("purpose", "email")],
    )


def _slot(name: str, slot: PageSlot | str) -> pb.PageSlot:
    if isinstance(slot, str):
        return pb.PageSlot(placement=name_text(name, slot))
    if not isinstance(slot, PageSlot):
        hint = "write PageSlot('for_you', limit=5), or the name alone"
        raise ArgumentError(name, f"must be a PageSlot or a text, {saying(slot)}: {hint}")
    values = {
        field: check(f"{name}.{field}", getattr(slot, field))
        for field, check in _SLOT_CHECKS.items()
        if getattr(slot, field) is not None
    }
    return pb.PageSlot(
        placement=name_text(f"{name}.placement", slot.placement),
        page_size=values.get("limit", 0),
        filter=values.get("filter", ""),
        filter_name=values.get("filter_name", ""),
        filter_parameters=to_parameters(values.get("filter_parameters")),
        tuning=to_tuning(values.get("tuning")),
        strictness=STRICTNESS[values.get("strictness", "as-rules")],
    )
