"""From queries to what callers are told: the state of now, the list, and what is noted of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.pipeline.arrangement import Choice
from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.store.impressions import ExperimentNote
from serving.logs import DEPLOYMENT_ARM_FAILED
from serving.snapshot import Snapshot

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """One list with everything that is said about it."""

    query: Query
    """As it was answered: with the events of the store."""
    recommendations: Recommendations
    request_id: str
    """32 hexadecimal digits."""
    answer_time: int
    """Microseconds since 1970, UTC, by the server's clock, whatever time the query is for."""
    catalogue: Catalogue
    """Whose numbers the items have: an experiment may answer from another bundle."""
    experiment: ExperimentNote | None = None
    """None: the answer is part of none."""
    arm: str = ""
    """Empty without an experiment."""
    attribution_token: str = ""
    """Empty without a store."""


def answer_all(snapshot: Snapshot, queries: Sequence[Query], now: float) -> list[Answer]:
    """Answers queries in their order, all from one snapshot.

    Args:
        snapshot: what holds now.
        queries: in any mix of placements.
        now: Unix seconds by the server's clock.

    Raises:
        UnknownPlacementError: a query names a placement that is not configured.
        InvalidQueryError: a field is out of range.
        InvalidFilterError: a filter cannot be compiled.
    """
    choices = [snapshot.arrangement.choose(query) for query in queries]
    request_ids = [uuid.uuid4().hex for _ in queries]
    asked = [
        replace(query, exploration=choice.exploration, seed=request_id)
        if choice.exploration
        else query
        for query, choice, request_id in zip(queries, choices, request_ids, strict=True)
    ]
    answered = _answered(asked, choices, snapshot.recommender)
    return [
        Answer(
            query=query,
            recommendations=told,
            request_id=request_id,
            answer_time=int(now * 1_000_000),
            catalogue=choice.recommender.catalogue,
            experiment=choice.experiment,
            arm=choice.arm,
        )
        for query, request_id, (choice, told) in zip(asked, request_ids, answered, strict=True)
    ]


def _answered(
    queries: Sequence[Query], choices: Sequence[Choice], control: Recommender
) -> list[tuple[Choice, Recommendations]]:
    """Has each query answered by its own recommender, together with others of the same."""
    places: dict[int, list[int]] = {}
    for place, choice in enumerate(choices):
        places.setdefault(id(choice.recommender), []).append(place)
    answers: dict[int, tuple[Choice, Recommendations]] = {}
    for own in places.values():
        asked, chosen = [queries[place] for place in own], [choices[place] for place in own]
        try:
            lists = chosen[0].recommender.recommend(asked)
        except (InvalidFilterError, InvalidQueryError) as error:
            if chosen[0].recommender is control:
                raise
            # The bundle of an arm may lack a column or a market that the current one has.
            _log.warning(DEPLOYMENT_ARM_FAILED, arm=chosen[0].arm, reason=error.reason)
            lists = control.recommend(asked)
            chosen = [Choice(control, exploration=choice.exploration) for choice in chosen]
        answers.update(zip(own, zip(chosen, lists, strict=True), strict=True))
    return [answers[place] for place in range(len(queries))]
