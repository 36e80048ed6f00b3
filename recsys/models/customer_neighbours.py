"""Customer neighbours: what customers with a like history chose next.

Nearest neighbours of histories, as in TIFU-KNN (Hu et al., Modeling personalized item frequency
information for next-basket recommendation, SIGIR 2020): histories are vectors of faded counts.
A neighbour's history here ends before what it votes for, as the history of a query does: the
neighbours say what followed, not what stood beside. The customer's own part of TIFU-KNN is a
source of its own, the kind `repurchase`.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array, diags_array

from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates, type_weight_array
from recsys.models.history import heaviest, heaviest_items
from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.types import DAY_S, BoolArray, FloatArray, NumArray


class CustomerNeighbours(WeightedConfig):
    """Keeps the histories of customers, and what each of them chose next."""

    kind: Literal["customer-neighbours"] = "customer-neighbours"
    half_life_days: float | None = Field(default=45.0, gt=0)
    """Days after which an event of a history weighs half; none: events do not fade."""
    neighbours: int = Field(default=500, ge=1)
    """Histories that vote, the most similar ones."""
    horizon_days: float = Field(default=7.0, gt=0)
    """A customer votes for what was chosen within so many days before the last event; the
    history is what lies before."""
    item_power: float = Field(default=0.25, ge=0)
    """Divides an item's place in a history by its customers to this power: sharing what few
    choose says more."""
    vote_power: float = Field(default=0.5, ge=0, le=1)
    """Divides the votes of a neighbour by their number to this power: 1 gives everybody one."""
    customer_limit: int = Field(default=100_000, ge=1)
    """Histories kept, those that end last: bounds memory and the time of a list."""
    history_limit: int = Field(default=200, ge=1)
    """Items of one history that count, heaviest first: bounds the cost of robots."""

    def fit(self, data: TrainingData) -> "CustomerNeighboursModel":
        """Cuts every customer's log in what votes and what was before."""
        histories, votes = self._cut(data.interactions)
        customers = np.bincount(histories.indices, minlength=histories.shape[1])
        scales = (np.maximum(customers, 1.0) ** -self.item_power).astype(np.float32)
        scaled = _unit_rows(csr_array(histories @ diags_array(scales)))
        by_item = csr_array(scaled.T, dtype=np.float32)
        by_item.sort_indices()
        shares = np.maximum(np.diff(votes.indptr), 1.0) ** -self.vote_power
        votes = csr_array(diags_array(shares) @ votes, dtype=np.float32)
        return CustomerNeighboursModel(self, scales, by_item, votes)

    def _cut(self, log: Interactions) -> tuple[csr_array, csr_array]:
        """Returns histories and what followed them, of customers who have both."""
        counted = type_weight_array(self.event_weights)[log.event_types] > 0
        last = np.zeros(len(log.customers), dtype=np.int64)
        np.maximum.at(last, log.customer_nums[counted], log.times[counted])
        cuts = last - int(self.horizon_days * DAY_S)
        before = log.times <= cuts[log.customer_nums]
        histories = heaviest(
            self._matrix(log, counted & before, self.half_life_days), self.history_limit
        )
        votes = self._matrix(log, counted & ~before, None)
        votes.data = np.minimum(votes.data, np.float32(1.0))
        both = np.flatnonzero((np.diff(histories.indptr) > 0) & (np.diff(votes.indptr) > 0))
        latest = np.argsort(-last[both], kind="stable")[: self.customer_limit]
        kept = np.sort(both[latest])
        return csr_array(histories[kept]), csr_array(votes[kept])

    def _matrix(self, log: Interactions, kept: BoolArray, half_life: float | None) -> csr_array:
        """Returns customers x items of a part of the log."""
        columns = ("customer_nums", "item_nums", "event_types", "times", "basket_nums")
        part = replace(log, **{name: getattr(log, name)[kept] for name in columns})
        states = CustomerStates.from_interactions(part, () if half_life is None else (half_life,))
        return states.matrix(len(log.items), type_weight_array(self.event_weights), half_life)

    def history(self, item_nums: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items of a history that count, ascending, and what each counts."""
        return heaviest_items(item_nums, weights, self.history_limit)

    def restore(self, arrays: Arrays) -> "CustomerNeighboursModel":
        """Returns the model with these arrays."""
        scales = arrays["scales"]
        rows = len(arrays["vote_offsets"]) - 1
        items = (arrays["values"], arrays["histories"], arrays["offsets"])
        votes = (arrays["votes"], arrays["vote_item_nums"], arrays["vote_offsets"])
        return CustomerNeighboursModel(
            self,
            scales,  # type: ignore[arg-type]  # arrays() wrote these types
            csr_array(items, shape=(len(scales), rows)),
            csr_array(votes, shape=(rows, len(scales))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class CustomerNeighboursModel:
    """Histories and what followed each."""

    config: CustomerNeighbours
    scales: FloatArray
    """Shape (items,): what an item of a history is multiplied by."""
    by_item: csr_array
    """Items x histories, float32; each history is scaled and of length 1."""
    votes: csr_array
    """Histories x items, float32."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {
            "scales": self.scales,
            "values": self.by_item.data,
            "histories": self.by_item.indices,
            "offsets": self.by_item.indptr,
            "votes": self.votes.data,
            "vote_item_nums": self.votes.indices,
            "vote_offsets": self.votes.indptr,
        }

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items that the nearest neighbours chose next: sums of their cosines.

        Args:
            seeds: item numbers, distinct, shape (seeds,).
            weights: what each counts, shape (seeds,).

        Returns:
            Item numbers, ascending, and scores, both shape (items,).
        """
        query = self._query(seeds, weights)
        nearest, cosines = self._nearest(seeds, query)
        sums = self.votes[nearest].T @ cosines
        found = np.flatnonzero(sums > 0)
        return found.astype(np.int32), sums[found].astype(np.float32, copy=False)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        query = self._query(seeds, weights)
        nearest, _ = self._nearest(seeds, query)
        votes = self.votes[nearest][:, item_nums]
        parts = (votes.T @ self.by_item[seeds][:, nearest].T).toarray() * query
        strongest: NumArray = seeds[np.argmax(parts, axis=1)]
        return strongest

    def _query(self, seeds: NumArray, weights: FloatArray) -> FloatArray:
        """Returns the history as a vector of length 1, shape (seeds,)."""
        scaled = weights * self.scales[seeds]
        return scaled / max(np.linalg.norm(scaled), np.float32(1e-12))

    def _nearest(self, seeds: NumArray, query: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
        """Returns the rows of the most similar histories, ascending, and their cosines."""
        cosines = self.by_item[seeds].T @ query
        near = np.flatnonzero(cosines > 0)
        if len(near) > self.config.neighbours:
            # A stable order, so that of equal neighbours the same ones vote everywhere.
            kept = np.argsort(-cosines[near], kind="stable")[: self.config.neighbours]
            near = np.sort(near[kept])
        return near, cosines[near]


def _unit_rows(matrix: csr_array) -> csr_array:
    """Returns the matrix with rows of length 1; no row is empty."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return csr_array(diags_array(1 / np.maximum(lengths, 1e-12)) @ matrix)
