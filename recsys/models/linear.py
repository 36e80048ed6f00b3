"""What the linear models share: a score is a sum over the items of the history.

The history enters at request time in the same numbers as the matrix of customers and items at
fitting, so that a customer of the training data and a visitor are scored by one formula.
"""

from typing import Literal, Protocol, runtime_checkable

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array

from recsys.data.state import type_weight_array
from recsys.models.history import heaviest, heaviest_items
from recsys.models.protocol import TrainingData, WeightedConfig
from recsys.types import FloatArray, NumArray


class LinearConfig(WeightedConfig):
    """How a customer's history becomes a row of the matrix that linear models learn from."""

    entries: Literal["binary", "log"] = "binary"
    """What a customer's weight w with an item counts: 1, or log(1 + w). Where it is 1, weights
    and half-life only decide which items are the heaviest."""
    history_limit: int = Field(default=1_000, ge=1)
    """Items of one customer that count, heaviest first: bounds the cost of robots."""

    def matrix(self, data: TrainingData) -> csr_array:
        """Returns customers x items, float32."""
        weights = type_weight_array(self.event_weights)
        items = len(data.interactions.items)
        matrix = data.states.matrix(items, weights, self.half_life_days)
        matrix = heaviest(matrix, self.history_limit)
        matrix.data = self.counts(matrix.data)
        return matrix

    def history(self, item_nums: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items of a history that count, ascending, and what each counts."""
        nums, kept = heaviest_items(item_nums, weights, self.history_limit)
        return nums, self.counts(kept)

    def counts(self, weights: FloatArray) -> FloatArray:
        """Returns what items with these weights count, same shape."""
        counts: FloatArray = (
            np.ones_like(weights) if self.entries == "binary" else np.log1p(weights)
        )
        return counts


@runtime_checkable
class LinearModel(Protocol):
    """Scores items by a sum over the history."""

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items with a score above 0, ascending, and the scores.

        Args:
            seeds: item numbers, distinct, shape (seeds,).
            weights: what each counts, shape (seeds,).
        """
        ...

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        ...
