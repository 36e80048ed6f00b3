"""Sources that somebody adds in a file of their own, named in the configuration by that file.

`kind = "shop_sources:Newest"` is the class `Newest` of the module `shop_sources`, which must be
importable wherever a bundle that names it is made or read: a bundle holds arrays, never code.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from sysconfig import get_path
from traceback import extract_tb
from typing import Any

from pydantic import ValidationError

from recsys.config import problems
from recsys.data.catalogue import Catalogue
from recsys.models.protocol import Arrays, Model, TrainingData, WeightedConfig
from recsys.pipeline.source import CandidateSource

_LIBRARY = Path(__file__).parent.parent
_APPLICATIONS = [
    _LIBRARY.parent / name for name in ("recsys", "training", "serving", "evaluation")
]
_PYTHON = Path(get_path("stdlib"))
_PACKAGES = frozenset({"site-packages", "dist-packages"})


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
    except Exception as error:
        cause = own_code_fault(error) or f"{error}"
        message = f"the source {kind!r} cannot be imported here: {cause}"
        raise ValueError(message) from error
    if not (isinstance(found, type) and issubclass(found, OwnSource)):
        message = f"{kind!r} is not a class that inherits OwnSource"
        raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors
    try:
        return found.model_validate(settings)
    except ValidationError as error:
        text = "; ".join(line.strip() for line in problems(error, f"{kind}: settings", kind=found))
        raise ValueError(text) from error


def own_code_fault(error: BaseException) -> str | None:
    """Returns one line on an error that somebody's own code raised: file, line and what.

    None where the error is none of own code's: nothing but the library, and what is installed
    beside it, was at work.
    """
    frames = extract_tb(error.__traceback__)
    inside = next((at for at, frame in enumerate(frames) if _is_ours(frame.filename)), len(frames))
    own = [frame for frame in frames[inside:] if not _is_installed(frame.filename)]
    if not own:
        return None
    last = own[-1]
    text = f"{type(error).__name__}: {error}".partition("\n")[0]
    return f"{last.filename}:{last.lineno}: in {last.name}: {text}"


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(_LIBRARY)


def _is_installed(file: str) -> bool:
    """Says whether a file comes with the library, with Python or with a package of others."""
    if file.startswith("<") or any(part in _PACKAGES for part in Path(file).parts):
        return True
    return any(Path(file).is_relative_to(each) for each in (*_APPLICATIONS, _PYTHON))
