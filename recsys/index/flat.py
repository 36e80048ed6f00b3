"""FAISS scan of every row: exact, and quick enough for hundreds of thousands of items."""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from recsys.index.faiss_file import faiss_file
from recsys.index.protocol import Allowed, IndexKind
from recsys.index.rows import RowArray, checked_vectors, nums_file, search_rows
from recsys.types import BoolArray, FloatArray, NumArray

LISTED_SHARE = 0.5
"""Share of the rows under which a filter's rows are listed: up to five times as quick."""


@dataclass(frozen=True, slots=True, eq=False)
class FlatIndex:
    """Exact inner products; which of several equal scores stand at the cut is FAISS's choice."""

    rows: faiss.IndexFlat
    item_nums: NumArray
    """Shape (rows,) int32, ascending, read-only."""

    @classmethod
    def build(cls, vectors: FloatArray, item_nums: NumArray) -> "FlatIndex":
        """Takes item vectors (rows, dim) and the item number of each row, ascending.

        Raises:
            ValueError: shapes that do not fit, numbers out of order, or a vector not finite.
        """
        vectors, item_nums = checked_vectors(vectors, item_nums)
        rows = faiss.IndexFlatIP(vectors.shape[1])
        rows.add(vectors)
        return cls(rows, item_nums)

    @property
    def kind(self) -> IndexKind:
        """How this index finds its answer."""
        return IndexKind.FLAT

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.rows.d)

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
        return scan_flat(self.rows, query, wanted, mask)

    def save(self, folder: Path, name: str) -> None:
        """Writes `<name>.faiss` and `<name>.item_nums.npy`."""
        faiss.write_index(self.rows, str(faiss_file(folder, name)))
        np.save(nums_file(folder, name), self.item_nums)


def scan_flat(
    rows: faiss.IndexFlat, query: FloatArray, wanted: int, mask: BoolArray | None
) -> tuple[RowArray, FloatArray]:
    """Returns the best rows of one query (dim,) and their scores, from all that `mask` keeps."""
    parameters = None
    if mask is not None:
        # FAISS asks a bitmap about every row; of a list of rows it meets those alone.
        if np.count_nonzero(mask) < LISTED_SHARE * len(mask):
            selector = faiss.IDSelectorArray(np.flatnonzero(mask))
        else:
            selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        parameters = faiss.SearchParameters(sel=selector)
    return found(rows, query, wanted, parameters)


def found(
    index: faiss.Index, query: FloatArray, wanted: int, parameters: faiss.SearchParameters | None
) -> tuple[RowArray, FloatArray]:
    """Returns the rows that FAISS finds for one query, best first, without its -1 padding."""
    # Counts for the calling thread only, so it is said in every thread that searches.
    faiss.omp_set_num_threads(1)
    scores, rows = index.search(query[None], wanted, params=parameters)
    real = rows[0] >= 0
    return rows[0][real], scores[0][real]
