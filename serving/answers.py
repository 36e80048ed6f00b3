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
from serving.live_state import LiveState, Purpose
from serving.logs import DEPLOYMENT_ARM_FAILED
from serving.snapshot import Snapshot

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """One list with everything that is said about it."""

    query: Query
    """As it was asked, of the customer whom a visitor turned out to be."""
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
    live_event_count: int = 0
    """Events that the answer knows and its bundle does not."""
    last_position: int = 0
    """In the store's log, of the newest of those; 0: there is none."""
    live_state_missing: bool = False
    """Whether the store could not be read."""
    consent_refused: bool = False
    """Whether the list was made as for somebody unknown, because the customer wants that."""


def answer_all(
    snapshot: Snapshot,
    queries: Sequence[Query],
    now: float,
    *,
    state: LiveState,
    purpose: Purpose = "recommend_on_site",
) -> list[Answer]:
    """Answers queries in their order, all from one snapshot.

    Args:
        snapshot: what holds now.
        queries: in any mix of placements.
        now: Unix seconds by the server's clock.
        state: adds what happened since the bundle was fitted.
        purpose: what the lists are for.

    Raises:
        UnknownPlacementError: a query names a placement that is not configured.
        InvalidQueryError: a field is out of range.
        InvalidFilterError: a filter cannot be compiled.
    """
    known = state.complete(
        queries, snapshot.arrangement, purpose=purpose, erased=snapshot.tombstones.hides
    )
    request_ids = [uuid.uuid4().hex for _ in queries]
    drawn = [
        replace(one.query, exploration=one.choice.exploration, seed=request_id)
        if one.choice.exploration
        else one.query
        for one, request_id in zip(known, request_ids, strict=True)
    ]
    answered = _answered(drawn, [one.choice for one in known], snapshot.recommender)
    return [
        Answer(
            query=replace(one.asked, exploration=query.exploration, seed=query.seed),
            recommendations=told,
            request_id=request_id,
            answer_time=int(now * 1_000_000),
            catalogue=choice.recommender.catalogue,
            experiment=choice.experiment,
            arm=choice.arm,
            live_event_count=one.live_event_count,
            last_position=one.last_position,
            live_state_missing=one.missing,
            consent_refused=one.consent_refused,
        )
        for one, query, request_id, (choice, told) in zip(
            known, drawn, request_ids, answered, strict=True
        )
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
