"""Arrivals: since when each item has been sold, as far as the log tells.

A catalogue that says when an item came is believed; this is for items of which it does not.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.types import DAY_S, UNKNOWN, TimeArray


class Arrivals(WeightedConfig):
    """Takes the first event with an item for its arrival.

    In the first `blind_days` of a log every item has its first event, new or not: of those that
    were met then nothing is known.
    """

    kind: Literal["arrivals"] = "arrivals"
    half_life_days: float | None = Field(default=None, gt=0)
    """No event fades; how fast newness does is `newness_half_life_days`."""
    days: float = Field(default=60.0, gt=0)
    """An item is new for so many days."""
    newness_half_life_days: float = Field(default=14.0, gt=0)
    """Days after which an item is half as new."""
    blind_days: float = Field(default=60.0, ge=0)
    """From the log's first event: what was met then may have been sold for years."""

    def fit(self, data: TrainingData) -> "ArrivalsModel":
        """Learns when each item was first met."""
        rows, end = data.states.rows, data.interactions.end_time
        firsts = np.full(len(data.interactions.items), end, dtype=np.int64)
        np.minimum.at(firsts, rows.item_nums, rows.first_times)
        met = np.zeros(len(firsts), dtype=bool)
        met[rows.item_nums] = True
        begin = int(rows.first_times.min(initial=end)) + int(self.blind_days * DAY_S)
        firsts[~met | (firsts < begin)] = UNKNOWN
        return ArrivalsModel(self, firsts)

    def restore(self, arrays: Arrays) -> "ArrivalsModel":
        """Returns the model with these arrays."""
        return ArrivalsModel(self, **arrays)  # type: ignore[arg-type]  # arrays() wrote these


@dataclass(frozen=True, slots=True, eq=False)
class ArrivalsModel:
    """When each item was first met."""

    config: Arrivals
    first_times: TimeArray
    """Shape (items,): Unix seconds, `UNKNOWN` where the log does not tell."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {"first_times": self.first_times}
