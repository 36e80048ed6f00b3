"""Intra-list diversity: how different the items of one list are from each other."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from recsys.metrics.hits import ValueArray
from recsys.metrics.lists import incidence
from recsys.types import NumArray


def intra_list_diversity_at(
    item_nums: NumArray, vectors: csr_array | NDArray[np.float64], k: int
) -> ValueArray:
    r"""Returns each customer's ILD@k, shape (customers,), float64 in [0, 2].

    .. math:: ILD@k = \frac{2}{n (n - 1)} \sum_{i < j} 1 - \cos(v_i, v_j)

    over the n items of the first k places: 0 where all point the same way, 1 where none share
    anything; above 1 only with negative components. Items whose vector is zero are left out. NaN
    for a list with fewer than two others.

    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> lists = np.array([[0, 1, 2], [0, 1, -1], [2, 3, -1]], dtype=np.int32)
    >>> intra_list_diversity_at(lists, vectors, 3).round(4)  # of three pairs two differ
    array([0.6667, 0.    ,    nan])

    Source: Smyth, McClave: Similarity vs. diversity, ICCBR 2001; as similarity within a list in
    Ziegler et al.: Improving recommendation lists through topic diversification, WWW 2005.

    Args:
        item_nums: shape (customers, depth) int32, `UNKNOWN` where a list is shorter.
        vectors: shape (items, size) float64, sparse or dense, of any length.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    rows = csr_array(vectors, dtype=np.float64)
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    counted = lengths > 0
    unit = diags_array(np.divide(1.0, lengths, out=np.zeros_like(lengths), where=counted)) @ rows
    lists = incidence(item_nums, k, rows.shape[0])
    sizes = lists @ counted.astype(np.float64)
    sums = lists @ unit  # whose squared length is the sum of all cosines, own ones included
    cosines = sums.multiply(sums).sum(axis=1) - sizes
    pairs = sizes * (sizes - 1)
    nothing = np.full(len(sizes), np.nan)
    mean: ValueArray = np.divide(cosines, pairs, out=nothing, where=pairs > 0)
    return np.maximum(1.0 - mean, 0.0)
