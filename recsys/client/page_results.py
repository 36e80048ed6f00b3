"""Orders, labels, customers and placements as the client hands them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recsys.client.results import RecommendedItem, to_items, to_reason, to_tier
from recsys.pipeline.answers import RecommendedCustomer, RecommendedLabel
from recsys.types import CustomerId, ItemId, Tier
from recsys.v1 import recommendation_service_pb2 as pb

Answers = Literal["items", "labels", "customers"]
_ANSWERS: Mapping[int, Answers] = {
    pb.ANSWERS_LABELS: "labels",
    pb.ANSWERS_CUSTOMERS: "customers",
}


@dataclass(frozen=True, slots=True)
class RankedItems:
    """Given items in order."""

    items: tuple[RecommendedItem, ...]
    """Best first; those that nothing is known of last, as they came."""
    tier: Tier
    bundle_version: str
    missing_item_ids: tuple[ItemId, ...]
    """Those that the catalogue does not have."""
    forbidden_item_ids: tuple[ItemId, ...]
    """Those that may not be shown: not available, or forbidden by the filter or the rules."""
    attribution_token: str = ""
    """Echo it in the events that follow. Empty: the server has no event store."""
    request_id: str = ""
    """The answer's number in the log of what was shown."""


@dataclass(frozen=True, slots=True)
class RecommendedLabels:
    """Labels of a column, best first."""

    labels: tuple[RecommendedLabel, ...]
    tier: Tier
    bundle_version: str
    column: str
    """Of the catalogue, such as `category` or `brand`."""


@dataclass(frozen=True, slots=True)
class RecommendedCustomers:
    """The customers of an item, the most interested first."""

    customers: tuple[RecommendedCustomer, ...]
    bundle_version: str


@dataclass(frozen=True, slots=True)
class Placement:
    """What a placement is."""

    name: str
    description: str
    """What it shows, in a sentence."""
    answers: Answers
    """Which method asks it: those for items, `recommend_labels`, `recommend_customers`."""
    uses_context: bool
    """Whether it starts from context items."""
    sources: Mapping[str, float]
    """Weights of the sources that give its items."""
    ranked: bool
    """Whether a ranker orders what the sources give."""
    fill: tuple[str, ...]
    """Sources that are asked while a list is short, in this order."""
    may_be_short: bool
    """Whether a list may be short although items are left."""
    rules: tuple[str, ...]
    """Names of its rules in the deployment file."""
    filter_names: tuple[str, ...]
    """Names of the filters in the deployment file that requests may use."""


def to_ranked_items(response: pb.RankItemsResponse) -> RankedItems:
    """Returns the order of a response."""
    return RankedItems(
        items=to_items(response.items),
        tier=to_tier(response.tier),
        bundle_version=response.bundle_version,
        missing_item_ids=tuple(ItemId(text) for text in response.missing_item_ids),
        forbidden_item_ids=tuple(ItemId(text) for text in response.forbidden_item_ids),
        attribution_token=response.attribution_token,
        request_id=response.request_id,
    )


def to_labels(response: pb.RecommendLabelsResponse) -> RecommendedLabels:
    """Returns the labels of a response."""
    return RecommendedLabels(
        labels=tuple(
            RecommendedLabel(tuple(each.label), each.score, each.rank, to_reason(each.reason))
            for each in response.labels
        ),
        tier=to_tier(response.tier),
        bundle_version=response.bundle_version,
        column=response.column,
    )


def to_customers(response: pb.RecommendCustomersResponse) -> RecommendedCustomers:
    """Returns the customers of a response."""
    return RecommendedCustomers(
        customers=tuple(
            RecommendedCustomer(CustomerId(each.customer_id), each.score, each.rank)
            for each in response.customers
        ),
        bundle_version=response.bundle_version,
    )


def to_placements(response: pb.ListPlacementsResponse) -> tuple[Placement, ...]:
    """Returns the placements of a response."""
    return tuple(_placement(each) for each in response.placements)


def _placement(told: pb.Placement) -> Placement:
    return Placement(
        name=told.name,
        description=told.description,
        answers=_ANSWERS.get(told.answers, "items"),
        uses_context=told.uses_context,
        sources={use.name: use.weight for use in told.sources},
        ranked=told.ranked,
        fill=tuple(told.fill),
        may_be_short=told.may_be_short,
        rules=tuple(told.rules),
        filter_names=tuple(told.filter_names),
    )
