"""Answers as the client hands them out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.live.rules import RuleMove
from recsys.pipeline.explanation import Contribution, Explanation, HistoryContribution
from recsys.pipeline.query import Reason, Replenishment
from recsys.types import ItemId, Tier
from recsys.v1 import recommendation_service_pb2 as pb

_TIERS: Mapping[int, Tier] = {
    pb.TIER_PERSONALISED: Tier.PERSONALISED,
    pb.TIER_SESSION: Tier.SESSION,
    pb.TIER_SEGMENT: Tier.SEGMENT,
}


@dataclass(frozen=True, slots=True)
class RecommendedItem:
    """One place in a list."""

    item_id: ItemId
    score: float
    """Comparable only within one list."""
    rank: int
    """1 is the first place."""
    source: str
    """The source that gave the item the largest part of its score."""
    reason: Reason
    details: Mapping[str, object] = field(default_factory=dict)
    """The catalogue columns asked for, by column name; one without a value is left out."""
    propensity: float | None = None
    """Probability with which exploration drew the item for this place; None: it did not."""
    moves: tuple[RuleMove, ...] = ()
    """What rules did to the item, in the order in which they did."""
    replenishment: Replenishment | None = None
    """When the customer is expected to need the item again; None: the placement does not say."""
    explanation: Explanation | None = None
    """How the score came about; None: it was not asked for."""


@dataclass(frozen=True, slots=True)
class Recommendations:
    """One list, and what it was made from."""

    items: tuple[RecommendedItem, ...]
    tier: Tier
    bundle_version: str
    data_end_time: datetime
    """The bundle knows no event at or after this."""
    query_time: datetime
    """The moment that the list was made for."""
    missing_item_ids: tuple[ItemId, ...]
    """Context items that the catalogue does not have."""
    page_size: int
    """The limit that was applied."""
    attribution_token: str = ""
    """Echo it in the events that follow from the list. Empty: the server has no event store."""
    request_id: str = ""
    """The list's number in the log of what was shown."""
    experiment: str = ""
    """Empty: the list is part of none."""
    arm: str = ""
    """Empty without an experiment."""
    live_event_count: int = 0
    """Events of the store that count in the list and that the bundle does not have."""
    live_state_missing: bool = False
    """Whether the store could not be read, so that the list was made from the bundle alone."""
    consent_refused: bool = False
    """Whether the customer's consent forbids the purpose, so that nothing known was used."""
    title: Reason | None = None
    """What the list as a whole is about; None: nothing in particular."""
    relaxed_rules: tuple[str, ...] = ()
    """The rules that gave way so that the list is full, in the order in which they did."""


@dataclass(frozen=True, slots=True)
class CustomerRecommendations:
    """One customer's list within a batch."""

    customer_id: str
    items: tuple[RecommendedItem, ...]
    tier: Tier
    bundle_version: str
    data_end_time: datetime
    """The bundle of most lists knows no event at or after this."""
    attribution_token: str = ""
    """Echo it in the events that follow from the list. Empty: the server has no event store."""
    request_id: str = ""
    """The list's number in the log of what was shown."""
    experiment: str = ""
    """Empty: the list is part of none."""
    arm: str = ""
    """Empty without an experiment."""
    live_state_missing: bool = False
    """Whether the store could not be read, so that the list was made from the bundle alone."""
    consent_refused: bool = False
    """Whether the customer's consent forbids the purpose, so that nothing known was used."""


def to_recommendations(response: pb.RecommendResponse) -> Recommendations:
    """Returns the list of a response."""
    return Recommendations(
        items=to_items(response.items),
        tier=to_tier(response.tier),
        bundle_version=response.bundle_version,
        data_end_time=_time(response.data_end_time),
        query_time=_time(response.query_time),
        missing_item_ids=tuple(ItemId(text) for text in response.missing_item_ids),
        page_size=response.page_size,
        attribution_token=response.attribution_token,
        request_id=response.request_id,
        experiment=response.experiment,
        arm=response.arm,
        live_event_count=response.live_event_count,
        live_state_missing=response.live_state_missing,
        consent_refused=response.consent_refused,
        title=to_reason(response.title) if response.HasField("title") else None,
        relaxed_rules=tuple(response.relaxed_rules),
    )


def to_customer_recommendations(
    response: pb.RecommendBatchResponse,
) -> Iterator[CustomerRecommendations]:
    """Yields the lists of one message of a batch."""
    data_end_time = _time(response.data_end_time)
    for result in response.results:
        yield CustomerRecommendations(
            customer_id=result.customer_id,
            items=to_items(result.items),
            tier=to_tier(result.tier),
            bundle_version=result.bundle_version or response.bundle_version,
            data_end_time=data_end_time,
            attribution_token=result.attribution_token,
            request_id=result.request_id,
            experiment=result.experiment,
            arm=result.arm,
            live_state_missing=result.live_state_missing,
            consent_refused=result.consent_refused,
        )


def to_items(items: Iterable[pb.RecommendedItem]) -> tuple[RecommendedItem, ...]:
    """Returns the places of a list."""
    return tuple(_item(item) for item in items)


def to_reason(reason: pb.Reason) -> Reason:
    """Returns a reason."""
    return Reason(
        reason.code,
        tuple(ItemId(text) for text in reason.item_ids),
        reason.count,
        reason.date.seconds if reason.HasField("date") else None,
        reason.label,
    )


def to_tier(tier: int) -> Tier:
    """Returns the tier; one that a newer server has added counts as the lowest."""
    return _TIERS.get(tier, Tier.POPULAR)


def _item(item: pb.RecommendedItem) -> RecommendedItem:
    return RecommendedItem(
        item_id=ItemId(item.item_id),
        score=item.score,
        rank=item.rank,
        source=item.source,
        reason=to_reason(item.reason),
        details=_columns(item.details) if item.HasField("details") else {},
        propensity=item.propensity if item.HasField("propensity") else None,
        moves=tuple(RuleMove(move.rule, move.from_rank, move.to_rank) for move in item.moves),
        replenishment=_replenishment(item.replenishment)
        if item.HasField("replenishment")
        else None,
        explanation=_explanation(item.explanation) if item.HasField("explanation") else None,
    )


def _replenishment(expected: pb.Replenishment) -> Replenishment:
    return Replenishment(
        expected.due_time.seconds,
        expected.probability_7_days,
        expected.probability_14_days,
        expected.probability_28_days,
    )


def _explanation(told: pb.Explanation) -> Explanation:
    return Explanation(
        features=tuple(_contribution(part) for part in told.features),
        ranker_base=told.ranker_base,
        ranker_score=told.ranker_score,
        sources=tuple(_contribution(part) for part in told.sources),
        blend_score=told.blend_score,
        history=tuple(
            HistoryContribution(ItemId(part.item_id), part.value) for part in told.history
        ),
        taste_score=told.taste_score,
    )


def _contribution(part: pb.Contribution) -> Contribution:
    return Contribution(part.name, part.value, part.input if part.HasField("input") else None)


def _columns(details: pb.ItemDetails) -> dict[str, object]:
    """Returns the columns under the names that were asked for."""
    columns: dict[str, object] = MessageToDict(details, preserving_proto_field_name=True)
    attributes = columns.pop("attributes", {})
    if columns.pop("create_time", None) is not None:
        columns["created_at"] = _time(details.create_time)
    return {**columns, **(attributes if isinstance(attributes, dict) else {})}


def _time(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)
