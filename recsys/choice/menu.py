"""What the automatic choice chooses from."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from recsys.assembly import MODELS_OF_SOURCE, AlgorithmConfig, SourceConfig
from recsys.config import StrictModel, read_toml_file, validated
from recsys.pipeline.ranker import RankerConfig


class Family(StrictModel):
    """Variants of one source, of which a placement uses one or none."""

    kind: str
    """The kind of source that asks the models."""
    role: Literal["source", "boost", "both"] = "source"
    """Whether its score adds to a blend, multiplies it, or may do either."""
    most_items: int | None = None
    """Larger catalogues do without: the model would not fit in memory or time."""
    least_items: int | None = None
    """Smaller catalogues do without: another family is exact there."""
    variants: tuple[AlgorithmConfig, ...] = Field(min_length=1)
    """In the order in which they are tried while there is time: the likeliest first."""

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.kind not in MODELS_OF_SOURCE:
            message = f"kind {self.kind!r} is not one of {', '.join(MODELS_OF_SOURCE)}"
            raise ValueError(message)
        wanted = MODELS_OF_SOURCE[self.kind]
        for algorithm in self.variants:
            if not isinstance(algorithm, wanted):
                kinds = " or ".join(repr(kind.model_fields["kind"].default) for kind in wanted)
                message = (
                    f"sources of kind {self.kind!r} need models of kind {kinds}, not "
                    f"{algorithm.kind!r}"
                )
                raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors
        return self

    def suits(self, items: int) -> bool:
        """Says whether a catalogue of so many items may use it."""
        least, most = self.least_items or 0, self.most_items or items
        return least <= items <= most

    def source(self, model: str) -> SourceConfig:
        """Returns the source that asks a model."""
        return validated(SourceConfig, {"kind": self.kind, "model": model}, where="menu")


class Menu(StrictModel):
    """All families; of equally dear ones the first is tried first."""

    families: dict[str, Family]
    ranker: RankerConfig | None = None
    """Tried on the chosen blends where past cut-offs can be made; none: never."""


def load_menu(path: Path | None = None) -> Menu:
    """Returns the menu that comes with the library, or a file's own.

    Raises:
        ConfigError: the file is missing, is not TOML, or has wrong fields: all are named.
    """
    if path:
        values, lines = read_toml_file(path)
        return validated(Menu, values, where=str(path), lines=lines)
    text = files("recsys.choice").joinpath("menu.toml").read_text("utf-8")
    return validated(Menu, tomllib.loads(text), where="menu.toml")
