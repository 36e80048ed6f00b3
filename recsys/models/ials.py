"""Implicit matrix factorisation with frequency-scaled regularisation: iALS as it was meant.

Rendle, Krichene, Zhang and Koren, Revisiting the performance of iALS on item recommendation
benchmarks, RecSys 2022. What nobody chose has one small weight, and every customer and item is
regularised by how much it has to fit. With t the sum of a row's own entries, m the mean of t over
rows and u `unobserved_weight`, the weight of what a row did not choose adds up to u m, and

    ridge = regularization * m * ((t + u m) / (m + u m)) ^ frequency_power

These are the paper's formulas with its settings told as multiples of what the rows hold: its
alpha is u m / columns and its lambda regularization / (1 + u). So settings that are good for one
shop are good for shops of other sizes and densities. Each half-step is solved exactly. Only item
vectors are kept; customers are folded in at request time by the formula that fitting uses.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array

from recsys.models.known_items import places_of
from recsys.models.least_squares import Axes, principal, solve_row, solve_rows
from recsys.models.linear import LinearConfig
from recsys.models.protocol import Arrays, TrainingData
from recsys.models.taste_sums import additions, vectors_of
from recsys.types import FloatArray, NumArray


class Ials(LinearConfig):
    """Factorises customers x items; needs nothing but SciPy."""

    kind: Literal["ials"] = "ials"
    embedding_size: int = Field(default=128, ge=1, le=2_048)
    """Length of an item vector."""
    epochs: int = Field(default=16, ge=1)
    """Rounds of alternating updates."""
    unobserved_weight: float = Field(default=8.0, gt=0)
    """Weight of all that was not chosen, as a multiple of the weight of all that was."""
    regularization: float = Field(default=0.07, gt=0)
    """Ridge of a row of mean frequency, as a share of that frequency."""
    frequency_power: float = Field(default=1.0, ge=0)
    """How regularisation grows with frequency: 1 with it, 0 not at all."""
    min_customers: int = Field(default=2, ge=1)
    """Items of fewer customers get no vector."""
    seed: int = 1
    """Of the random start."""

    def fit(self, data: TrainingData) -> "IalsModel":
        """Learns vectors of the items with enough customers; there may be none in a young shop."""
        from threadpoolctl import threadpool_limits  # noqa: PLC0415  # fit only

        matrix = self.matrix(data)
        customers = np.bincount(matrix.indices, minlength=matrix.shape[1])
        trained = np.flatnonzero(customers >= self.min_customers).astype(np.int32)
        matrix = csr_array(matrix[:, trained])
        # Customers of none of these items have nothing to fit, and are not among the others.
        matrix = csr_array(matrix[np.diff(matrix.indptr) > 0])
        shape = (len(trained), self.embedding_size)
        if len(trained) == 0:
            nothing = principal(np.zeros(shape, np.float32))
            return IalsModel(self, trained, *nothing, np.zeros(1, np.float32))
        by_item = csr_array(matrix.T)
        start = np.random.default_rng(self.seed).standard_normal(shape, dtype=np.float32)
        items = principal(start * np.float32(0.1 / np.sqrt(self.embedding_size)))
        # One thread each: rows are solved side by side, and figures would depend on the number.
        with threadpool_limits(1, "blas"):
            for _ in range(self.epochs):
                items = self._half_step(by_item, self._half_step(matrix, items))
        mean = np.array([matrix.sum() / matrix.shape[0]], dtype=np.float32)
        return IalsModel(self, trained, *items, mean)

    def _half_step(self, matrix: csr_array, others: Axes) -> Axes:
        """Returns the vectors of a matrix's rows, given those of its columns."""
        totals = np.asarray(matrix.sum(axis=1), dtype=np.float32).ravel()
        mean = float(totals.mean())
        weight = self.unobserved_weight * mean / matrix.shape[1]
        return principal(solve_rows(matrix, others, weight, self.ridge(totals, mean)))

    def ridge(self, totals: FloatArray, mean: float) -> FloatArray:
        """Returns the regularisation of rows with these sums of entries, same shape."""
        share = (totals / mean + self.unobserved_weight) / (1.0 + self.unobserved_weight)
        ridges: FloatArray = self.regularization * mean * share**self.frequency_power
        return ridges.astype(np.float32)

    def restore(self, arrays: Arrays) -> "IalsModel":
        """Returns the model with these arrays."""
        return IalsModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these types


@dataclass(frozen=True, slots=True, eq=False)
class IalsModel:
    """Item vectors and what a customer's vector is solved with."""

    config: Ials
    item_nums: NumArray
    """Shape (trained,): the items that have a vector, ascending."""
    vectors: FloatArray
    """Shape (trained, embedding_size): row i belongs to item_nums[i]."""
    spectrum: FloatArray
    """Shape (embedding_size,): the vectors' Gram matrix, which is diagonal."""
    mean_total: FloatArray
    """Shape (1,): mean over customers of the sum of their entries."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {
            "item_nums": self.item_nums,
            "vectors": self.vectors,
            "spectrum": self.spectrum,
            "mean_total": self.mean_total,
        }

    def fold_in(self, seeds: NumArray, weights: FloatArray) -> FloatArray | None:
        """Solves for the vector of a customer with this history.

        Args:
            seeds: item numbers, distinct, ascending, shape (seeds,).
            weights: above 0, as `item_weights` gives them, shape (seeds,).

        Returns:
            Shape (embedding_size,); None where no seed has a vector.
        """
        places, counts = self._counted(seeds, weights)
        if len(places) == 0:
            return None
        vector = solve_row(self.vectors[places], counts, self._diagonal(counts))
        return vector if np.isfinite(vector).all() else None

    def contributions(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> tuple[NumArray, NDArray[np.float64]]:
        """Says what each item of a history adds to the scores of items, as `AlsModel` does."""
        places, counts = self._counted(seeds, weights)
        mine, exact = self.vectors[places].astype(np.float64), counts.astype(np.float64)
        normal = (mine.T * exact) @ mine
        if len(places):
            normal.flat[:: len(normal) + 1] += self._diagonal(counts)
        shares = additions(normal, mine, exact, vectors_of(self, item_nums))
        return self.item_nums[places], shares

    def _counted(
        self, seeds: NumArray, weights: FloatArray
    ) -> tuple[NDArray[np.intp], FloatArray]:
        """Returns the rows of the items of a history that count, and what they count."""
        seeds, counts = self.config.history(seeds, weights)
        places, known = places_of(self.item_nums, seeds)
        return places, counts[known]

    def _diagonal(self, counts: FloatArray) -> FloatArray:
        """Returns what the squares of a vector's numbers cost, shape (embedding_size,)."""
        mean = float(self.mean_total[0])
        ridge = self.config.ridge(counts.sum(keepdims=True), mean)
        weight = self.config.unobserved_weight * mean / len(self.item_nums)
        diagonal: FloatArray = np.float32(weight) * self.spectrum + ridge
        return diagonal
