"""From queries to what callers are told: the state of now, the list, and what is noted of it."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.pipeline.arrangement import Arrangement
from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.store.impressions import ExperimentNote
from serving.answering.basis import Basis, basis_of
from serving.logs import DEPLOYMENT_ARM_FAILED
from serving.state.live_state import Known, LiveState, Purpose
from serving.state.snapshot import Snapshot

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
    basis: Basis | None = None
    """What else it was made from; None: it cannot be made again."""


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
    asking = Asking(snapshot, now, state, purpose)
    return asking.answers(asking.known(queries))


@dataclass(frozen=True, slots=True)
class Asking:
    """What holds for all queries of one call."""

    snapshot: Snapshot
    """What holds now."""
    now: float
    """Unix seconds by the server's clock."""
    state: LiveState
    """Adds what happened since the bundle was fitted."""
    purpose: Purpose
    """What the answers are for."""

    def known(self, queries: Sequence[Query]) -> list[Known]:
        """Returns queries with what is known beside them; all are read in one round trip."""
        return self._completed(queries, self.snapshot.arrangement)

    def answers(
        self, known: Sequence[Known], request_ids: Sequence[str] | None = None
    ) -> list[Answer]:
        """Answers queries of which everything is known.

        Args:
            known: the queries.
            request_ids: of each answer, 32 hexadecimal digits; None: new ones.

        Raises:
            UnknownPlacementError: a query names a placement that is not configured.
            InvalidQueryError: a field is out of range.
            InvalidFilterError: a filter cannot be compiled.
        """
        request_ids = request_ids or [uuid.uuid4().hex for _ in known]
        control = self.snapshot.arrangement.control
        answered = _answered(known, request_ids, control, self._plain)
        return [
            self._answer(one, told, request_id)
            for request_id, (one, told) in zip(request_ids, answered, strict=True)
        ]

    def _plain(self, queries: Sequence[Query]) -> list[Known]:
        return self._completed(queries, self.snapshot.arrangement.without_experiments())

    def _completed(self, queries: Sequence[Query], arrangement: Arrangement) -> list[Known]:
        return self.state.complete(
            queries,
            arrangement,
            purpose=self.purpose,
            erased=self.snapshot.tombstones.hides,
            refusals=self.snapshot.refusals,
        )

    def _answer(self, one: Known, told: Recommendations, request_id: str) -> Answer:
        return Answer(
            query=one.choice.asked(one.asked, request_id),
            recommendations=told,
            request_id=request_id,
            answer_time=int(self.now * 1_000_000),
            catalogue=one.choice.recommender.catalogue,
            experiment=one.choice.experiment,
            arm=one.choice.arm,
            live_event_count=one.live_event_count,
            last_position=one.last_position,
            live_state_missing=one.missing,
            consent_refused=one.consent_refused,
            basis=basis_of(one, self.snapshot),
        )


def _answered(
    known: Sequence[Known],
    request_ids: Sequence[str],
    control: Recommender,
    plain: Callable[[Sequence[Query]], list[Known]],
) -> list[tuple[Known, Recommendations]]:
    """Has each query answered by its own recommender, together with others of the same.

    Args:
        known: the queries with what is known beside them.
        request_ids: of each.
        control: of the current bundle.
        plain: completes queries for the control, in no experiment.
    """
    places: dict[int, list[int]] = {}
    for place, one in enumerate(known):
        places.setdefault(id(one.choice.recommender), []).append(place)
    answers: dict[int, tuple[Known, Recommendations]] = {}
    for own in places.values():
        asked, ids = [known[place] for place in own], [request_ids[place] for place in own]
        try:
            lists = recommended(asked, ids)
        except (InvalidFilterError, InvalidQueryError) as error:
            choice = asked[0].choice
            if choice.recommender is control:
                raise
            # The bundle of an arm may lack a column or a market that the current one has.
            _log.warning(DEPLOYMENT_ARM_FAILED, arm=choice.arm, reason=error.reason)
            asked = plain([one.asked for one in asked])
            lists = recommended(asked, ids)
        answers.update(zip(own, zip(asked, lists, strict=True), strict=True))
    return [answers[place] for place in range(len(known))]


def recommended(asked: Sequence[Known], request_ids: Sequence[str]) -> list[Recommendations]:
    """Returns the lists of queries that one recommender answers."""
    queries = [
        one.choice.asked(one.query, request_id)
        for one, request_id in zip(asked, request_ids, strict=True)
    ]
    return asked[0].choice.recommender.recommend(queries)
