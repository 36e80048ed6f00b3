"""What the items of a history add to inner products of vectors: sums that are exact.

A vector that least squares folds a history into is linear in the history's right-hand side once
its matrix is known, so that a score splits into one part for each item of the history (Hu, Koren
and Volinsky, Collaborative filtering for implicit feedback datasets, ICDM 2008, section 5).
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from recsys.models.known_items import places_of
from recsys.models.vectors import VectorModel
from recsys.types import FloatArray, NumArray


@runtime_checkable
class AdditiveModel(VectorModel, Protocol):
    """A vector model whose scores are sums over the history."""

    def contributions(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> tuple[NumArray, NDArray[np.float64]]:
        """Says what each item of a history adds to the scores of items.

        Args:
            seeds: item numbers, distinct, ascending, shape (seeds,).
            weights: above 0, as `item_weights` gives them, shape (seeds,).
            item_nums: whose scores, shape (items,).

        Returns:
            The items of the history that count, ascending, shape (counted,), and the parts,
            shape (items, counted) float64. A row adds up to the inner product of the item's
            vector with what `fold_in` gives; it is all 0 for an item without a vector.
        """
        ...


def additions(
    normal: NDArray[np.float64],
    mine: NDArray[np.float64],
    counts: NDArray[np.float64],
    wanted: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Returns c_i y A^-1 y_i for each wanted y and each own y_i, shape (wanted, own).

    Args:
        normal: A, symmetric, positive definite, shape (dim, dim).
        mine: the y_i, shape (own, dim).
        counts: the c_i, shape (own,).
        wanted: the y, shape (wanted, dim).
    """
    if not (len(mine) and len(wanted)):
        return np.zeros((len(wanted), len(mine)))
    turned = cho_solve(cho_factor(normal), wanted.T).T
    parts: NDArray[np.float64] = turned @ mine.T * counts
    return parts


def vectors_of(model: VectorModel, item_nums: NumArray) -> NDArray[np.float64]:
    """Returns the vectors of any items, 0 for one that has none, shape (items, dim) float64."""
    found = np.zeros((len(item_nums), model.vectors.shape[1]))
    places, known = places_of(model.item_nums, item_nums)
    found[known] = model.vectors[places]
    return found
