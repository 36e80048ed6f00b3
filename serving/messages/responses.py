"""From answers of the library to responses of the contract."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.pipeline.recommender import Recommender
from recsys.types import Tier
from recsys.v1 import recommendation_service_pb2 as pb
from serving.answering.answers import Answer
from serving.messages.details import DetailsReader
from serving.messages.lists import to_items, to_reason

TIERS = {
    Tier.PERSONALISED: pb.TIER_PERSONALISED,
    Tier.SESSION: pb.TIER_SESSION,
    Tier.SEGMENT: pb.TIER_SEGMENT,
    Tier.POPULAR: pb.TIER_POPULAR,
}


def to_response(answer: Answer, details: DetailsReader) -> pb.RecommendResponse:
    """Returns the response that carries one answer."""
    told, query = answer.recommendations, answer.query
    return pb.RecommendResponse(
        items=to_items(told.items, details.of(answer.catalogue)),
        tier=TIERS[told.tier],
        bundle_version=told.bundle_version,
        data_end_time=Timestamp(seconds=told.trained_until),
        missing_item_ids=told.missing_item_ids,
        page_size=query.limit,
        query_time=Timestamp(seconds=query.query_time),
        attribution_token=answer.attribution_token,
        request_id=answer.request_id,
        experiment=answer.experiment.name if answer.experiment else "",
        arm=answer.arm,
        live_event_count=answer.live_event_count,
        live_state_missing=answer.live_state_missing,
        consent_refused=answer.consent_refused,
        title=None if told.title is None else to_reason(told.title),
        relaxed_rules=told.relaxed_rules,
    )


def to_batch_response(
    recommender: Recommender, answers: Sequence[Answer], details: DetailsReader
) -> pb.RecommendBatchResponse:
    """Returns one message with the answers of at least one customer of a batch."""
    query = answers[0].query
    version = recommender.bundle_version
    return pb.RecommendBatchResponse(
        results=[_result(answer, details, version) for answer in answers],
        bundle_version=version,
        data_end_time=Timestamp(seconds=recommender.trained_until),
        page_size=query.limit,
        query_time=Timestamp(seconds=query.query_time),
    )


def to_page_response(
    answers: Sequence[Answer], details: DetailsReader
) -> pb.RecommendPageResponse:
    """Returns the response that carries the lists of a page."""
    return pb.RecommendPageResponse(slots=[to_response(answer, details) for answer in answers])


def to_order_response(answer: Answer) -> pb.RankItemsResponse:
    """Returns the response that carries the given items in their order."""
    told, there = answer.recommendations, answer.catalogue.has
    listed = {item.item_id for item in told.items}
    left_out = [each for each in answer.query.only_item_ids if each not in listed]
    return pb.RankItemsResponse(
        items=to_items(told.items),
        tier=TIERS[told.tier],
        bundle_version=told.bundle_version,
        missing_item_ids=[each for each in left_out if not there(each)],
        forbidden_item_ids=[each for each in left_out if there(each)],
        attribution_token=answer.attribution_token,
        request_id=answer.request_id,
    )


def _result(
    answer: Answer, details: DetailsReader, bundle_version: str
) -> pb.CustomerRecommendations:
    told = answer.recommendations
    return pb.CustomerRecommendations(
        customer_id=answer.query.customer_id or "",
        items=to_items(told.items, details.of(answer.catalogue)),
        tier=TIERS[told.tier],
        attribution_token=answer.attribution_token,
        request_id=answer.request_id,
        experiment=answer.experiment.name if answer.experiment else "",
        arm=answer.arm,
        consent_refused=answer.consent_refused,
        bundle_version="" if told.bundle_version == bundle_version else told.bundle_version,
        live_state_missing=answer.live_state_missing,
    )
