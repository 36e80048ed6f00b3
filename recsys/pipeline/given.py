"""Orders items that somebody gives, such as results of a search.

The order is that of a placement's list without end: its sources, its ranker and its fill sources
judge the given items as they judge the shop's, so what a list shows first comes first here, too.
Where they see no difference, and where they know nothing, the items keep the order they came in.
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.pipeline.blend import Pool
from recsys.pipeline.popular_sources import LEAST
from recsys.pipeline.query import Ranked, Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import Scores
from recsys.types import NumArray

GIVEN = "given"
"""Source of items that nothing is known of."""
_AS_GIVEN = Reason("as-given")


@dataclass(frozen=True, slots=True)
class AsGiven:
    """Gives what nobody has a word for."""

    name: str = GIVEN

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items stand as they came."""
        return [_AS_GIVEN] * len(item_nums)


def for_ranker(request: Request, candidates: Pool) -> Request:
    """Returns the request that a ranker is to answer: for a page with room for all candidates.

    Given items may stand anywhere in the blend, and the ranker is to order every one of them.
    """
    if request.given_nums is None:
        return request
    places = max(request.query.limit, len(candidates.item_nums))
    return replace(request, query=replace(request.query, limit=places))


def only_given(request: Request, ranked: Ranked) -> tuple[Request, Ranked]:
    """Returns a request and its ranked items without all that was not given and may be shown."""
    if request.given_nums is None:
        return request, ranked
    narrow = request.only_given()
    rows = np.flatnonzero(narrow.allowed[ranked.item_nums])
    came = np.zeros(len(narrow.allowed), dtype=np.int64)
    came[request.given_nums] = np.arange(len(request.given_nums))
    rows = rows[np.lexsort((came[ranked.item_nums[rows]], -ranked.scores[rows]))]
    return narrow, Ranked(ranked.item_nums[rows], ranked.scores[rows], ranked.parts[rows])


def best_of(found: Scores, item_nums: NumArray) -> NumArray:
    """Returns the items that a source knows something of, its best first; ties as they came."""
    scores = found.of(item_nums)
    order = np.argsort(-scores, kind="stable")
    return item_nums[order[scores[order] > LEAST]]
