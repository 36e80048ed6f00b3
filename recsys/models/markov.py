"""Markov transitions that fade: what customers choose after an item, a few steps on.

Item-to-item transitions over several steps, as in Garg et al., Sequence and time aware
neighborhood for session-based recommendations (STAN), SIGIR 2019. A pair of items `gap` steps
apart counts `gap^-gap_power`; of a history, the item `age` steps back counts
`history_decay^age`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array, diags_array, vstack

from recsys.data.state import StateRows, type_weight_array
from recsys.models.history import heaviest
from recsys.models.latest import latest_first
from recsys.models.moments import Moments, moments
from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.models.sparse_rows import SparseRows
from recsys.types import FloatArray, NumArray, OffsetArray

BLOCK = 2_000
"""Items whose transitions are made at once: bounds memory."""


class Markov(WeightedConfig):
    """Keeps for each item the items that are chosen after it most."""

    kind: Literal["markov"] = "markov"
    over: Literal["customers", "sessions"] = "customers"
    """What a sequence is: all that a customer did, or one session (else basket, else day)."""
    steps: int = Field(default=5, ge=1, le=50)
    """Steps that a transition may span; items of the same second are one step."""
    gap_power: float = Field(default=1.0, ge=0)
    """How fast a transition's weight falls with the steps it spans."""
    history_decay: float = Field(default=0.5, gt=0, le=1)
    """What an item of a history counts beside the one a step later."""
    history_limit: int = Field(default=50, ge=1)
    """Latest items of a history that count."""
    basket_limit: int = Field(default=100, ge=1)
    """Items of one step that count, heaviest first: bounds the cost of robots."""
    source_power: float = Field(default=0.0, ge=0)
    """Divides an item's transitions by their sum to this power: 1 makes them shares, and a
    history's items speak alike, however popular."""
    popularity_power: float = Field(default=0.0, ge=0)
    """Divides transitions to an item by their sum to this power: less for what is popular."""
    neighbours: int = Field(default=200, ge=1, le=5_000)
    """Transitions kept per item, heaviest first."""

    def fit(self, data: TrainingData) -> "MarkovModel":
        """Counts the transitions; they fade with the time since the later item."""
        read = moments(data.interactions, self)
        items = heaviest(read.items, self.basket_limit)
        before, after = self._pairs(items, read)
        rows = vstack(list(self._blocks(before, after)), format="csr")
        offsets = rows.indptr.astype(np.int64)
        return MarkovModel(self, offsets, rows.indices.astype(np.int32), rows.data)

    def _pairs(self, items: csr_array, read: Moments) -> tuple[csr_array, csr_array]:
        """Returns the earlier and the later sides of all pairs of moments, pairs x items."""
        # The items of a large basket share one step.
        sizes = np.maximum(np.diff(items.indptr), 1)
        shared = csr_array(diags_array(read.weights / sizes) @ items)
        before, after = [], []
        for gap in range(1, self.steps + 1):
            earlier = np.flatnonzero(read.owners[gap:] == read.owners[:-gap])
            before.append(items[earlier] * np.float32(gap**-self.gap_power))
            after.append(shared[earlier + gap])
        return vstack(before, format="csr"), vstack(after, format="csr")

    def _blocks(self, before: csr_array, after: csr_array) -> Iterator[csr_array]:
        """Yields rows of the products of all pairs, scaled and pruned, some items at a time."""
        itself = np.asarray(before.multiply(after).sum(axis=0)).ravel()
        sources = before.T @ np.asarray(after.sum(axis=1)).ravel() - itself
        targets = after.T @ np.asarray(before.sum(axis=1)).ravel() - itself
        left = csr_array(diags_array(_powers(sources, self.source_power)) @ before.T)
        right = csr_array(after @ diags_array(_powers(targets, self.popularity_power)))
        for start in range(0, left.shape[0], BLOCK):
            block = csr_array(left[start : start + BLOCK] @ right)
            owners = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr)) + start
            block.data[owners == block.indices] = 0.0
            block.eliminate_zeros()
            yield heaviest(block, self.neighbours)

    def history(self, rows: StateRows) -> tuple[NumArray, FloatArray]:
        """Returns the items of a history that count, the latest first, and what each counts."""
        types = type_weight_array(self.event_weights)
        nums, steps, weights = latest_first(rows, types, self.history_limit)
        return nums, weights * np.float32(self.history_decay) ** steps.astype(np.float32)

    def restore(self, arrays: Arrays) -> "MarkovModel":
        """Returns the model with these arrays."""
        return MarkovModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these types


@dataclass(frozen=True, slots=True, eq=False)
class MarkovModel:
    """Transitions from item i: item_nums[offsets[i]:offsets[i + 1]]; never to itself."""

    config: Markov
    offsets: OffsetArray
    """Shape (items + 1,)."""
    item_nums: NumArray
    weights: FloatArray
    """Above 0."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {"offsets": self.offsets, "item_nums": self.item_nums, "weights": self.weights}

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items chosen after any seed, with sums of seed times transition weight.

        Args:
            seeds: item numbers, shape (seeds,).
            weights: of the seeds, shape (seeds,).

        Returns:
            Item numbers, ascending, and scores, both shape (items,).
        """
        return self._rows().scores(seeds, weights)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        return self._rows().strongest_seeds(seeds, weights, item_nums)

    def _rows(self) -> SparseRows:
        return SparseRows(self.offsets, self.item_nums, self.weights)


def _powers(sums: FloatArray, power: float) -> FloatArray:
    """Returns sum^-power, 0 where nothing was summed."""
    scale = np.zeros_like(sums)
    counted = sums > 0
    scale[counted] = sums[counted] ** np.float32(-power)
    return scale
