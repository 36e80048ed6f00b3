"""Rows of weights between items, and what a history asks of them."""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from recsys.models.protocol import Arrays
from recsys.types import FloatArray, NumArray, OffsetArray


@dataclass(frozen=True, slots=True, eq=False)
class SparseRows:
    """A model that is nothing but weights: row i says what item i adds to other items.

    Weights may be of either sign; an item stands at most once in a row.
    """

    offsets: OffsetArray
    """Shape (items + 1,): row i is item_nums[offsets[i]:offsets[i + 1]]."""
    item_nums: NumArray
    weights: FloatArray
    matrix: csr_array = field(init=False, repr=False)
    """The same as a matrix over the same memory."""

    def __post_init__(self) -> None:
        items = len(self.offsets) - 1
        # Offsets of another type than the numbers would make SciPy copy the numbers.
        offsets = self.offsets.astype(self.item_nums.dtype)
        matrix = csr_array((self.weights, self.item_nums, offsets), shape=(items, items))
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def of(cls, matrix: csr_array) -> "SparseRows":
        """Returns the rows of a matrix, items x items."""
        rows = csr_array(matrix)
        rows.sort_indices()
        return cls(
            rows.indptr.astype(np.int64),
            rows.indices.astype(np.int32),
            rows.data.astype(np.float32),
        )

    @classmethod
    def restore(cls, arrays: Arrays) -> "SparseRows":
        """Returns the rows whose `arrays()` are among these."""
        own = {name: arrays[name] for name in ("offsets", "item_nums", "weights")}
        return cls(**own)  # type: ignore[arg-type]  # arrays() wrote these types

    def arrays(self) -> Arrays:
        """Returns the rows as flat arrays."""
        return {"offsets": self.offsets, "item_nums": self.item_nums, "weights": self.weights}

    def __len__(self) -> int:
        """Returns the number of weights."""
        return len(self.weights)

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items with a sum of seed weight times row weight above 0.

        Args:
            seeds: item numbers, shape (seeds,).
            weights: of the seeds, shape (seeds,).

        Returns:
            Item numbers, ascending, and sums, both shape (items,).
        """
        sums = self.matrix[seeds].T @ weights
        found = np.flatnonzero(sums > 0)
        return found.astype(np.int32), sums[found].astype(np.float32, copy=False)

    def towards(self, item_num: int) -> FloatArray:
        """Returns what each item adds to one item's score, shape (items,)."""
        found = np.zeros(len(self.offsets) - 1, dtype=np.float32)
        places = np.flatnonzero(self.item_nums == item_num)
        found[np.searchsorted(self.offsets, places, side="right") - 1] = self.weights[places]
        return found

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        parts = self.matrix[seeds][:, item_nums].toarray() * weights[:, None]
        strongest: NumArray = seeds[np.argmax(parts, axis=0)]
        return strongest
