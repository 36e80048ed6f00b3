"""What every vector index promises: the items whose vectors point most along a query's."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from recsys.types import BoolArray, FloatArray, NumArray

Allowed: TypeAlias = BoolArray | Sequence[BoolArray | None] | None
"""Which items a search may return: a (n_items,) bool mask for all queries, or one mask (or None)
per query; None: every indexed item."""


class IndexKind(StrEnum):
    """How an index finds its answer."""

    EXACT = "exact"
    """Numpy scan: the reference that the others are measured against."""
    FLAT = "flat"
    """FAISS scan of all rows; exact."""
    HNSW = "hnsw"
    """FAISS graph search; approximate, exact under narrow filters."""


class VectorIndex(Protocol):
    """Maximum inner product search over the items that have a vector.

    Rows are ours, item numbers are the caller's: an index holds a subset of the catalogue, and
    everything that goes in or comes out speaks item numbers. An index never changes once built
    and is safe to search from several threads.

    Every implementation keeps this contract:

    * Scores are inner products of query and item vector, float32, within rounding.
    * Best first; equal scores in order of item number. An exact implementation also keeps the
      lowest item numbers among equal scores at the cut, where it says so.
    * A query's items are distinct, indexed, and allowed by its mask.
    * The count is full: min(limit, indexed items that are allowed). What remains of a row is
      `UNKNOWN` with score -inf.
    * An answer depends on its own query and mask only: it is the same bit for bit for any
      batch around it.
    """

    @property
    def kind(self) -> IndexKind:
        """How this index finds its answer."""

    @property
    def item_nums(self) -> NumArray:
        """Item number of each row, shape (rows,) int32, ascending; read-only."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def search(
        self, queries: FloatArray, limit: int, allowed: Allowed = None
    ) -> tuple[NumArray, FloatArray]:
        """Finds the best items for each query.

        Args:
            queries: shape (queries, dim) float32, finite.
            limit: items wanted for each query, at least 1.
            allowed: masks over item numbers; longer than the indexed items is fine.

        Returns:
            Item numbers (queries, limit) int32 and scores (queries, limit) float32.

        Raises:
            ValueError: wrong shapes, a limit below 1, or a query that is not finite.
        """

    def save(self, folder: Path, name: str) -> None:
        """Writes the index to files in `folder`, each called `name` with an ending."""
