"""The reference index: scores every row with numpy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.index.protocol import Allowed, IndexKind
from recsys.index.rows import RowArray, checked_vectors, nums_file, search_rows
from recsys.types import BoolArray, FloatArray, NumArray


@dataclass(frozen=True, slots=True, eq=False)
class ExactIndex:
    """Brute force; the lowest item numbers win among equal scores, also at the cut."""

    vectors: FloatArray
    """Shape (rows, dim) float32, read-only."""
    item_nums: NumArray
    """Shape (rows,) int32, ascending, read-only."""

    @classmethod
    def build(cls, vectors: FloatArray, item_nums: NumArray) -> "ExactIndex":
        """Takes item vectors (rows, dim) and the item number of each row, ascending.

        Raises:
            ValueError: shapes that do not fit, numbers out of order, or a vector not finite.
        """
        return cls(*checked_vectors(vectors, item_nums))

    @classmethod
    def load(cls, folder: Path, name: str, *, mmap: bool = True) -> "ExactIndex":
        """Reads what `save` wrote; verify the files' checksums before."""
        vectors = np.load(vectors_file(folder, name), mmap_mode="r" if mmap else None)
        item_nums = np.load(nums_file(folder, name), mmap_mode="r" if mmap else None)
        return cls(*checked_vectors(vectors, item_nums))

    @property
    def kind(self) -> IndexKind:
        """How this index finds its answer."""
        return IndexKind.EXACT

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def search(
        self, queries: FloatArray, limit: int, allowed: Allowed = None
    ) -> tuple[NumArray, FloatArray]:
        """Finds the best items for each query: see `VectorIndex.search`."""
        return search_rows(
            self._scan,
            self.item_nums,
            self.dim,
            queries=queries,
            limit=limit,
            allowed=allowed,
        )

    def _scan(
        self, query: FloatArray, wanted: int, mask: BoolArray | None
    ) -> tuple[RowArray, FloatArray]:
        # All rows are scored even under a filter: another shape could change the last bits.
        scores = self.vectors @ query
        rows = np.arange(len(scores)) if mask is None else np.flatnonzero(mask)
        found = scores[rows]
        cut = np.partition(found, len(found) - wanted)[len(found) - wanted]
        above = np.flatnonzero(found > cut)
        ties = np.flatnonzero(found == cut)[: wanted - len(above)]
        best = np.concatenate((above, ties))
        return rows[best], found[best]

    def save(self, folder: Path, name: str) -> None:
        """Writes `<name>.vectors.npy` and `<name>.item_nums.npy`."""
        np.save(vectors_file(folder, name), self.vectors)
        np.save(nums_file(folder, name), self.item_nums)


def vectors_file(folder: Path, name: str) -> Path:
    """Returns where an exact index keeps its vectors."""
    return folder / f"{name}.vectors.npy"
