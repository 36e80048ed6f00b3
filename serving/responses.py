"""From answers of the library to responses of the contract."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.query import RecommendedItem as Item
from recsys.types import Tier
from recsys.v1 import recommendation_service_pb2 as pb
from serving.details import DetailsReader

TIERS = {
    Tier.PERSONALISED: pb.TIER_PERSONALISED,
    Tier.SESSION: pb.TIER_SESSION,
    Tier.SEGMENT: pb.TIER_SEGMENT,
    Tier.POPULAR: pb.TIER_POPULAR,
}


def to_response(
    answer: Recommendations, query: Query, details: DetailsReader
) -> pb.RecommendResponse:
    """Returns the response that carries one answer."""
    return pb.RecommendResponse(
        items=_items(answer.items, details),
        tier=TIERS[answer.tier],
        bundle_version=answer.bundle_version,
        data_end_time=Timestamp(seconds=answer.trained_until),
        missing_item_ids=answer.missing_item_ids,
        page_size=query.limit,
        query_time=Timestamp(seconds=query.query_time),
    )


def to_batch_response(
    answers: Sequence[Recommendations], queries: Sequence[Query], details: DetailsReader
) -> pb.RecommendBatchResponse:
    """Returns one message with the answers of at least one customer of a batch."""
    results = [
        pb.CustomerRecommendations(
            customer_id=query.customer_id or "",
            items=_items(answer.items, details),
            tier=TIERS[answer.tier],
        )
        for answer, query in zip(answers, queries, strict=True)
    ]
    return pb.RecommendBatchResponse(
        results=results,
        bundle_version=answers[0].bundle_version,
        data_end_time=Timestamp(seconds=answers[0].trained_until),
        page_size=queries[0].limit,
        query_time=Timestamp(seconds=queries[0].query_time),
    )


def _items(items: Sequence[Item], details: DetailsReader) -> list[pb.RecommendedItem]:
    messages = [
        pb.RecommendedItem(
            item_id=item.item_id,
            score=item.score,
            rank=item.rank,
            source=item.source,
            reason=pb.Reason(
                code=item.reason.code, item_ids=item.reason.item_ids, count=item.reason.count
            ),
        )
        for item in items
    ]
    if details:
        columns = details.read([item.item_num for item in items])
        for message, read in zip(messages, columns, strict=True):
            message.details.CopyFrom(read)
    return messages
