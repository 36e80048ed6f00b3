"""Keeps items apart that are alike: maximal marginal relevance.

Carbonell, Goldstein: The use of MMR, diversity-based reranking for reordering documents and
producing summaries, SIGIR 1998. The next item is the one with the largest
(1 - diversity) * relevance - diversity * likeness, where the likeness is that to the most alike
item that was picked before, and the relevance is the score over the best one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.models.known_items import places_of
from recsys.pipeline.learned_source import LearnedSource
from recsys.pipeline.source import CandidateSource
from recsys.pipeline.sources import VectorSource
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray

WINDOW = 5
"""Items for each place of the list that are weighed against each other."""
LEAST_WINDOW = 50


@dataclass(frozen=True, slots=True, eq=False)
class Likenesses:
    """How alike items are: the cosine of their vectors, at least 0.

    Where one has no vector they are alike, wholly, if they are of one category.
    """

    catalogue: Catalogue
    item_nums: NumArray
    """Shape (trained,), ascending: the items that have a vector."""
    vectors: FloatArray
    """Shape (trained, dim)."""

    def directions(self, nums: NumArray) -> NDArray[np.float64]:
        """Returns vectors of length 1, shape (items, dim), of zeros where there is none."""
        found = np.zeros((len(nums), self.vectors.shape[1]))
        places, known = places_of(self.item_nums, nums)
        rows = self.vectors[places].astype(np.float64)
        lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        found[known] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        return found

    def among(self, nums: NumArray) -> "LikenessAmong":
        """Returns how alike some items are."""
        directions = self.directions(nums)
        known = (directions != 0).any(axis=1)
        return LikenessAmong(directions, known, self.catalogue.category_nums[nums])


@dataclass(frozen=True, slots=True, eq=False)
class LikenessAmong:
    """How alike some items are to each other."""

    directions: NDArray[np.float64]
    known: BoolArray
    categories: NumArray

    def to(self, row: int) -> NDArray[np.float64]:
        """Returns how alike each is to one of them, shape (items,), 0 to 1."""
        same = (self.categories == self.categories[row]) & (self.categories != UNKNOWN)
        by_category: NDArray[np.float64] = same.astype(np.float64)
        if not self.known[row]:
            return by_category
        cosines = np.maximum(self.directions @ self.directions[row], 0.0)
        likeness: NDArray[np.float64] = np.where(self.known, cosines, by_category)
        return likeness


def likenesses(
    catalogue: Catalogue, sources: Mapping[str, CandidateSource], first: Sequence[str]
) -> Likenesses:
    """Returns how alike items are by the first source with vectors, a placement's own first."""
    for name in (*first, *sources):
        source = sources[name]
        inner = source.source if isinstance(source, LearnedSource) else source
        if isinstance(inner, VectorSource):
            return Likenesses(catalogue, inner.model.item_nums, inner.model.vectors)
    return Likenesses(catalogue, np.zeros(0, np.int32), np.zeros((0, 1), np.float32))


class Spread:
    """Whose turn it is among ranked items, so that the list is varied."""

    def __init__(
        self,
        nums: NumArray,
        scores: FloatArray,
        likenesses: Likenesses,
        *,
        diversity: float,
        limit: int,
        listed: Sequence[int],
    ) -> None:
        """Takes the items, best first, and those that the list has already."""
        every = np.concatenate([nums, np.array(listed, dtype=np.int32)])
        self._among = likenesses.among(every)
        self._count = len(nums)
        best = float(scores[0]) if len(scores) else 0.0
        self._relevance = scores.astype(np.float64) / best if best > 0 else np.zeros(len(nums))
        self._diversity = diversity
        self._window = max(LEAST_WINDOW, WINDOW * limit)
        self._likeness = np.zeros(len(nums))
        for place in range(len(listed)):
            self.note(len(nums) + place)

    def next(self, eligible: BoolArray) -> int:
        """Returns the row that is relevant and yet unlike what was picked; ties: the first."""
        rows = np.flatnonzero(eligible)[: self._window]
        relevance = (1.0 - self._diversity) * self._relevance[rows]
        return int(rows[np.argmax(relevance - self._diversity * self._likeness[rows])])

    def note(self, row: int) -> None:
        """Takes note of what was picked."""
        likeness = self._among.to(row)[: self._count]
        self._likeness = np.maximum(self._likeness, likeness)
