"""Implicit matrix factorisation by alternating least squares.

Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets, ICDM 2008. Only
item vectors are kept: a customer's vector is solved for at request time from what the customer
did, in closed form (equation 4 of the paper), so known, new and anonymous customers are alike.
"""

import os
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.linalg.lapack import sposv
from scipy.sparse import csr_array, csr_matrix

from recsys.data.state import type_weight_array
from recsys.models.known_items import places_of
from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.models.taste_sums import additions, vectors_of
from recsys.types import FloatArray, NumArray


class Als(WeightedConfig):
    """Factorises customers x items; needs `implicit` to fit, not to serve."""

    kind: Literal["als"] = "als"
    embedding_size: int = Field(default=64, ge=1, le=2_048)
    """Length of an item vector."""
    epochs: int = Field(default=10, ge=1)
    """Rounds of alternating updates."""
    regularization: float = Field(default=3.0, gt=0)
    """Added to the diagonal of every least-squares problem."""
    confidence: float = Field(default=2.0, gt=0)
    """A customer's weight w with an item makes the confidence `confidence * log(1 + w)`; what was
    never touched has 1."""
    min_customers: int = Field(default=2, ge=1)
    """Items of fewer customers get no vector."""
    history_limit: int = Field(default=500, ge=1)
    """Items of one customer that count at request time, heaviest first."""
    seed: int = 1
    """Of the random start."""

    def fit(self, data: TrainingData) -> "AlsModel":
        """Learns vectors of the items with enough customers; there may be none in a young shop."""
        from implicit.als import AlternatingLeastSquares  # noqa: PLC0415  # fit only
        from threadpoolctl import threadpool_limits  # noqa: PLC0415

        weights = type_weight_array(self.event_weights)
        matrix = data.states.matrix(len(data.interactions.items), weights, self.half_life_days)
        customers = np.bincount(matrix.indices, minlength=matrix.shape[1])
        trained = np.flatnonzero(customers >= self.min_customers)
        if len(trained) == 0:
            nothing = np.zeros((0, self.embedding_size), dtype=np.float32)
            return AlsModel(self, trained.astype(np.int32), nothing, nothing.T @ nothing)
        confidences = csr_matrix(csr_array(matrix)[:, trained])
        confidences.data = self.confidence_of(confidences.data)
        # implicit runs its own threads and warns when BLAS does too.
        with threadpool_limits(1, "blas"):
            solver = AlternatingLeastSquares(
                factors=self.embedding_size,
                regularization=self.regularization,
                iterations=self.epochs,
                random_state=self.seed,
                num_threads=os.cpu_count() or 1,  # each solves other rows: no figure depends on it
            )
            solver.fit(confidences, show_progress=False)
            vectors = np.ascontiguousarray(solver.item_factors, dtype=np.float32)
            return AlsModel(self, trained.astype(np.int32), vectors, vectors.T @ vectors)

    def confidence_of(self, weights: FloatArray) -> FloatArray:
        """Returns the confidences of weights, same shape: growing ever more slowly."""
        confidences: FloatArray = np.float32(self.confidence) * np.log1p(weights)
        return confidences

    def restore(self, arrays: Arrays) -> "AlsModel":
        """Returns the model with these arrays."""
        return AlsModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these types


@dataclass(frozen=True, slots=True, eq=False)
class AlsModel:
    """Item vectors and what a customer's vector is solved with."""

    config: Als
    item_nums: NumArray
    """Shape (trained,): the items that have a vector, ascending."""
    vectors: FloatArray
    """Shape (trained, embedding_size): row i belongs to item_nums[i]."""
    gram: FloatArray
    """Shape (embedding_size, embedding_size): sum of the vectors' outer products."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {"item_nums": self.item_nums, "vectors": self.vectors, "gram": self.gram}

    def fold_in(self, seeds: NumArray, weights: FloatArray) -> FloatArray | None:
        """Solves for the vector of a customer with this history.

        Args:
            seeds: item numbers, distinct, shape (seeds,).
            weights: above 0, as `item_weights` gives them, shape (seeds,).

        Returns:
            Shape (embedding_size,); None where no seed has a vector.
        """
        places, confidences = self._counted(seeds, weights)
        if len(places) == 0:
            return None
        mine = self.vectors[places]
        normal = self.gram + (mine.T * (confidences - 1.0)) @ mine
        normal.flat[:: len(normal) + 1] += np.float32(self.config.regularization)
        _, vector, problem = sposv(normal, mine.T @ confidences)
        if problem != 0 or not np.isfinite(vector).all():
            return None
        solved: FloatArray = vector.astype(np.float32, copy=False)
        return solved

    def towards(self, item_num: int) -> FloatArray | None:
        """Returns what each trained item of a history adds to one item's score, shape (trained,).

        As if nobody's confidences exceeded 1: then A of equation 4 is everybody's own, and a
        score is a sum over the history whose terms are known beforehand. None where the item has
        no vector.
        """
        places, _ = places_of(self.item_nums, np.array([item_num], dtype=np.int32))
        if len(places) == 0:
            return None
        normal = self.gram.astype(np.float64)
        normal.flat[:: len(normal) + 1] += self.config.regularization
        turned = np.linalg.solve(normal, self.vectors[places[0]].astype(np.float64))
        added: FloatArray = (self.vectors @ turned.astype(np.float32)).astype(np.float32)
        return added

    def contributions(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> tuple[NumArray, NDArray[np.float64]]:
        """Says what each item of a history adds to the scores of items.

        The vector is A^-1 sum of c_i y_i, so the score of y is the sum of c_i y A^-1 y_i
        (section 5 of the paper). A row adds up to what `fold_in` gives, up to its rounding.
        """
        places, confidences = self._counted(seeds, weights)
        mine, counts = self.vectors[places].astype(np.float64), confidences.astype(np.float64)
        normal = self.gram + (mine.T * (counts - 1.0)) @ mine
        normal.flat[:: len(normal) + 1] += self.config.regularization
        shares = additions(normal, mine, counts, vectors_of(self, item_nums))
        return self.item_nums[places], shares

    def _counted(
        self, seeds: NumArray, weights: FloatArray
    ) -> tuple[NDArray[np.intp], FloatArray]:
        """Returns the rows of the items of a history that count, and their confidences."""
        places, known = places_of(self.item_nums, seeds)
        weights = weights[known]
        if len(places) > self.config.history_limit:
            heaviest = np.sort(np.argsort(-weights, kind="stable")[: self.config.history_limit])
            places, weights = places[heaviest], weights[heaviest]
        return places, self.config.confidence_of(weights)
