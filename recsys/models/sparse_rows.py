"""Rows of weights between items, and what a history asks of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.types import FloatArray, NumArray, OffsetArray


@dataclass(frozen=True, slots=True, eq=False)
class SparseRows:
    """Row i says what item i adds to other items: item_nums[offsets[i]:offsets[i + 1]].

    Weights may be of either sign; an item stands at most once in a row.
    """

    offsets: OffsetArray
    """Shape (items + 1,)."""
    item_nums: NumArray
    weights: FloatArray

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items with a sum of seed weight times row weight above 0.

        Args:
            seeds: item numbers, shape (seeds,).
            weights: of the seeds, shape (seeds,).

        Returns:
            Item numbers, ascending, and sums, both shape (items,).
        """
        places, owners = self._places(seeds)
        parts = weights[owners] * self.weights[places]
        nums = self.item_nums[places]
        sums = np.bincount(nums, weights=parts, minlength=len(self.offsets) - 1)
        found = np.flatnonzero(sums > 0)
        return found.astype(np.int32), sums[found].astype(np.float32)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        places, owners = self._places(seeds)
        nums, parts = self.item_nums[places], weights[owners] * self.weights[places]
        asked = np.isin(nums, item_nums)
        nums, parts, owners = nums[asked], parts[asked], owners[asked]
        order = np.lexsort((owners, -parts, nums))
        best = order[np.searchsorted(nums[order], item_nums)]
        return seeds[owners[best]]

    def _places(self, seeds: NumArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Returns flat places of the seeds' rows, and which seed each belongs to."""
        starts, ends = self.offsets[seeds], self.offsets[seeds + 1]
        lengths = ends - starts
        owners = np.repeat(np.arange(len(seeds)), lengths)
        before = np.cumsum(lengths) - lengths
        return np.arange(int(lengths.sum())) - (before - starts)[owners], owners
