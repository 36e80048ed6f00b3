"""Trend: what more customers choose than its own past and the shop's season let one expect."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array

from recsys.data.state import type_weight_array
from recsys.models.popularity import PopularityModel, popularity_model
from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.types import DAY_S, BoolArray


class Trend(WeightedConfig):
    """Compares customers of the latest window with those of the windows before, item by item.

    The score is `(recent + shrinkage) / (expected + shrinkage)`: `recent` customers chose the item
    in the latest window, and `expected` is the mean of the earlier windows times the growth of the
    whole shop. Above 1 it rises. Counts are of distinct customers: one buyer makes no trend.
    """

    kind: Literal["trend"] = "trend"
    window_days: float = Field(default=14.0, gt=0)
    """What counts as recent, and the length of each window before."""
    past_windows: int = Field(default=8, ge=1)
    """Windows before that make the item's own past, as far as the data go."""
    shrinkage: float = Field(default=10.0, gt=0)
    """Customers' worth of doubt: tames items that few ever chose."""
    items_per_segment: int = Field(default=500, ge=1)
    """Items kept for each segment label, best first."""

    def fit(self, data: TrainingData) -> PopularityModel:
        """Learns scores of all items, and the best items of each segment; 0 for resting items."""
        ages = (data.interactions.end_time - data.interactions.times) / DAY_S
        windows = (ages // self.window_days).astype(np.int64)
        recent = self._customers(data, windows, windows == 0)
        past = self._customers(data, windows, (windows > 0) & (windows <= self.past_windows))
        everybody = csr_array(np.ones((1, recent.shape[0]), dtype=np.float32))
        labels = csr_array(data.segments.matrix().T)
        scores = self._lift(csr_array(everybody @ recent), csr_array(everybody @ past))
        by_segment = self._lift(csr_array(labels @ recent), csr_array(labels @ past))
        return popularity_model(scores.toarray()[0], by_segment, self.items_per_segment)

    def _customers(
        self, data: TrainingData, windows: NDArray[np.int64], chosen: BoolArray
    ) -> csr_array:
        """Returns customers x items, float32: the heaviest event of each window, summed."""
        log = data.interactions
        weights = type_weight_array(self.event_weights)[log.event_types]
        kept = np.flatnonzero(chosen & (weights > 0))
        customers, items, weights = log.customer_nums[kept], log.item_nums[kept], weights[kept]
        order = np.lexsort((-weights, windows[kept], items, customers))
        keys = np.stack([customers, items, windows[kept]])[:, order]
        first = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))[: len(order)]
        entries = (weights[order][first], (keys[0, first], keys[1, first]))
        return csr_array(entries, shape=(len(log.customers), len(log.items)), dtype=np.float32)

    def _lift(self, recent: csr_array, past: csr_array) -> csr_array:
        """Returns populations x items: how far each population's items rise."""
        totals = np.asarray(past.sum(axis=1)).ravel()
        growth = np.asarray(recent.sum(axis=1)).ravel() / np.maximum(totals, 1e-9)
        found = recent.tocoo()
        expected = np.asarray(past[found.row, found.col]).ravel() * growth[found.row]
        lift = (found.data + self.shrinkage) / (expected + self.shrinkage)
        entries = (lift.astype(np.float32), (found.row, found.col))
        return csr_array(entries, shape=recent.shape)

    def restore(self, arrays: Arrays) -> PopularityModel:
        """Returns the model with these arrays."""
        return PopularityModel(**arrays)  # type: ignore[arg-type]  # arrays() wrote these types
