"""From keyword arguments to requests of pages, orders, labels and customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from recsys.client.requests import (
    PURPOSES,
    FilterSettings,
    ParameterValue,
    Purpose,
    RuleSettings,
    Strictness,
    Tuning,
    WhoSettings,
    query_timestamp,
    to_events,
    to_parameters,
    to_strictness,
    to_tuning,
)
from recsys.v1 import recommendation_service_pb2 as pb


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


def page_request(
    slots: Sequence[PageSlot | str], settings: PageSettings
) -> pb.RecommendPageRequest:
    """Returns the request for the lists of a page."""
    return pb.RecommendPageRequest(
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        context_item_ids=settings.get("context_item_ids", ()),
        events=to_events(settings.get("events", ())),
        slots=[_slot(slot) for slot in slots],
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
    return pb.RankItemsRequest(
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        placement=placement,
        item_ids=item_ids,
        context_item_ids=settings.get("context_item_ids", ()),
        events=to_events(settings.get("events", ())),
        filter=settings.get("filter", ""),
        filter_name=settings.get("filter_name", ""),
        filter_parameters=to_parameters(settings),
        market=settings.get("market", ""),
        query_time=query_timestamp(settings.get("query_time")),
        purpose=PURPOSES[settings.get("purpose", "on-site")],
    )


def labels_request(placement: str, settings: LabelSettings) -> pb.RecommendLabelsRequest:
    """Returns the request for labels."""
    return pb.RecommendLabelsRequest(
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        placement=placement,
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
    return pb.RecommendCustomersRequest(
        item_id=item_id,
        placement=placement,
        page_size=settings.get("limit", 0),
        exclude_buyers=settings.get("exclude_buyers", False),
        query_time=query_timestamp(settings.get("query_time")),
        purpose=PURPOSES[settings.get("purpose", "email")],
    )


def _slot(slot: PageSlot | str) -> pb.PageSlot:
    if isinstance(slot, str):
        return pb.PageSlot(placement=slot)
    rules: RuleSettings = {
        "filter_parameters": slot.filter_parameters,
        "strictness": slot.strictness,
    }
    if slot.tuning is not None:
        rules["tuning"] = slot.tuning
    return pb.PageSlot(
        placement=slot.placement,
        page_size=slot.limit,
        filter=slot.filter,
        filter_name=slot.filter_name,
        filter_parameters=to_parameters(rules),
        tuning=to_tuning(rules),
        strictness=to_strictness(rules),
    )
