"""Solves EASE's linear system, as a program: python -m recsys.models.ease_solver FOLDER ...

A process of its own, because LAPACK can take down the one it runs in (OpenBLAS 0.3.30 crashed in
`spotrf` on two threads from 28,000 items), and because gigabytes go back when it ends. What
passes in and out are `.npy` files of a folder.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array

import recsys
from recsys.types import FloatArray, NumArray

BLOCK = 256
"""Rows of a dense intermediate: bounds memory beside the system itself."""
LOWEST, STEPS = -64.0, 65_536
"""Magnitudes are told apart from 2^-64 to 1 in so many steps, each 0.07 % above the last."""


class Solution(NamedTuple):
    """The weights that are left, entry by entry, sorted by target."""

    seeds: NumArray
    """Columns of the matrix that weights are of."""
    targets: NumArray
    """Columns that weights are for."""
    weights: FloatArray
    kept_share: float
    """Sum of the squared weights kept, as a share of all squared weights."""


def environment() -> dict[str, str]:
    """Returns the environment to start this program in: it must find the library."""
    above = str(Path(recsys.__file__).parents[1])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{above}{os.pathsep}{known}" if known else above}


def write_matrix(folder: Path, matrix: csr_array) -> None:
    """Writes customers x items for the program to read."""
    for name in ("data", "indices", "indptr"):
        np.save(folder / f"{name}.npy", getattr(matrix, name), allow_pickle=False)
    np.save(folder / "shape.npy", np.array(matrix.shape), allow_pickle=False)


def read_solution(folder: Path) -> Solution:
    """Reads what the program wrote."""
    seeds, targets, weights, share = (
        np.load(folder / f"{name}.npy", allow_pickle=False) for name in Solution._fields
    )
    return Solution(seeds, targets, weights, float(share))


def solve(matrix: csr_array, regularization: float, weight_limit: int) -> Solution:
    """Solves for the weights of a matrix of customers x items.

    Raises:
        ArithmeticError: the system is not positive definite in single precision.
    """
    return largest(inverse(gram(matrix, regularization)), weight_limit)


def gram(matrix: csr_array, regularization: float) -> FloatArray:
    """Returns X'X + regularization, float32, in the column order that LAPACK works in place on."""
    items = matrix.shape[1]
    by_item = csr_array(matrix.T)
    dense = np.empty((items, items), dtype=np.float32, order="F")
    for start in range(0, items, BLOCK):
        part = slice(start, start + BLOCK)
        dense[:, part] = (by_item[part] @ matrix).toarray().T
    dense[np.diag_indices(items)] += np.float32(regularization)
    return dense


def inverse(system: FloatArray) -> FloatArray:
    """Inverts in place through Cholesky; only the lower triangle of what it returns is filled.

    Raises:
        ArithmeticError: the system is not positive definite in single precision.
    """
    factor, failed_at = spotrf(system, lower=True, clean=False, overwrite_a=True)
    if failed_at == 0:
        inverted: FloatArray
        inverted, failed_at = spotri(factor, lower=True, overwrite_c=True)
        if failed_at == 0:
            return inverted
    message = f"not positive definite in single precision (at item {failed_at} of {len(system)})"
    raise ArithmeticError(message)


def largest(lower: FloatArray, weight_limit: int) -> Solution:
    """Turns the inverse into weights and keeps the largest of all, by magnitude.

    One bar for all items loses less than as many weights for each: a popular item has more to
    say, and more said of it.
    """
    items = len(lower)
    bar = _bar(lower, weight_limit) if items * (items - 1) > weight_limit else 0.0
    seeds, weights = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    targets = [np.zeros(0, np.int32)]
    all_squares = kept_squares = 0.0
    for start, block in _weights(lower):
        places, chosen = np.nonzero(np.abs(block) > bar)
        values = block[places, chosen]
        all_squares += float(np.square(block, dtype=np.float64).sum())
        kept_squares += float(np.square(values, dtype=np.float64).sum())
        seeds.append(chosen.astype(np.int32))
        targets.append((places + start).astype(np.int32))
        weights.append(values)
    share = kept_squares / all_squares if all_squares > 0 else 1.0
    return Solution(np.concatenate(seeds), np.concatenate(targets), np.concatenate(weights), share)


def _bar(lower: FloatArray, weight_limit: int) -> float:
    """Returns a magnitude that at most `weight_limit` weights are above, and hardly fewer."""
    counts = np.zeros(STEPS, dtype=np.int64)
    for _, block in _weights(lower):
        magnitudes = np.abs(block[block != 0.0])
        steps = ((np.log2(magnitudes) - LOWEST) * (STEPS / -LOWEST)).clip(0, STEPS - 1)
        counts += np.bincount(steps.astype(np.int64), minlength=STEPS)
    above = np.cumsum(counts[::-1])[::-1]
    step = int(np.flatnonzero(np.append(above, 0) <= weight_limit)[0])
    return float(2.0 ** (LOWEST + step * (-LOWEST / STEPS)))


def _weights(lower: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Yields the weights of all items for a block of items, and the block's first item."""
    items = len(lower)
    diagonal = np.diagonal(lower).copy()
    for start in range(0, items, BLOCK):
        own = np.arange(start, min(start + BLOCK, items))
        block = _rows(lower, start, start + len(own))
        block[own - start, own] = 0.0  # an item has no weight for itself
        block /= -diagonal[own, None]
        yield start, block


def _rows(lower: FloatArray, start: int, stop: int) -> FloatArray:
    """Returns whole rows of the symmetric matrix that the lower triangle stands for."""
    rows = np.empty((stop - start, len(lower)), dtype=np.float32)
    rows[:, :start] = lower[start:stop, :start]
    rows[:, stop:] = lower[stop:, start:stop].T
    square = np.tril(lower[start:stop, start:stop])
    rows[:, start:stop] = square + np.tril(square, -1).T
    return rows


def main(folder: Path, regularization: float, weight_limit: int) -> None:
    """Solves the system of a folder and writes the solution beside it."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  # fit only

    data, indices, indptr, shape = (
        np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in ("data", "indices", "indptr", "shape")
    )
    matrix = csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
    # One thread: the crash needs two, and the figures would depend on their number.
    with threadpool_limits(1, "blas"):
        solved = solve(matrix, regularization, weight_limit)
    for name, value in solved._asdict().items():
        np.save(folder / f"{name}.npy", np.asarray(value), allow_pickle=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
