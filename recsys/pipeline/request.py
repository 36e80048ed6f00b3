"""One query with everything looked up: what sources and rules work on."""

from dataclasses import dataclass

import numpy as np

from recsys.data.state import DecayScale, StateRows, item_weights, type_weight_array
from recsys.pipeline.query import Query
from recsys.types import BoolArray, EventType, FloatArray, NumArray, Tier

BOUGHT = type_weight_array({EventType.PURCHASE: 1.0})


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A query in numbers."""

    query: Query
    rows: StateRows
    """The history: the bundle's rows and the query's events."""
    scale: DecayScale
    history_tier: Tier
    """What a list made from the history is: personalised, or session where the bundle knows
    nothing of the customer."""
    label_nums: NumArray
    """The customer's segment labels."""
    context_nums: NumArray
    """Known context items, distinct, ascending."""
    use_context: bool
    """Whether sources start from the context items instead of the history."""
    allowed: BoolArray
    """Shape (items,): what may be shown."""

    def seeds(
        self, type_weights: FloatArray, half_life_days: float | None
    ) -> tuple[NumArray, FloatArray]:
        """Returns what a source starts from: item numbers, ascending, and weights above 0.

        Args:
            type_weights: weight per event type code.
            half_life_days: one of the scale's half-lives, None to count days without decay.
        """
        if self.use_context:
            return self.context_nums, np.ones(len(self.context_nums), dtype=np.float32)
        return item_weights(
            self.rows, type_weights, half_life_days, self.scale, self.query.query_time
        )

    @property
    def seed_tier(self) -> Tier:
        """What a list made from the seeds is."""
        return Tier.SESSION if self.use_context else self.history_tier

    def bought(self) -> NumArray:
        """Returns the items that the history has a purchase of, ascending."""
        return np.unique(self.rows.item_nums[BOUGHT[self.rows.event_types] > 0])
