"""Item-item similarity: which items the same customers, or the same baskets, hold.

Cosine over weighted columns (Sarwar et al., Item-based collaborative filtering recommendation
algorithms, WWW 2001), with BM25 weights as an option (Robertson and Zaragoza, 2009).
"""

import os
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array, csr_matrix, diags_array

from recsys.data.state import type_weight_array
from recsys.models.history import heaviest
from recsys.models.linear import LinearConfig
from recsys.models.protocol import Arrays, TrainingData
from recsys.models.sparse_rows import SparseRows
from recsys.types import DAY_S


class ItemItem(LinearConfig):
    """Keeps each item's most similar items."""

    kind: Literal["item-item"] = "item-item"
    over: Literal["customers", "baskets"] = "customers"
    """What two items must share: a customer, or a basket (order, else session, else day)."""
    weighting: Literal["cosine", "bm25", "counts"] = "cosine"
    """What is summed over them: cosines, BM25 weights, or plainly the entries' products, which
    without fading and logarithms are counts of shared baskets: popular items are near to all."""
    neighbours: int = Field(default=100, ge=1, le=1_000)
    """Similar items kept per item."""
    shrinkage: float = Field(default=0.0, ge=0)
    """Customers' (baskets') worth of doubt added below each similarity: tames rare pairs."""
    row_power: float = Field(default=0.0, ge=0, le=1)
    """The number of items of a customer (basket), to this power, divides what they say of any two:
    who has everything says little. 0.5 is the normalised graph of graph filters."""
    entries: Literal["binary", "log"] = "log"  # the tenth purchase says less than the second
    own_similarity: bool = False
    """Whether an item is the first of its own neighbours, so that what was chosen speaks for
    itself too: for lists that may repeat."""

    def fit(self, data: TrainingData) -> SparseRows:
        """Learns the similarities; needs `implicit` for the sparse product."""
        from implicit.nearest_neighbours import ItemItemRecommender  # noqa: PLC0415  # fit only

        matrix = self.matrix(data) if self.over == "customers" else self._baskets(data)
        if matrix.nnz == 0:  # nobody did any of what counts
            nothing = (len(data.interactions.items),) * 2
            return SparseRows.of(csr_array(nothing, dtype=np.float32))
        weighted = self._weighted(matrix)
        if self.row_power:
            weighted = damped_rows(weighted, self.row_power)
        # One neighbour more: the item itself. Threads share rows: no figure depends on them.
        knn = ItemItemRecommender(K=self.neighbours + 1, num_threads=os.cpu_count() or 1)
        knn.fit(_narrow(weighted), show_progress=False)
        return _model(csr_array(knn.similarity), self.neighbours, own=self.own_similarity)

    def _weighted(self, matrix: csr_array) -> csr_array:
        """Returns the matrix whose columns' inner products are the similarities."""
        match self.weighting:
            case "bm25":
                return bm25(matrix)
            case "counts":
                return matrix
            case _:
                return unit_columns(matrix, self.shrinkage)

    def _baskets(self, data: TrainingData) -> csr_array:
        """Returns baskets x items, float32."""
        log, type_weights = data.interactions, type_weight_array(self.event_weights)
        kept = type_weights[log.event_types] > 0
        rows, columns = log.basket_nums[kept], log.item_nums[kept]
        weights = type_weights[log.event_types[kept]]
        if self.half_life_days is not None:
            ages = (log.end_time - log.times[kept]) / DAY_S
            weights = weights * np.exp2(-ages / self.half_life_days).astype(np.float32)
        basket_count = int(log.basket_nums.max()) + 1
        # An item counts once in a basket, with its heaviest row.
        order = np.lexsort((-weights, columns, rows))
        rows, columns, weights = rows[order], columns[order], weights[order]
        first = np.append(True, (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1]))
        first = first[: len(order)]
        shape = (basket_count, len(log.items))
        entries = (weights[first], (rows[first], columns[first]))
        matrix = heaviest(csr_array(entries, shape=shape), self.history_limit)
        matrix.data = self.counts(matrix.data)
        return matrix

    def restore(self, arrays: Arrays) -> SparseRows:
        """Returns the model with these arrays."""
        return SparseRows.restore(arrays)


def unit_columns(matrix: csr_array, shrinkage: float) -> csr_array:
    """Scales columns so that their inner products are (shrunk) cosines."""
    squares = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
    scale = np.divide(
        1.0, np.sqrt(squares + shrinkage), where=squares > 0, out=np.zeros_like(squares)
    )
    return csr_array(matrix @ diags_array(scale.astype(np.float32)))


def damped_rows(matrix: csr_array, power: float) -> csr_array:
    """Divides every row by the number of its entries to a power."""
    sizes = np.maximum(np.diff(matrix.indptr), 1).astype(np.float32)
    return csr_array(diags_array(sizes**-power) @ matrix)


def bm25(matrix: csr_array, k1: float = 1.2, b: float = 0.75) -> csr_array:
    """Weights entries as words of documents: items are documents, rows are words."""
    counts = matrix.tocoo()
    lengths = np.asarray(matrix.sum(axis=0)).ravel()
    row_sizes = np.bincount(counts.row, minlength=matrix.shape[0])
    rarity = np.log1p((matrix.shape[1] - row_sizes + 0.5) / (row_sizes + 0.5))
    norm = k1 * (1.0 - b + b * lengths / max(lengths.mean(), 1e-12))
    data = counts.data * (k1 + 1.0) / (counts.data + norm[counts.col]) * rarity[counts.row]
    return csr_array((data.astype(np.float32), (counts.row, counts.col)), shape=matrix.shape)


def _narrow(matrix: csr_array) -> csr_matrix:
    """Returns the matrix in the number types that implicit's kernel is compiled for."""
    indices, indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return csr_matrix((matrix.data.astype(np.float64), indices, indptr), shape=matrix.shape)


def _model(similarity: csr_array, neighbours: int, *, own: bool) -> SparseRows:
    """Keeps each row's largest similarities, the items' own only if `own`."""
    rows = np.repeat(np.arange(similarity.shape[0]), np.diff(similarity.indptr))
    kept = similarity.data > 0
    if not own:
        kept &= rows != similarity.indices
    sizes = np.bincount(rows[kept], minlength=similarity.shape[0])
    entries = (similarity.data[kept], (rows[kept], similarity.indices[kept]))
    found = csr_array(entries, shape=similarity.shape)
    # Without the items' own there is seldom one too many, and millions take long to sort.
    return SparseRows.of(found if sizes.max() <= neighbours else heaviest(found, neighbours))
