"""Popularity: how many customers lately chose an item, or how often, also within segments."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.sparse import csr_array

from recsys.data.state import type_weight_array
from recsys.models.protocol import Arrays, EventWeights, TrainingData, WeightedConfig
from recsys.types import DAY_S, UNKNOWN, FloatArray, NumArray


class Popularity(WeightedConfig):
    """Counts who chose an item, or how often, each halved per half-life since then."""

    kind: Literal["popularity"] = "popularity"
    half_life_days: float | None = Field(default=14.0, gt=0)
    """Days after which what is counted weighs half; none: no fading."""
    window_days: float | None = Field(default=None, gt=0)
    """Only customers whose last event is not older count; none: all of them."""
    count: Literal["customers", "days"] = "customers"
    """`customers`: each counts once, at their last event with an item; `days`: every day on which
    somebody chose it, so that what few people buy all the time rises."""
    items_per_segment: int = Field(default=500, ge=1)
    """Items kept for each segment label, best first."""

    def fit(self, data: TrainingData) -> "PopularityModel":
        """Learns scores of all items, and the best items of each segment."""
        matrix = self._weights(data)
        scores = _summed(matrix)
        by_segment = csr_array(data.segments.matrix().T @ matrix)
        return popularity_model(scores, by_segment, self.items_per_segment)

    def totals(self, data: TrainingData) -> FloatArray:
        """Returns the scores of all items, shape (items,)."""
        return _summed(self._weights(data))

    def _weights(self, data: TrainingData) -> csr_array:
        """Returns customers x items, float32: what each customer adds to an item's score."""
        if self.count == "days":
            weights = type_weight_array(self.event_weights)
            return data.states.matrix(len(data.interactions.items), weights, self.half_life_days)
        return last_event_weights(data, self.event_weights, self.half_life_days, self.window_days)

    @model_validator(mode="after")
    def _days_have_no_window(self) -> Self:
        if self.count == "days" and self.window_days is not None:
            message = "window_days goes with count = 'customers' only: days are kept as sums"
            raise ValueError(message)
        return self

    def restore(self, arrays: Arrays) -> "PopularityModel":
        """Returns the model with these arrays."""
        return PopularityModel(**arrays)  # type: ignore[arg-type]  # arrays() wrote these types


@dataclass(frozen=True, slots=True, eq=False)
class PopularityModel:
    """Scores of all items, and the best items of each segment label."""

    scores: FloatArray
    """Shape (items,): faded count of customers or days; 0 for items nobody chose."""
    order: NumArray
    """Shape (items,): all item numbers, most popular first."""
    segment_offsets: NumArray
    """Shape (labels + 1,)."""
    segment_item_nums: NumArray
    segment_scores: FloatArray

    def arrays(self) -> Arrays:
        """Returns the fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def of_segments(self, label_nums: NumArray) -> tuple[NumArray, FloatArray]:
        """Returns the items that are popular among customers of any of these labels.

        Returns:
            Item numbers, ascending, and the sum over labels of each label's score share (the
            label's best item has 1), both shape (items,).
        """
        parts = [
            slice(self.segment_offsets[num], self.segment_offsets[num + 1]) for num in label_nums
        ]
        parts = [part for part in parts if part.stop > part.start]
        if not parts:
            return self.segment_item_nums[:0], self.segment_scores[:0]
        nums = np.concatenate([self.segment_item_nums[part] for part in parts])
        shares = np.concatenate(
            [self.segment_scores[part] / self.segment_scores[part.start] for part in parts]
        )
        distinct, places = np.unique(nums, return_inverse=True)
        return distinct, np.bincount(places, weights=shares).astype(np.float32)

    def strongest_labels(self, label_nums: NumArray, item_nums: NumArray) -> NumArray:
        """Returns, for items that `of_segments` gives, the label each owes most to.

        Shape (items,); ties go to the lower label.
        """
        found = np.full(len(item_nums), UNKNOWN, dtype=np.int32)
        most = np.zeros(len(item_nums), dtype=np.float32)
        for label in label_nums.tolist():
            part = slice(self.segment_offsets[label], self.segment_offsets[label + 1])
            rows, wanted = np.nonzero(self.segment_item_nums[part, None] == item_nums)
            if len(rows) == 0:
                continue
            scores = self.segment_scores[part]
            shares = scores[rows] / scores[0]
            better = shares > most[wanted]
            most[wanted[better]], found[wanted[better]] = shares[better], label
        return found


def popularity_model(
    scores: FloatArray, by_segment: csr_array, items_per_segment: int
) -> PopularityModel:
    """Ranks items by their scores, overall and within each segment.

    Args:
        scores: shape (items,).
        by_segment: segment labels x items; scores above 0 count.
        items_per_segment: items kept for each label, best first.
    """
    offsets, nums, kept = [0], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for start, end in zip(by_segment.indptr[:-1], by_segment.indptr[1:], strict=True):
        row_nums, row_scores = by_segment.indices[start:end], by_segment.data[start:end]
        best = np.lexsort((row_nums, -row_scores))[:items_per_segment]
        best = best[row_scores[best] > 0]
        nums.append(row_nums[best].astype(np.int32))
        kept.append(row_scores[best].astype(np.float32))
        offsets.append(offsets[-1] + len(best))
    return PopularityModel(
        scores,
        popular_order(scores),
        np.array(offsets, dtype=np.int32),
        np.concatenate(nums),
        np.concatenate(kept),
    )


def last_event_weights(
    data: TrainingData,
    event_weights: EventWeights,
    half_life_days: float | None,
    window_days: float | None = None,
) -> csr_array:
    """Returns customers x items, float32: the weight of a customer's last event with an item."""
    rows = data.states.rows
    weights = type_weight_array(event_weights)[rows.event_types]
    ages = (data.states.scale.reference_time - rows.last_times) / DAY_S
    if half_life_days is not None:
        weights = weights * np.exp2(-ages / half_life_days).astype(np.float32)
    if window_days is not None:
        weights = weights * (ages <= window_days)
    shape = (len(data.states), len(data.interactions.items))
    matrix = csr_array((weights, (data.states.customer_nums(), rows.item_nums)), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _summed(matrix: csr_array) -> FloatArray:
    return np.asarray(matrix.sum(axis=0), dtype=np.float32)


def popular_order(scores: FloatArray) -> NumArray:
    """Returns all item numbers by score, best first; ties by item number."""
    return np.lexsort((np.arange(len(scores)), -scores)).astype(np.int32)
