"""From what placements and their answers are to messages of the contract."""

from collections.abc import Mapping

from recsys.live.placement_settings import Answers
from recsys.pipeline.answers import CustomerRecommendations, LabelRecommendations
from recsys.pipeline.arrangement import Arrangement
from recsys.pipeline.listing import PlacementListing, placement_listings
from recsys.v1 import recommendation_service_pb2 as pb
from serving.messages.lists import to_reason
from serving.messages.responses import TIERS

_ANSWERS: Mapping[Answers, "pb.Answers.ValueType"] = {
    "items": pb.ANSWERS_ITEMS,
    "labels": pb.ANSWERS_LABELS,
    "customers": pb.ANSWERS_CUSTOMERS,
}


def to_labels_response(told: LabelRecommendations) -> pb.RecommendLabelsResponse:
    """Returns the response that carries labels."""
    return pb.RecommendLabelsResponse(
        labels=[
            pb.RecommendedLabel(
                label=each.label, score=each.score, rank=each.rank, reason=to_reason(each.reason)
            )
            for each in told.labels
        ],
        tier=TIERS[told.tier],
        bundle_version=told.bundle_version,
        column=told.column,
    )


def to_customers_response(told: CustomerRecommendations) -> pb.RecommendCustomersResponse:
    """Returns the response that carries customers."""
    return pb.RecommendCustomersResponse(
        customers=[
            pb.RecommendedCustomer(customer_id=each.customer_id, score=each.score, rank=each.rank)
            for each in told.customers
        ],
        bundle_version=told.bundle_version,
    )


def to_placements_response(arrangement: Arrangement) -> pb.ListPlacementsResponse:
    """Returns the response that says what placements there are."""
    return pb.ListPlacementsResponse(
        placements=[
            _placement(listing, arrangement) for listing in placement_listings(arrangement.control)
        ],
        bundle_version=arrangement.control.bundle_version,
    )


def _placement(listing: PlacementListing, arrangement: Arrangement) -> pb.Placement:
    rules = arrangement.deployment.rule_set(listing.name)
    return pb.Placement(
        name=listing.name,
        description=listing.description,
        answers=_ANSWERS[listing.answers],
        uses_context=listing.uses_context,
        sources=[pb.PlacementSource(name=use.name, weight=use.weight) for use in listing.sources],
        ranked=listing.ranked,
        fill=listing.fill,
        may_be_short=listing.may_be_short,
        rules=rules.rules if rules else (),
        filter_names=rules.filters if rules else (),
    )
