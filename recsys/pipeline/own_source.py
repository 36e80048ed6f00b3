"""Sources that somebody adds in a file of their own, named in the configuration by that file.

`kind = "shop_sources:Newest"` is the class `Newest` of the module `shop_sources`, which must be
importable wherever a bundle that names it is made or read: a bundle holds arrays, never code.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from recsys.data.catalogue import Catalogue
from recsys.models.protocol import Arrays, Model, TrainingData, WeightedConfig
from recsys.pipeline.source import CandidateSource


@dataclass(frozen=True, slots=True)
class NothingLearned:
    """The model of a source that learns nothing."""

    def arrays(self) -> Arrays:
        """Returns no array."""
        return {}


class OwnSource(WeightedConfig, ABC):
    """Inherit, add settings as fields, and say how requests are answered.

    Settings are checked as strictly as those of the library: an unknown one is an error. Where
    `half_life_days` is set, `request.seeds` can be asked for weights that fade by it.
    """

    def fit(self, data: TrainingData) -> Model:  # noqa: ARG002  # for those who learn
        """Learns a model, by default none. The same data must give the same arrays."""
        return NothingLearned()

    def restore(self, arrays: Arrays) -> Model:  # noqa: ARG002  # for those who learn
        """Returns the model whose `arrays()` these were; they are memory-mapped, read-only."""
        return NothingLearned()

    @abstractmethod
    def source(self, name: str, model: Model, catalogue: Catalogue) -> CandidateSource:
        """Returns the source that answers with a model that `fit` or `restore` returned."""


def is_own(kind: str) -> bool:
    """Says whether a kind names a class of somebody's own."""
    return ":" in kind


def own_source(kind: str, settings: Mapping[str, Any]) -> OwnSource:
    """Imports the class that a kind names, and gives it its settings.

    Raises:
        ValueError: there is no such class, it is no source, or a setting is wrong.
    """
    module_name, _, class_name = kind.partition(":")
    try:
        found = getattr(import_module(module_name), class_name)
    except (AttributeError, ImportError, SyntaxError, ValueError) as error:
        message = f"the source {kind!r} cannot be imported here: {error}"
        raise ValueError(message) from error
    if not (isinstance(found, type) and issubclass(found, OwnSource)):
        message = f"{kind!r} is not a class that inherits OwnSource"
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors
    return found.model_validate(settings)
