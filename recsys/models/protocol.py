"""What an algorithm is given, and what it makes.

An algorithm is a configuration that can fit; a model is a frozen value that can score. There is
no "not fitted" state. A model's arrays go to the bundle and come back memory-mapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from recsys.config import StrictModel
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.segments import Segments
from recsys.data.state import CustomerStates
from recsys.types import EventType

Arrays: TypeAlias = Mapping[str, NDArray[np.generic]]

EventWeights: TypeAlias = dict[EventType, float]

DEFAULT_EVENT_WEIGHTS: EventWeights = {
    EventType.PURCHASE: 1.0,
    EventType.ADD_TO_CART: 0.3,
    EventType.WISHLIST: 0.3,
    EventType.RATING: 0.3,
    EventType.CLICK: 0.1,
    EventType.VIEW: 0.1,
}
"""How much a day with such an event says, beside a day with a purchase."""


NO_HALF_LIFE = "none"
"""How TOML, which has no null, says that events do not fade."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Everything an algorithm may learn from: all of it lies before `interactions.end_time`."""

    interactions: Interactions
    states: CustomerStates
    segments: Segments
    catalogue: Catalogue


class WeightedConfig(StrictModel):
    """What models that read event weights share."""

    event_weights: EventWeights = Field(default=DEFAULT_EVENT_WEIGHTS)
    """Weight of one event of each type; types not named weigh nothing."""
    half_life_days: float | None = Field(default=None, gt=0)
    """Days after which an event weighs half; none (`"none"` in TOML): events do not fade."""

    @field_validator("half_life_days", mode="before")
    @classmethod
    def _spelled_out(cls, value: object) -> object:
        return None if value == NO_HALF_LIFE else value


class Model(Protocol):
    """A fitted model. Equal arrays and configuration make an equal model."""

    def arrays(self) -> Arrays:
        """Returns all that was learned, by name; every array is written as one `.npy` file."""
        ...


@runtime_checkable
class ReportingModel(Protocol):
    """A model that knows figures of its fit worth keeping, such as what an approximation lost."""

    def report(self) -> Mapping[str, float]:
        """Returns the figures by name."""
        ...


class Algorithm(Protocol):
    """A configuration that fits. The same data and configuration give the same arrays."""

    def fit(self, data: TrainingData) -> Model:
        """Learns a model from the data."""
        ...

    def restore(self, arrays: Arrays) -> Model:
        """Returns the model whose `arrays()` these were; they may be memory-mapped, read-only."""
        ...
