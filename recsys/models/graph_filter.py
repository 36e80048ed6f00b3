"""Graph filter: smooths a history over the graph of customers and items, in closed form.

GF-CF: Shen et al., How powerful is graph convolution for recommendation?, CIKM 2021. With R the
matrix of customers x items, its rows and columns divided by the roots of their sums to S, and V
the top right singular vectors of S, a history r scores

    r S'S  +  alpha * r D^-1/2 V V' D^1/2        (D: the column sums of R)

The first term goes once round the graph: to the customers of the seeds and on to their items. The
second is the ideal low-pass filter. The formula takes any history: nobody has to be in R. Both
terms are applied as products with one history; items x items is never made.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.linalg import eigh
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import ArpackError, svds

from recsys.models.known_items import places_of
from recsys.models.linear import LinearConfig
from recsys.models.protocol import Arrays, TrainingData
from recsys.types import FloatArray, NumArray

NOTHING = 1e-6
"""Singular values below this are none: the largest is 1."""


DENSE = 4_000
"""Customers or items, whichever are fewer, up to which all singular values are found at once:
exact, in seconds, and sure. Every part of a graph that hangs together has a largest singular
value of 1, and an iteration has to tell as many equal ones apart."""
BASES = (2, 4, 8)
"""Vectors that the iteration keeps for each one asked for: more where fewer do not converge."""


class GraphFilter(LinearConfig):
    """Keeps the normalised graph and its top singular vectors."""

    kind: Literal["graph-filter"] = "graph-filter"
    embedding_size: int = Field(default=256, ge=1, le=2_048)
    """Singular vectors of the low-pass filter."""
    alpha: float = Field(default=0.3, ge=0)
    """Weight of the low-pass filter; with 0, only the graph counts."""
    seed: int = 1
    """Of the vector that the iteration for singular vectors starts from."""

    def fit(self, data: TrainingData) -> "GraphFilterModel":
        """Normalises the graph and finds its top singular vectors."""
        matrix = self.matrix(data)
        columns = np.asarray(matrix.sum(axis=0)).ravel()
        trained = np.flatnonzero(columns > 0).astype(np.int32)
        # Customers who only have event types that weigh nothing are not in the graph.
        matrix = csr_array(csr_array(matrix[:, trained])[np.diff(matrix.indptr) > 0])
        roots = np.sqrt(columns[trained]).astype(np.float32)
        row_roots = np.sqrt(np.asarray(matrix.sum(axis=1)).ravel())
        graph = csr_array(diags_array(1 / row_roots) @ matrix @ diags_array(1 / roots))
        by_item = csr_array(graph.T, dtype=np.float32)
        by_item.sort_indices()
        return GraphFilterModel(self, trained, roots, self._vectors(graph), by_item)

    def _vectors(self, graph: csr_array) -> FloatArray:
        """Returns the top right singular vectors, shape (items, at most embedding_size)."""
        from threadpoolctl import threadpool_limits  # noqa: PLC0415  # fit only

        size = min(self.embedding_size, min(graph.shape) - 1)
        if size < 1:  # one customer or one item: the graph says it all
            return np.zeros((graph.shape[1], 0), dtype=np.float32)
        # One thread: the figures would depend on their number.
        with threadpool_limits(1, "blas"):
            values, vectors = top_singular(graph.astype(np.float64), size, self.seed)
        real = np.flatnonzero(values > NOTHING)[::-1]  # svds gives the smallest first
        # Column by column: the product with one taste is what a request waits for, and more than
        # twice as fast this way.
        return np.asfortranarray(vectors[real].T, dtype=np.float32)

    def restore(self, arrays: Arrays) -> "GraphFilterModel":
        """Returns the model with these arrays."""
        shape = (len(arrays["item_nums"]), int(arrays["customer_count"][0]))
        entries = (arrays["values"], arrays["customers"], arrays["offsets"])
        return GraphFilterModel(
            self,
            arrays["item_nums"],  # type: ignore[arg-type]  # arrays() wrote these types
            arrays["roots"],  # type: ignore[arg-type]
            arrays["vectors"],  # type: ignore[arg-type]
            csr_array(entries, shape=shape),
        )


@dataclass(frozen=True, slots=True, eq=False)
class GraphFilterModel:
    """The normalised graph and the basis of its low-pass filter, over items with a customer."""

    config: GraphFilter
    item_nums: NumArray
    """Shape (trained,), ascending: row i of the arrays belongs to item_nums[i]."""
    roots: FloatArray
    """Shape (trained,): roots of the columns' sums."""
    vectors: FloatArray
    """Shape (trained, embedding_size or fewer): right singular vectors, largest value first."""
    by_item: csr_array
    """Trained items x customers, float32: the normalised graph."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {
            "item_nums": self.item_nums,
            "roots": self.roots,
            "vectors": self.vectors,
            "values": self.by_item.data,
            "customers": self.by_item.indices,
            "offsets": self.by_item.indptr,
            "customer_count": np.array([self.by_item.shape[1]], dtype=np.int64),
        }

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items with a score above 0; one pass over the graph and the vectors.

        Args:
            seeds: item numbers, distinct, shape (seeds,).
            weights: what each counts, shape (seeds,).

        Returns:
            Item numbers, ascending, and scores, both shape (items,).
        """
        places, known = places_of(self.item_nums, seeds)
        if len(places) == 0:
            return self.item_nums[:0], self.roots[:0]
        customers = self.by_item[places].T @ weights[known]
        taste = (weights[known] / self.roots[places]) @ self.vectors[places]
        low_pass = (self.vectors @ taste) * self.roots
        sums = self.by_item @ customers + np.float32(self.config.alpha) * low_pass
        found = np.flatnonzero(sums > 0)
        return self.item_nums[found], sums[found].astype(np.float32, copy=False)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        places, known = places_of(self.item_nums, seeds)
        rows = np.searchsorted(self.item_nums, item_nums)
        smooth = (self.by_item[rows] @ self.by_item[places].T).toarray()
        seed_vectors = self.vectors[places] / self.roots[places, None]
        low_pass = (self.roots[rows, None] * self.vectors[rows]) @ seed_vectors.T
        parts = (smooth + np.float32(self.config.alpha) * low_pass) * weights[known]
        strongest: NumArray = seeds[known][np.argmax(parts, axis=1)]
        return strongest


def top_singular(
    graph: csr_array, size: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the largest singular values, ascending, and the right vectors that go with them.

    Args:
        graph: shape (customers, items) float64.
        size: values to find, below both.
        seed: of the vector that an iteration starts from.

    Returns:
        Shapes (size,) and (size, items).
    """
    fewest = min(graph.shape)
    if fewest <= DENSE:
        wide = graph.shape[0] < graph.shape[1]
        gram = (graph @ graph.T if wide else graph.T @ graph).toarray()
        squares, vectors = eigh(gram, subset_by_index=(fewest - size, fewest - 1))
        values = np.sqrt(np.maximum(squares, 0.0))
        if wide:
            vectors = (graph.T @ vectors) / np.maximum(values, NOTHING)
        return values, vectors.T
    start = np.random.default_rng(seed).standard_normal(fewest)
    *bases, last = (min(times * size + 1, fewest - 1) for times in BASES)
    for basis in bases:
        with suppress(ArpackError):
            _, values, vectors = svds(graph, k=size, v0=start, ncv=basis)
            return values, vectors
    _, values, vectors = svds(graph, k=size, v0=start, ncv=last)
    return values, vectors
