"""What answers a placement: sources, what they see, what may be shown, and who orders it."""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from recsys.errors import InvalidQueryError, UnknownPlacementError
from recsys.live.placement_settings import (
    Answers,
    Boost,
    LabelsOf,
    PlacementSettings,
    SourceUse,
)
from recsys.pipeline.features import feature_names
from recsys.pipeline.ranker import RankerConfig

__all__ = ["Boost", "LabelsOf", "PlacementConfig", "SourceUse", "placement_that"]


class PlacementConfig(PlacementSettings):
    """A placement of a bundle, which may have a ranker."""

    ranker: RankerConfig | None = None
    """Orders the blend's best; none: the blend's order is the list's."""

    @model_validator(mode="after")
    def _can_be_ranked(self) -> Self:
        if self.ranker and self.seeds != "history":
            message = f"a ranker learns from histories; seeds = {self.seeds!r} cannot have one"
            raise ValueError(message)
        if self.ranker and self.answers != "items":
            message = f"a ranker orders items; answers = {self.answers!r} cannot have one"
            raise ValueError(message)
        return self

    def ranker_features(self) -> tuple[str, ...]:
        """Returns the names of what the placement's ranker sees; none where there is none."""
        if self.ranker is None:
            return ()
        return feature_names([use.name for use in self.sources], self.ranker.half_lives_days)


def placement_that(
    configs: Mapping[str, PlacementConfig], name: str, answers: Answers
) -> PlacementConfig:
    """Returns a placement that answers with something.

    Args:
        configs: by name.
        name: of the placement.
        answers: what it must answer with.

    Raises:
        UnknownPlacementError: there is no such placement.
        InvalidQueryError: it answers with something else.
    """
    config = configs.get(name)
    if config is None:
        raise UnknownPlacementError(name, tuple(configs))
    if config.answers != answers:
        description = f"answers with {config.answers}, not with {answers}"
        raise InvalidQueryError("placement", description)
    return config
