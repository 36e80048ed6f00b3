"""What a source says of the items to one request: scores, and the best of them."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from recsys.index.protocol import VectorIndex
from recsys.models.known_items import places_of
from recsys.types import BoolArray, FloatArray, NumArray

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

    def allowing(self, allowed: BoolArray) -> "Scores":
        """Returns the same scores where other items are allowed, shape (items,)."""
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

    def allowing(self, allowed: BoolArray) -> "ListedScores":
        """Returns the same scores under another mask."""
        return replace(self, allowed=allowed)


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

    def allowing(self, allowed: BoolArray) -> "VectorScores":
        """Returns the same scores under another mask."""
        return replace(self, allowed=allowed)


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
