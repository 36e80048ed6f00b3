"""Item embeddings from what is in one basket or session: shifted PPMI, factorised.

Levy and Goldberg, Neural word embedding as implicit matrix factorization, NIPS 2014: the skip-gram
model with k negative samples factorises the shifted positive pointwise mutual information

    max(log(n_ij * n / (n_i * n_j^smoothing)) - log(k), 0)        (n_j^smoothing: scaled to n)

of words and contexts; so we factorise that matrix itself, in one step and without sampling. Items
are words, and the items beside them in a basket are their contexts. A history's vector is the mean
of its items' vectors: somebody with one view is placed as well as somebody with a hundred.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import eigsh

from recsys.data.state import type_weight_array
from recsys.models.history import heaviest, heaviest_items
from recsys.models.known_items import places_of
from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.types import FloatArray, NumArray

BLOCK = 1_024
"""Rows of a sparse intermediate: bounds memory."""
NOTHING = 1e-6
"""Vectors shorter than this have no direction."""


class Ppmi(WeightedConfig):
    """Embeds items; needs nothing but SciPy."""

    kind: Literal["ppmi"] = "ppmi"
    over: Literal["customers", "baskets"] = "baskets"
    """What two items must share: a customer, or a basket (order, else session, else day)."""
    embedding_size: int = Field(default=100, ge=1, le=2_048)
    """Length of an item vector."""
    negatives: float = Field(default=1.0, ge=1)
    """The shift k: pairs must be this much likelier than chance to count."""
    smoothing: float = Field(default=0.75, gt=0, le=1)
    """Power of a context's frequency: below 1, rare contexts do not look too telling."""
    min_together: int = Field(default=2, ge=1)
    """Pairs that share fewer baskets count as never seen together."""
    history_limit: int = Field(default=200, ge=1)
    """Items of one history or basket that count, heaviest first: bounds the cost of robots."""
    seed: int = 1
    """Of the vector that the iteration for eigenvectors starts from."""

    def fit(self, data: TrainingData) -> "PpmiModel":
        """Learns vectors of the items that are seen with others; there may be none."""
        together = self._together(self._baskets(data))
        trained = np.flatnonzero(np.diff(together.indptr)).astype(np.int32)
        vectors = self._vectors(self._information(csr_array(together[trained][:, trained])))
        lengths = np.linalg.norm(vectors, axis=1)
        kept = lengths > NOTHING
        return PpmiModel(self, trained[kept], vectors[kept] / lengths[kept, None])

    def _baskets(self, data: TrainingData) -> csr_array:
        """Returns baskets (or customers) x items, float32: 1 where an item is in one."""
        log, type_weights = data.interactions, type_weight_array(self.event_weights)
        if self.over == "customers":
            matrix = data.states.matrix(len(log.items), type_weights, self.half_life_days)
        else:
            kept = type_weights[log.event_types] > 0
            entries = (
                type_weights[log.event_types[kept]],
                (log.basket_nums[kept], log.item_nums[kept]),
            )
            matrix = csr_array(entries, shape=(int(log.basket_nums.max()) + 1, len(log.items)))
            matrix.sum_duplicates()
        matrix = heaviest(matrix, self.history_limit)
        matrix.data[:] = 1.0
        return matrix

    def _together(self, baskets: csr_array) -> csr_array:
        """Returns in how many baskets two items lie together, items x items, no diagonal."""
        by_item, items = csr_array(baskets.T), baskets.shape[1]
        rows, columns, counts = [], [], []
        for start in range(0, items, BLOCK):
            block = coo_array(by_item[start : start + BLOCK] @ baskets)
            kept = (block.data >= self.min_together) & (block.row + start != block.col)
            rows.append(block.row[kept] + start)
            columns.append(block.col[kept])
            counts.append(block.data[kept])
        places = (np.concatenate(rows), np.concatenate(columns))
        return csr_array((np.concatenate(counts), places), shape=(items, items))

    def _information(self, together: csr_array) -> csr_array:
        """Returns the shifted positive information of pairs, made symmetric."""
        sums = np.asarray(together.sum(axis=1)).ravel().astype(np.float64)
        contexts = sums**self.smoothing
        pairs = together.tocoo()
        chance = sums[pairs.row] * contexts[pairs.col] / contexts.sum()
        gain = np.log(pairs.data / chance) - np.log(self.negatives)
        kept = gain > 0
        entries = (gain[kept], (pairs.row[kept], pairs.col[kept]))
        information = csr_array(entries, shape=together.shape)
        return csr_array((information + information.T) / 2)

    def _vectors(self, information: csr_array) -> FloatArray:
        """Returns eigenvectors times the roots of their values, shape (items, embedding_size)."""
        from threadpoolctl import threadpool_limits  # noqa: PLC0415  # fit only

        items = information.shape[0]
        size = min(self.embedding_size, items - 1)
        if information.nnz == 0:
            return np.zeros((items, max(size, 1)), dtype=np.float32)
        start = np.random.default_rng(self.seed).standard_normal(items)
        # One thread: the figures would depend on their number.
        with threadpool_limits(1, "blas"):
            values, vectors = eigsh(information, k=size, which="LA", v0=start)
        found: FloatArray = (vectors * np.sqrt(values.clip(0.0))).astype(np.float32)
        return found[:, ::-1]  # eigsh gives the smallest first

    def restore(self, arrays: Arrays) -> "PpmiModel":
        """Returns the model with these arrays."""
        return PpmiModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these types


@dataclass(frozen=True, slots=True, eq=False)
class PpmiModel:
    """Item vectors of length 1: an inner product is a cosine."""

    config: Ppmi
    item_nums: NumArray
    """Shape (trained,): the items that have a vector, ascending."""
    vectors: FloatArray
    """Shape (trained, embedding_size, or fewer in a small shop): row i belongs to
    item_nums[i]."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {"item_nums": self.item_nums, "vectors": self.vectors}

    def fold_in(self, seeds: NumArray, weights: FloatArray) -> FloatArray | None:
        """Returns the direction of the seeds' weighted mean.

        Args:
            seeds: item numbers, distinct, ascending, shape (seeds,).
            weights: above 0, as `item_weights` gives them, shape (seeds,).

        Returns:
            Shape (embedding_size,), of length 1; None where no seed has a vector.
        """
        seeds, kept = heaviest_items(seeds, weights, self.config.history_limit)
        places, known = places_of(self.item_nums, seeds)
        mean = np.log1p(kept[known]) @ self.vectors[places]
        length = np.linalg.norm(mean)
        return mean / length if length > NOTHING else None
