"""What a source is: it scores the items of the shop for one request."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recsys.index.protocol import VectorIndex
from recsys.models.known_items import places_of
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.types import BoolArray, FloatArray, NumArray, Tier

Scored = tuple[NumArray, FloatArray]
"""Distinct item numbers and scores of one query, both shape (rows,), best first."""

NOTHING: Scored = (np.zeros(0, np.int32), np.zeros(0, np.float32))


class Scores(Protocol):
    """What one source says of the items to one request."""

    def best(self, limit: int) -> Scored:
        """Returns at most `limit` distinct, allowed items, best first, with scores above 0.

        Fewer, or none, where the source has nothing to go on.
        """
        ...

    def of(self, item_nums: NumArray) -> FloatArray:
        """Returns the scores of any items, shape (items,) float32, finite.

        The same scale as `best`; 0 or below for an item that this source would not give.
        """
        ...


class Explaining(Protocol):
    """Gives items and says why."""

    @property
    def name(self) -> str:
        """Returns the name that stands in answers."""
        ...

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Returns why this source gives each of these items."""
        ...


class CandidateSource(Explaining, Protocol):
    """Scores items for a request.

    What it says to a request depends on nothing else: not on the other requests of a batch, not
    on what was asked before.
    """

    @property
    def name(self) -> str:
        """Returns the name that placements use."""
        ...

    def scores(self, request: Request) -> Scores:
        """Returns what this source says of the items to the request."""
        ...

    def tier(self, request: Request) -> Tier:
        """Returns how much the items of this source know about this request's customer."""
        ...

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Returns why this source gives each of these items, all with scores above 0."""
        ...


class HistoryParts(NamedTuple):
    """What the items of a history add to the scores of items."""

    seeds: NumArray
    """Shape (seeds,): the items of the history, as the source sees it."""
    parts: NDArray[np.float64]
    """Shape (items, seeds)."""


@runtime_checkable
class Adding(Protocol):
    """A source whose scores are sums over the history."""

    def history_parts(self, request: Request, item_nums: NumArray) -> HistoryParts | None:
        """Returns the parts of the scores of items; None where the source cannot tell them.

        A row adds up to the score that `scores(request).of` gives.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ListedScores:
    """Scores of some items; all others have 0."""

    item_nums: NumArray
    """Shape (listed,), ascending, distinct."""
    values: FloatArray
    """Shape (listed,)."""
    allowed: BoolArray
    """Shape (items,): what `best` may give."""

    def best(self, limit: int) -> Scored:
        """Returns the best allowed items with a score above 0; ties by item number."""
        return best(self.item_nums, self.values, self.allowed, limit)

    def of(self, item_nums: NumArray) -> FloatArray:
        """Returns the listed scores, 0 for items that are not listed."""
        found = np.zeros(len(item_nums), dtype=np.float32)
        places, known = places_of(self.item_nums, item_nums)
        found[known] = self.values[places]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class VectorScores:
    """Inner products of one vector with the items' vectors, searched through an index."""

    vector: FloatArray | None
    """Shape (dim,); None says nothing of any item."""
    index: VectorIndex
    item_nums: NumArray
    """Shape (trained,), ascending: the items that have a vector."""
    vectors: FloatArray
    """Shape (trained, dim)."""
    allowed: BoolArray

    def best(self, limit: int) -> Scored:
        """Returns the items with the largest inner products above 0, as the index finds them."""
        if self.vector is None:
            return NOTHING
        nums, scores = self.index.search(self.vector[None, :], limit, [self.allowed])
        positive = (nums[0] >= 0) & (scores[0] > 0)
        return nums[0][positive], scores[0][positive]

    def of(self, item_nums: NumArray) -> FloatArray:
        """Returns the exact inner products, 0 for items without a vector."""
        found = np.zeros(len(item_nums), dtype=np.float32)
        if self.vector is not None:
            places, known = places_of(self.item_nums, item_nums)
            found[known] = self.vectors[places] @ self.vector
        return found


def best(nums: NumArray, scores: FloatArray, allowed: BoolArray, limit: int) -> Scored:
    """Returns the best allowed items with a score above 0; ties by item number.

    Args:
        nums: distinct item numbers, shape (rows,).
        scores: shape (rows,).
        allowed: shape (items,).
        limit: items at most.
    """
    kept = allowed[nums] & (scores > 0)
    nums, scores = nums[kept], scores[kept]
    if len(nums) > 4 * limit:
        # Everything tied with the last place stays, so that ties go by item number.
        bar = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        near = scores >= bar
        nums, scores = nums[near], scores[near]
    order = np.lexsort((nums, -scores))[:limit]
    return nums[order], scores[order]
