"""Orders items that somebody gives, such as results of a search.

The order is that of a placement's list without end: its sources, its ranker and its fill sources
judge the given items as they judge the shop's, so what a list shows first comes first here, too.
Where they see no difference, and where they know nothing, the items keep the order they came in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.pipeline.blend import Pool
from recsys.pipeline.popular_sources import LEAST
from recsys.pipeline.query import Ranked, Reason, RecommendedItem
from recsys.pipeline.request import Request
from recsys.pipeline.source import Scores
from recsys.types import NumArray

GIVEN = "given"
"""Source of items that nothing is known of."""
_AS_GIVEN = Reason("as-given")


@dataclass(frozen=True, slots=True)
class AsGiven:
    """Gives what nobody has a word for, where rules decide about the list."""

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


def left_of(given_nums: NumArray, items: Sequence[RecommendedItem]) -> NumArray:
    """Returns the given items that are not listed yet, as they came."""
    listed = {item.item_num for item in items}
    return np.array([num for num in given_nums.tolist() if num not in listed], dtype=np.int32)


def best_of(found: Scores, item_nums: NumArray) -> NumArray:
    """Returns the items that a source knows something of, its best first; ties as they came."""
    scores = found.of(item_nums)
    order = np.argsort(-scores, kind="stable")
    return item_nums[order[scores[order] > LEAST]]


def as_given(item_nums: NumArray, first_rank: int, catalogue: Catalogue) -> list[RecommendedItem]:
    """Returns items that nobody has a word for, in this order."""
    return [
        RecommendedItem(catalogue.items.id(num), num, 0.0, rank, GIVEN, _AS_GIVEN)
        for rank, num in enumerate(item_nums.tolist(), start=first_rank)
    ]
