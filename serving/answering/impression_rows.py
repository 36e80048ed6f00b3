"""From answers to what the store keeps of them: enough to answer the same query again."""

from typing import Any

from recsys.pipeline.asked import to_asked
from recsys.pipeline.query import Recommendations
from recsys.store.impressions import Group, Impression
from serving.answering.answers import Answer


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
        scores=scores_of(answer.recommendations),
        sources=[item.source for item in items],
        explored_rank=explored.rank if explored else None,
        propensity=explored.propensity if explored else None,
        query=_asked(answer),
    )


def scores_of(told: Recommendations) -> list[float]:
    """Returns scores as the log keeps them: nine digits tell every float32 from all others."""
    return [float(f"{item.score:.9g}") for item in told.items]


def _asked(answer: Answer) -> dict[str, Any]:
    """Returns what was asked and known, without what is empty."""
    asked = to_asked(answer.query)
    if answer.consent_refused:
        asked.pop("events", None)
    known = {
        "last_position": answer.last_position,
        "live_state_missing": answer.live_state_missing,
        "consent_refused": answer.consent_refused,
        "basis": answer.basis.noted() if answer.basis else None,
    }
    return asked | {name: value for name, value in known.items() if value}
