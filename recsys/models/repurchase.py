"""Personal repurchase: what this customer buys again and again, and lately.

A customer's own purchase frequency is a baseline that few published next-basket models beat
(Li et al., A next basket recommendation reality check, TOIS 2023).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from recsys.data.state import DecayScale, StateRows, item_weights, type_weight_array
from recsys.models.popularity import Popularity
from recsys.models.protocol import Arrays, EventWeights, TrainingData, WeightedConfig
from recsys.types import DAY_S, EventType, FloatArray, NumArray

TIE = np.float32(1e-3)
"""What the most popular item gains: below one day's weight, so that it decides ties only."""


class Repurchase(WeightedConfig):
    """Counts the days on which a customer bought an item, each halved per half-life.

    The score is `sum over days of (2^-(age / half-life) + count_weight) * (1 + since / gap)^
    -overdue`, where `since` is the time since the last purchase and `gap` the customer's own mean
    interval: what is bought weekly and was not for a month has probably been given up.
    """

    kind: Literal["repurchase"] = "repurchase"
    event_weights: EventWeights = Field(default={EventType.PURCHASE: 1.0})
    """Weight of one event of each type; types not named weigh nothing."""
    half_life_days: float | None = Field(default=120.0, gt=0)
    """Days after which a purchase weighs half; none: purchases do not fade."""
    count_weight: float = Field(default=0.0, ge=0)
    """What a day counts beside its fading part, however long ago it was."""
    overdue: float = Field(default=0.3, ge=0)
    """How strongly a score falls with the time since the last purchase; 0: not at all."""
    first_gap_days: float = Field(default=30.0, gt=0)
    """The interval of an item that was bought on one day only."""
    least_gap_days: float = Field(default=3.0, gt=0)
    """No interval is taken to be shorter."""

    ties: Literal["customers", "days"] = "customers"
    """What decides between equal scores: customers who chose an item, or all days on which."""

    def fit(self, data: TrainingData) -> "RepurchaseModel":
        """Learns the popularity that decides ties."""
        known = Popularity(count=self.ties, half_life_days=None, event_weights=self.event_weights)
        popularity = known.totals(data)
        most = max(float(popularity.max(initial=0.0)), 1.0)
        return RepurchaseModel(self, popularity / np.float32(most) * TIE)

    def restore(self, arrays: Arrays) -> "RepurchaseModel":
        """Returns the model with these arrays."""
        return RepurchaseModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these


@dataclass(frozen=True, slots=True, eq=False)
class RepurchaseModel:
    """Scores a customer's own items."""

    config: Repurchase
    ties: FloatArray
    """Shape (items,): what popularity adds, at most `TIE`."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {"ties": self.ties}

    def scores(self, rows: StateRows, scale: DecayScale, now: int) -> tuple[NumArray, FloatArray]:
        """Returns the items a customer bought, ascending, and their scores, shape (items,).

        Args:
            rows: the customer's rows.
            scale: of the rows.
            now: Unix seconds that ages are counted from.
        """
        config, type_weights = self.config, type_weight_array(self.config.event_weights)
        nums, weights = item_weights(rows, type_weights, config.half_life_days, scale, now)
        counted = type_weights[rows.event_types] > 0
        owners = np.searchsorted(nums, rows.item_nums[counted])
        first = np.full(len(nums), np.iinfo(np.int64).max)
        last, days = np.zeros(len(nums), np.int64), np.zeros(len(nums), np.float32)
        np.minimum.at(first, owners, rows.first_times[counted])
        np.maximum.at(last, owners, rows.last_times[counted])
        np.maximum.at(days, owners, rows.days[counted])
        between = (last - first) / DAY_S / np.maximum(days - 1.0, 1.0)
        gap = np.maximum(between, config.least_gap_days)
        gap[days <= 1] = config.first_gap_days
        since = np.maximum(now - last, 0) / DAY_S
        counts = np.zeros(len(nums), np.float32)
        np.add.at(counts, owners, (type_weights[rows.event_types] * rows.days)[counted])
        weights = weights + np.float32(config.count_weight) * counts
        damped = weights * (1.0 + since / gap) ** -config.overdue
        return nums, (damped + self.ties[nums]).astype(np.float32)
