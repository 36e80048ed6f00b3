"""From answers to what the store keeps of them: enough to answer the same query again."""

from typing import Any

from recsys.store.impressions import Group, Impression
from serving.answers import Answer


def group_of(answer: Answer) -> Group:
    """Returns what an answer counts for in reports."""
    told, experiment = answer.recommendations, answer.experiment
    name = experiment.name if experiment else ""
    return Group(told.placement, told.bundle_version, name, answer.arm)


def to_impression(answer: Answer) -> Impression:
    """Returns an answer as the log keeps it; without consent it does not say whose it was."""
    items = answer.recommendations.items
    explored = next((item for item in items if item.propensity is not None), None)
    placement, bundle_version, experiment, arm = group_of(answer)
    return Impression(
        request_id=answer.request_id,
        answer_time=answer.answer_time,
        customer_id=None if answer.consent_refused else answer.query.customer_id,
        placement=placement,
        bundle_version=bundle_version,
        experiment=experiment,
        arm=arm,
        experiment_version=answer.experiment.version if answer.experiment else "",
        item_ids=[item.item_id for item in items],
        # Nine digits tell every float32 from all others.
        scores=[float(f"{item.score:.9g}") for item in items],
        sources=[item.source for item in items],
        explored_rank=explored.rank if explored else None,
        propensity=explored.propensity if explored else None,
        query=_asked(answer),
    )


def _asked(answer: Answer) -> dict[str, Any]:
    """Returns what was asked and known, without what is empty."""
    query = answer.query
    asked = {
        "query_time": query.query_time,
        "limit": query.limit,
        "context_item_ids": query.context_item_ids,
        "events": () if answer.consent_refused else query.events,
        "filter": query.filter,
        "exclude_item_ids": query.exclude_item_ids,
        "only_item_ids": query.only_item_ids,
        "market": query.market,
        "exploration": query.exploration.model_dump() if query.exploration else None,
        "last_position": answer.last_position,
        "live_state_missing": answer.live_state_missing,
        "consent_refused": answer.consent_refused,
    }
    return {name: value for name, value in asked.items() if value}
