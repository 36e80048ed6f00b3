"""Item and query vectors that are shaped like trained ones."""

import numpy as np

from recsys.types import FloatArray, NumArray


def trained_like(
    rows: int, dim: int = 32, *, seed: int = 0, norm_spread: float = 0.6
) -> FloatArray:
    """Item vectors (rows, dim) of tastes in clusters, with the skewed norms of popularity.

    `norm_spread` is the standard deviation of the norms' logarithm.
    """
    rng = np.random.default_rng(seed)
    spectrum = np.linspace(1.0, 0.1, dim)
    centres = rng.normal(size=(40, dim)) * spectrum
    offsets = 0.6 * rng.normal(size=(rows, dim)) * spectrum
    directions = centres[rng.integers(0, len(centres), rows)] + offsets
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    norms = rng.lognormal(mean=-2.5, sigma=norm_spread, size=(rows, 1))
    return (directions * norms).astype(np.float32)


def customers_of(vectors: FloatArray, count: int, *, seed: int = 1) -> FloatArray:
    """Query vectors (count, dim): the sum of a few items' directions each, as fold-in gives."""
    rng = np.random.default_rng(seed)
    bought = rng.integers(0, len(vectors), size=(count, 5))
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return directions[bought].sum(axis=1).astype(np.float32)


def spread_nums(rows: int, *, seed: int = 2) -> NumArray:
    """Ascending item numbers with gaps: some items of the catalogue have no vector."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(2 * rows + 3, rows, replace=False)).astype(np.int32)
