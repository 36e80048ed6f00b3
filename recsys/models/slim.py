"""SLIM: every item as a linear combination of its nearest neighbours, for catalogues of any size.

Ning and Karypis, SLIM: sparse linear methods for top-N recommender systems, ICDM 2011, in its
form with features chosen beforehand (fsSLIM): an item is regressed on its most similar items only.
Regularised by squares alone, as EASE is, each regression is one small linear system

    (G_NN + regularization) w = G_Ni        (G = X'X, N: the neighbours of item i)

where EASE needs the inverse of all items at once. Weights are of either sign.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
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

BLOCK, ENTRIES = 256, 5_000_000
"""Rows and entries of a sparse intermediate: bounds memory."""


class Slim(LinearConfig):
    """Solves one small system an item; needs nothing but SciPy."""

    kind: Literal["slim"] = "slim"
    regularization: float = Field(default=30.0, gt=0)
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
        weights, seeds = [np.zeros(0, np.float32)], [np.zeros(0, np.int32)]
        counts = np.zeros(matrix.shape[1], dtype=np.int64)
        for items, neighbours in nearest(by_item, matrix, self.neighbours):
            for item, near, gram in zip(
                items, neighbours, systems.grams(items, neighbours), strict=True
            ):
                weights.append(self._regress(item, gram))
                seeds.append(near)
                counts[item] = len(near)
        entries = (
            np.concatenate(weights),
            (np.concatenate(seeds), np.repeat(np.arange(matrix.shape[1]), counts)),
        )
        return SparseRows.of(csr_array(entries, shape=(matrix.shape[1],) * 2))

    def _regress(self, item: int, gram: FloatArray) -> FloatArray:
        """Returns the weights for an item, from its neighbours' inner products and its own."""
        normal, target = gram[:-1, :-1].copy(), gram[:-1, -1]
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
    """Inner products of a few items' columns at a time, from the sparse matrix."""

    def __init__(self, by_item: csr_array) -> None:
        """Takes the matrix, items x customers."""
        self._by_item = by_item
        self._lengths = np.diff(by_item.indptr)
        self._places = np.zeros(by_item.shape[1], dtype=np.int32)

    def grams(self, items: Sequence[int], neighbours: Sequence[NumArray]) -> Iterator[FloatArray]:
        """Yields for each item the inner products of its neighbours and, last, itself."""
        groups = [np.append(near, item) for item, near in zip(items, neighbours, strict=True)]
        sizes = [int(self._lengths[group].sum()) for group in groups]
        first = total = 0
        for last, size in enumerate(sizes):
            if total and total + size > ENTRIES:
                yield from self._products(groups[first:last])
                first, total = last, 0
            total += size
        yield from self._products(groups[first:])

    def _products(self, groups: Sequence[NumArray]) -> Iterator[FloatArray]:
        """Yields the inner products within each group of items, by one sparse product.

        Customers are numbered anew for each group, so that products of items of different groups
        are nothing and cost nothing.
        """
        bounds = np.cumsum([0, *(len(group) for group in groups)])
        rows = self._by_item[np.concatenate(groups)]
        for start, end in pairwise(rows.indptr[bounds].tolist()):
            mine = rows.indices[start:end]
            self._places[mine] = np.arange(start, end, dtype=np.int32)
            rows.indices[start:end] = self._places[mine]
        shape = (rows.shape[0], rows.nnz)
        renumbered = csr_array((rows.data, rows.indices, rows.indptr), shape=shape)
        products = csr_array(renumbered @ renumbered.T)
        lengths = np.diff(products.indptr)
        for start, end in pairwise(bounds.tolist()):
            own = slice(products.indptr[start], products.indptr[end])
            owners = np.repeat(np.arange(end - start), lengths[start:end])
            gram = np.zeros((end - start, end - start), dtype=np.float32)
            gram[owners, products.indices[own] - start] = products.data[own]
            yield gram


def nearest(
    by_item: csr_array, matrix: csr_array, count: int
) -> Iterator[tuple[list[int], list[NumArray]]]:
    """Yields items with neighbours, some at a time, and these, ascending: the largest cosines.

    Ties keep the lower item number.
    """
    squares = np.asarray(by_item.multiply(by_item).sum(axis=1)).ravel()
    norms = np.sqrt(np.maximum(squares, np.finfo(np.float32).tiny)).astype(np.float32)
    for start in range(0, by_item.shape[0], BLOCK):
        products = csr_array(by_item[start : start + BLOCK] @ matrix)
        products.sort_indices()
        products.data /= norms[products.indices]
        items, neighbours = [], []
        for row in range(products.shape[0]):
            entries = slice(products.indptr[row], products.indptr[row + 1])
            nums, values = products.indices[entries], products.data[entries]
            near = _largest(nums[nums != start + row], values[nums != start + row], count)
            if len(near):
                items.append(start + row)
                neighbours.append(near)
        if items:
            yield items, neighbours


def _largest(nums: NumArray, values: FloatArray, count: int) -> NumArray:
    """Returns the numbers of the largest values, in their order; ties keep the first."""
    if len(nums) <= count:
        return nums.astype(np.int32)
    bar = np.partition(values, len(values) - count)[len(values) - count]
    sure, tied = np.flatnonzero(values > bar), np.flatnonzero(values == bar)
    return nums[np.sort(np.append(sure, tied[: count - len(sure)]))].astype(np.int32)
