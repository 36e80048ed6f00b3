"""Exact regularised least squares of many rows against one set of vectors.

A row w with confidences c over its own items minimises, with h_i the items' vectors,

    sum over own items of c_i (1 - w.h_i)^2 + sum over all items of (w.h_i)^2 + ridge |w|^2

(the second sum's weight is part of the vectors' spectrum). In axes in which the vectors' Gram
matrix is diagonal, so is everything but the own items' part. That makes a row's system one of its
own length where it has fewer items than a vector has numbers (Woodbury's identity): most rows
are short, and cost a fraction of a system of `embedding_size`.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import sposv
from scipy.sparse import csr_array

from recsys.types import FloatArray

BATCH = 4_000_000
"""Numbers of a dense intermediate: bounds memory beside the vectors themselves."""
STEPS = 1.1
"""Rows are filled up to lengths that grow by this factor, so that many share a shape."""


class Axes(NamedTuple):
    """Vectors in axes in which their Gram matrix is diagonal."""

    vectors: FloatArray
    """Shape (rows, embedding_size)."""
    spectrum: FloatArray
    """Shape (embedding_size,): the Gram matrix's diagonal, at least 0."""


def principal(vectors: FloatArray) -> Axes:
    """Turns vectors into their principal axes; inner products stay what they are."""
    values, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    turned = np.ascontiguousarray(vectors @ axes.astype(np.float32))
    return Axes(turned, values.clip(0.0).astype(np.float32))


def solve_row(mine: FloatArray, confidences: FloatArray, diagonal: FloatArray) -> FloatArray:
    """Solves for one row.

    Args:
        mine: vectors of the row's items, shape (items, embedding_size).
        confidences: above 0, shape (items,).
        diagonal: what the squares of the row's numbers cost, above 0, shape (embedding_size,).

    Returns:
        Shape (embedding_size,); not finite where single precision does not reach.
    """
    size, roots = len(diagonal), np.sqrt(confidences)
    scale: FloatArray = np.reciprocal(np.sqrt(diagonal))
    if len(mine) < size:
        scaled = mine * roots[:, None] * scale
        short: FloatArray = _solved(scaled @ scaled.T, roots) @ scaled * scale
        return short
    normal, target = np.zeros((size, size), np.float32), np.zeros(size, np.float32)
    block = max(BATCH // size, 1)
    for start in range(0, len(mine), block):
        part = slice(start, start + block)
        scaled = mine[part] * roots[part, None] * scale
        normal += scaled.T @ scaled
        target += roots[part] @ scaled
    long: FloatArray = _solved(normal, target) * scale
    return long


def _solved(normal: FloatArray, target: FloatArray) -> FloatArray:
    """Solves (normal + 1) x = target; the positive semi-definite matrix may be overwritten."""
    normal.flat[:: len(normal) + 1] += 1.0
    _, solution, problem = sposv(normal, target, overwrite_a=True)
    if problem != 0:
        return np.full_like(target, np.nan)
    found: FloatArray = solution
    return found


def solve_rows(matrix: csr_array, items: Axes, weight: float, ridges: FloatArray) -> FloatArray:
    """Solves for all rows of a matrix of confidences.

    Args:
        matrix: rows x items, float32, above 0.
        items: the items' vectors.
        weight: of what a row did not choose.
        ridges: regularisation of each row, shape (rows,).

    Returns:
        Shape (rows, embedding_size); 0 for rows without entries.
    """
    size = len(items.spectrum)
    found = np.zeros((matrix.shape[0], size), dtype=np.float32)
    base = np.float32(weight) * items.spectrum

    def work(rows: NDArray[np.intp]) -> None:
        starts, counts = matrix.indptr[rows], np.diff(matrix.indptr)[rows]
        longest = int(counts.max())
        if longest >= size:
            for row, start, count in zip(rows, starts, counts, strict=True):
                own = slice(start, start + count)
                mine = items.vectors[matrix.indices[own]]
                found[row] = solve_row(mine, matrix.data[own], base + ridges[row])
            return
        places = starts[:, None] + np.arange(longest)
        filled = np.arange(longest) < counts[:, None]
        places[~filled] = 0
        # What fills a row up has confidence 0: it adds nothing to any sum.
        roots = np.sqrt(matrix.data[places]) * filled
        scale = 1 / np.sqrt(base + ridges[rows, None])
        scaled = items.vectors[matrix.indices[places]]
        scaled *= roots[:, :, None]
        scaled *= scale[:, None, :]
        normals = scaled @ scaled.transpose(0, 2, 1)
        solved = [_solved(*one) for one in zip(normals, roots, strict=True)]
        found[rows] = (np.stack(solved)[:, None, :] @ scaled)[:, 0] * scale

    # Every batch fills rows of its own: no figure depends on the number of threads.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, _batches(np.diff(matrix.indptr), size)))
    return found


def _batches(counts: NDArray[np.integer], size: int) -> Iterator[NDArray[np.intp]]:
    """Groups rows with entries by length, longest first, as many as memory allows."""
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    lengths = np.ceil(np.log(counts[order]) / np.log(STEPS)).astype(np.int64)
    bounds = np.flatnonzero(np.diff(lengths, prepend=lengths[:1] + 1))
    for start, stop in zip(bounds, [*bounds[1:], len(order)], strict=True):
        at_once = max(BATCH // int(counts[order[start]] * size), 1)
        for first in range(start, stop, at_once):
            yield order[first : min(first + at_once, stop)]
