"""What a customer looked at: the history says it all; learned is only whether anybody looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from recsys.data.state import type_weight_array
from recsys.models.protocol import Arrays, EventWeights, TrainingData, WeightedConfig
from recsys.types import EventType


class Viewed(WeightedConfig):
    """Names the events that are a look at an item."""

    kind: Literal["viewed"] = "viewed"
    event_weights: EventWeights = Field(default={EventType.VIEW: 1.0, EventType.CLICK: 1.0})
    """Types that count, whatever they weigh."""
    history_limit: int = Field(default=500, ge=1)
    """Items of one customer at most, the latest."""

    def fit(self, data: TrainingData) -> "ViewedModel":
        """Counts the customers who looked at anything."""
        weights = type_weight_array(self.event_weights)
        looked = weights[data.states.rows.event_types] > 0
        customers = np.unique(data.states.customer_nums()[looked])
        return ViewedModel(self, np.array([len(customers)], dtype=np.int64))

    def restore(self, arrays: Arrays) -> "ViewedModel":
        """Returns the model with these arrays."""
        return ViewedModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these


@dataclass(frozen=True, slots=True, eq=False)
class ViewedModel:
    """Which events count, and how many customers have any."""

    config: Viewed
    customers: NDArray[np.int64]
    """Shape (1,): customers with such events; where it is 0, lists hold what a query brings."""

    def arrays(self) -> Arrays:
        """Returns the learned field by name."""
        return {"customers": self.customers}

    def report(self) -> Mapping[str, float]:
        """Returns how many customers looked at anything."""
        return {"customers": float(self.customers[0])}
