"""SLIM: every item as a linear combination of its nearest neighbours, for catalogues of any size.

Ning and Karypis, SLIM: sparse linear methods for top-N recommender systems, ICDM 2011, in its
form with features chosen beforehand (fsSLIM): an item is regressed on its most similar items only.
Regularised by squares alone, as EASE is, each regression is one small linear system

    (G_NN + regularization) w = G_Ni        (G = X'X, N: the neighbours of item i)

where EASE needs the inverse of all items at once. Weights are of either sign.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.linalg.lapack import sposv
from scipy.sparse import csr_array

from recsys.errors import DataError
from recsys.models.linear import LinearConfig
from recsys.models.protocol import Arrays, TrainingData
from recsys.models.sparse_rows import SparseRows
from recsys.types import FloatArray, NumArray

BLOCK = 512
"""Rows of a sparse intermediate: bounds memory."""


class Slim(LinearConfig):
    """Solves one small system an item; needs nothing but SciPy."""

    kind: Literal["slim"] = "slim"
    regularization: float = Field(default=10.0, gt=0)
    """Added to the diagonal of X'X: customers' worth of doubt about each neighbour."""
    neighbours: int = Field(default=100, ge=1, le=2_000)
    """Items that each item is regressed on, by cosine; time grows faster than their number."""

    def fit(self, data: TrainingData) -> SparseRows:
        """Learns the weights.

        Raises:
            DataError: a system has no solution; the text says what to change.
        """
        matrix = self.matrix(data)
        by_item = csr_array(matrix.T)
        systems = Systems(by_item)
        weights, targets, seeds = [np.zeros(0, np.float32)], [np.zeros(0, np.int32)], []
        seeds.append(targets[0])
        for item, neighbours in nearest(by_item, matrix, self.neighbours):
            weights.append(self._regress(systems, item, neighbours))
            targets.append(np.full(len(neighbours), item, np.int32))
            seeds.append(neighbours)
        entries = (np.concatenate(weights), (np.concatenate(seeds), np.concatenate(targets)))
        return SparseRows.of(csr_array(entries, shape=(matrix.shape[1],) * 2))

    def _regress(self, systems: "Systems", item: int, neighbours: NumArray) -> FloatArray:
        """Returns the weights of the neighbours for an item."""
        gram = systems.gram(np.append(neighbours, np.int32(item)))
        normal, target = gram[:-1, :-1].copy(), gram[:-1, -1].copy()
        normal.flat[:: len(normal) + 1] += np.float32(self.regularization)
        _, weights, problem = sposv(normal, target, overwrite_a=True)
        if problem != 0:
            message = (
                f"the weights for item number {item} have no solution in single precision; "
                "raise regularization"
            )
            raise DataError(message, item_num=str(item))
        found: FloatArray = weights
        return found

    def restore(self, arrays: Arrays) -> SparseRows:
        """Returns the model with these arrays."""
        return SparseRows.restore(arrays)


class Systems:
    """Inner products of a few items' columns, from the sparse matrix."""

    def __init__(self, by_item: csr_array) -> None:
        """Takes the matrix, items x customers."""
        self._by_item = by_item
        self._places = np.zeros(by_item.shape[1], dtype=np.int32)

    def gram(self, items: NumArray) -> FloatArray:
        """Returns the items' inner products, shape (items, items) float32."""
        mine = self._by_item[items]
        # Customers in numbers of this system alone: its cost must not grow with the shop.
        self._places[mine.indices] = np.arange(len(mine.indices), dtype=np.int32)
        mine = csr_array(
            (mine.data, self._places[mine.indices], mine.indptr),
            shape=(len(items), len(mine.indices)),
        )
        products: FloatArray = (mine @ mine.T).toarray()
        return products


def nearest(by_item: csr_array, matrix: csr_array, count: int) -> Iterator[tuple[int, NumArray]]:
    """Yields the items with neighbours, and these, ascending: the largest cosines.

    Ties keep the lower item number.
    """
    squares = np.asarray(by_item.multiply(by_item).sum(axis=1)).ravel()
    norms = np.sqrt(np.maximum(squares, np.finfo(np.float32).tiny)).astype(np.float32)
    for start in range(0, by_item.shape[0], BLOCK):
        products = csr_array(by_item[start : start + BLOCK] @ matrix)
        products.sort_indices()
        products.data /= norms[products.indices]
        for row, (first, last) in enumerate(
            zip(products.indptr[:-1], products.indptr[1:], strict=True)
        ):
            item = start + row
            nums, values = products.indices[first:last], products.data[first:last]
            others = nums != item
            nums, values = nums[others], values[others]
            if len(nums) > count:
                chosen = np.argpartition(-values, count - 1)[:count]
                bar = values[chosen].min()
                sure, tied = np.flatnonzero(values > bar), np.flatnonzero(values == bar)
                nums = nums[np.sort(np.append(sure, tied[: count - len(sure)]))]
            if len(nums):
                yield item, nums.astype(np.int32)
