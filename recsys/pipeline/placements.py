"""What answers a placement: sources, what they see, and what may be shown."""

from typing import Literal, Self

from pydantic import Field, model_validator

from recsys.config import StrictModel
from recsys.pipeline.features import feature_names
from recsys.pipeline.ranker import RankerConfig


class SourceUse(StrictModel):
    """One source's part in a placement."""

    name: str
    """A source of the bundle."""
    weight: float = Field(gt=0)
    """Multiplies the source's normalised score."""


class Boost(StrictModel):
    """A source that multiplies the blend instead of adding to it."""

    name: str
    """A source of the bundle, such as one of recent popularity."""
    power: float = Field(gt=0, le=2)
    """Of its share: 0.3 is mild."""


class PlacementConfig(StrictModel):
    """A placement: sources are blended, then `fill` sources make the list full."""

    sources: tuple[SourceUse, ...] = Field(min_length=1)
    """Blended: an item's score is the weighted sum of its normalised scores."""
    boost: Boost | None = None
    """Multiplies the sum by a power of one source's share."""
    ranker: RankerConfig | None = None
    """Orders the blend's best; none: the blend's order is the list's."""
    fill: tuple[str, ...] = ()
    """Sources asked in this order while the list is short; the last should rank everything."""
    seeds: Literal["history", "context"] = "history"
    """What sources start from: the customer's history, or the context items (and, where the query
    names none that is known, the history)."""
    exclude: Literal["nothing", "bought", "seen"] = "nothing"
    """Leaves out items the customer bought, or had any event with."""
    only_bought: bool = False
    """Shows nothing but items the customer bought: such a list may be short, even empty."""
    candidates: int = Field(default=200, ge=1, le=5_000)
    """Items taken from each source."""

    @model_validator(mode="after")
    def _not_contradictory(self) -> Self:
        if self.only_bought and self.exclude != "nothing":
            message = "only_bought and exclude contradict each other"
            raise ValueError(message)
        if self.ranker and self.seeds == "context":
            message = "a ranker learns from histories; seeds = 'context' cannot have one"
            raise ValueError(message)
        return self

    def ranker_features(self) -> tuple[str, ...]:
        """Returns the names of what the placement's ranker sees; none where there is none."""
        if self.ranker is None:
            return ()
        return feature_names([use.name for use in self.sources], self.ranker.half_lives_days)
