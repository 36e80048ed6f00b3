"""From keyword arguments to requests of the contract."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal, TypedDict

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.times import to_timestamp
from recsys.pipeline.query import RecentEvent
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.event_pb2 import Event

BATCH_SIZE = 10_000
"""Customers per RecommendBatch call, the most that the contract allows."""


Purpose = Literal["on-site", "email"]
PURPOSES: "dict[Purpose, pb.Purpose.ValueType]" = {
    "on-site": pb.PURPOSE_ON_SITE,
    "email": pb.PURPOSE_EMAIL,
}


Level = Literal["none", "low", "medium", "high"] | float
"""A level by name, or a number."""
_LEVELS: "dict[str, pb.LevelName.ValueType]" = {
    "none": pb.LEVEL_NAME_NONE,
    "low": pb.LEVEL_NAME_LOW,
    "medium": pb.LEVEL_NAME_MEDIUM,
    "high": pb.LEVEL_NAME_HIGH,
}
Strictness = Literal["as-rules", "strict", "fill"]
_STRICTNESS: "dict[Strictness, pb.Strictness.ValueType]" = {
    "as-rules": pb.STRICTNESS_UNSPECIFIED,
    "strict": pb.STRICTNESS_STRICT,
    "fill": pb.STRICTNESS_FILL,
}


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a list is varied; None: as the placement's rules say."""

    diversity: Level | None = None
    """How much items that are alike are avoided, 0 to 1."""
    freshness: Level | None = None
    """How much newer items are preferred, -1 to 1."""
    popularity: Level | None = None
    """How much popular items are preferred, -1 to 1."""


ParameterValue = str | bool | float | Sequence[str] | Sequence[float]
"""What a parameter of a filter may be."""


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


def recommend_request(placement: str, settings: ContextSettings) -> pb.RecommendRequest:
    """Returns the request for one list."""
    return pb.RecommendRequest(
        placement=placement,
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        context_item_ids=settings.get("context_item_ids", ()),
        events=to_events(settings.get("events", ())),
        filter=settings.get("filter", ""),
        filter_name=settings.get("filter_name", ""),
        filter_parameters=to_parameters(settings),
        tuning=to_tuning(settings),
        strictness=to_strictness(settings),
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
    """Yields the requests for the lists of any number of customers, made as they are needed."""
    remaining = iter(customer_ids)
    while part := list(islice(remaining, BATCH_SIZE)):
        yield pb.RecommendBatchRequest(
            customer_ids=part,
            placement=placement,
            filter=settings.get("filter", ""),
            filter_name=settings.get("filter_name", ""),
            filter_parameters=to_parameters(settings),
            tuning=to_tuning(settings),
            strictness=to_strictness(settings),
            exclude_item_ids=settings.get("exclude_item_ids", ()),
            page_size=settings.get("limit", 0),
            market=settings.get("market", ""),
            query_time=query_timestamp(settings.get("query_time")),
            item_fields=settings.get("item_fields", ()),
            purpose=PURPOSES[settings.get("purpose", "on-site")],
        )


def to_events(events: Iterable[RecentEvent]) -> list[Event]:
    """Returns events of the contract."""
    return [
        Event(
            item_id=event.item_id,
            event_type=event.event_type.value,
            event_time=Timestamp(seconds=event.event_time),
        )
        for event in events
    ]


def to_parameters(settings: FilterSettings) -> Struct | None:
    """Returns the parameters of filters, None where there are none."""
    values = settings.get("filter_parameters")
    if not values:
        return None
    message = Struct()
    for name, value in values.items():
        message[name] = value if isinstance(value, str | bool | float | int) else list(value)
    return message


def to_tuning(settings: RuleSettings) -> pb.Tuning | None:
    """Returns the tuning that is asked for, None where none is."""
    tuning = settings.get("tuning")
    if tuning is None:
        return None
    return pb.Tuning(
        diversity=_level(tuning.diversity),
        freshness=_level(tuning.freshness),
        popularity=_level(tuning.popularity),
    )


def to_strictness(settings: RuleSettings) -> "pb.Strictness.ValueType":
    """Returns what happens when too few items pass."""
    return _STRICTNESS[settings.get("strictness", "as-rules")]


def _level(level: Level | None) -> pb.Level | None:
    if level is None:
        return None
    return pb.Level(name=_LEVELS[level]) if isinstance(level, str) else pb.Level(value=level)


def query_timestamp(time: datetime | None) -> Timestamp | None:
    """Returns the moment to answer for, None where none is given.

    Raises:
        ValueError: the time has no zone.
    """
    return None if time is None else to_timestamp(time, "query_time")
