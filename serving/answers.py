"""From queries to what callers are told: the state of now, the list, and what is noted of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from recsys.pipeline.query import Query, Recommendations
from serving.snapshot import Snapshot


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
    return [
        Answer(query, recommendations, uuid.uuid4().hex, int(now * 1_000_000))
        for query, recommendations in zip(
            queries, snapshot.recommender.recommend(queries), strict=True
        )
    ]
