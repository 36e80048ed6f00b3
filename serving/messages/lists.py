"""From places of a list to items of the contract."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.pipeline.explanation import Contribution, Explanation
from recsys.pipeline.query import Reason, Replenishment
from recsys.pipeline.query import RecommendedItem as Item
from recsys.v1 import recommendation_service_pb2 as pb
from serving.messages.details import DetailsReader


def to_items(
    items: Sequence[Item], details: DetailsReader | None = None
) -> list[pb.RecommendedItem]:
    """Returns the places of a list, with the columns that were asked for."""
    messages = [_item(item) for item in items]
    if details:
        columns = details.read([item.item_num for item in items])
        for message, read in zip(messages, columns, strict=True):
            message.details.CopyFrom(read)
    return messages


def to_reason(reason: Reason) -> pb.Reason:
    """Returns a reason of the contract."""
    return pb.Reason(
        code=reason.code,
        item_ids=reason.item_ids,
        count=reason.count,
        date=None if reason.date is None else Timestamp(seconds=reason.date),
        label=reason.label,
    )


def _item(item: Item) -> pb.RecommendedItem:
    message = pb.RecommendedItem(
        item_id=item.item_id,
        score=item.score,
        rank=item.rank,
        source=item.source,
        reason=to_reason(item.reason),
        propensity=item.propensity,
    )
    for move in item.moves:
        message.moves.add(rule=move.rule, from_rank=move.from_rank, to_rank=move.to_rank)
    if item.replenishment is not None:
        message.replenishment.CopyFrom(_replenishment(item.replenishment))
    if item.explanation is not None:
        message.explanation.CopyFrom(_explanation(item.explanation))
    return message


def _replenishment(expected: Replenishment) -> pb.Replenishment:
    return pb.Replenishment(
        due_time=Timestamp(seconds=expected.due_time),
        probability_7_days=expected.probability_7_days,
        probability_14_days=expected.probability_14_days,
        probability_28_days=expected.probability_28_days,
    )


def _explanation(told: Explanation) -> pb.Explanation:
    return pb.Explanation(
        features=[_contribution(part) for part in told.features],
        ranker_base=told.ranker_base,
        ranker_score=told.ranker_score,
        sources=[_contribution(part) for part in told.sources],
        blend_score=told.blend_score,
        history=[
            pb.HistoryContribution(item_id=part.item_id, value=part.value) for part in told.history
        ],
        taste_score=told.taste_score,
    )


def _contribution(part: Contribution) -> pb.Contribution:
    return pb.Contribution(name=part.name, value=part.value, input=part.input)
