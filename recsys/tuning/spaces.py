"""Which settings of which models are searched, and how far."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from recsys.assembly import AlgorithmConfig
from recsys.config import StrictModel, read_toml_file, validated
from recsys.pipeline.ranker import RankerConfig

Value = int | float | None
"""Of a setting; None: no fading."""
_ALGORITHMS: TypeAdapter[AlgorithmConfig] = TypeAdapter(AlgorithmConfig)
_DIGITS = 3
"""Of a number that is tried: finer differences are noise, and hard to read in a file."""


class Range(StrictModel):
    """Where one setting is searched."""

    low: float
    high: float
    log: bool = False
    """Equal ratios are equal distances."""
    or_none: bool = False
    """Beyond `high` a last stretch, up to twice it, stands for none."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            message = f"no range: from {self.low:g} to {self.high:g}"
            raise ValueError(message)
        return self

    @property
    def end(self) -> float:
        """Returns the highest number that is drawn."""
        return self.high * 2 if self.or_none else self.high

    def value(self, drawn: float) -> Value:
        """Returns the setting that a drawn number stands for."""
        if self.or_none and drawn > self.high:
            return None
        return drawn if isinstance(drawn, int) else float(f"{drawn:.{_DIGITS}g}")

    def drawn(self, value: Value) -> float | None:
        """Returns a number that stands for a setting; None where none does."""
        if value is None:
            return self.end if self.or_none else None
        return value if self.low <= value <= self.high else None


Ranges = Mapping[str, Range]
"""By the name of the setting."""


class Spaces(StrictModel):
    """All ranges."""

    models: dict[str, dict[str, Range]] = Field(default_factory=dict)
    """By kind of model."""
    ranker: dict[str, Range] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_set(self) -> Self:
        for kind, ranges in self.models.items():
            for name, limits in ranges.items():
                _tried(f"models.{kind}.{name}", kind, name, limits)
        for name, limits in self.ranker.items():
            for value in (limits.low, limits.high):
                try:
                    RankerConfig.model_validate({name: value})
                except ValidationError as error:
                    message = f"ranker.{name}: {value:g}: {error.errors()[0]['msg']}"
                    raise ValueError(message) from None
        return self


def _tried(where: str, kind: str, name: str, limits: Range) -> None:
    """Refuses what a model does not take."""
    ends: list[Value] = [limits.low, limits.high, *([None] if limits.or_none else [])]
    for value in ends:
        try:
            _ALGORITHMS.validate_python({"kind": kind, name: value})
        except ValidationError as error:
            message = f"{where}: {value}: {error.errors()[0]['msg']}"
            raise ValueError(message) from None


def algorithm(kind: str, values: Mapping[str, object]) -> AlgorithmConfig:
    """Returns a model's configuration; values must have been checked by `Spaces`."""
    return _ALGORITHMS.validate_python({**values, "kind": kind})


def whole_numbers(settings: type[StrictModel], names: Mapping[str, Range]) -> set[str]:
    """Returns the settings among these that take whole numbers only."""
    return {name for name in names if settings.model_fields[name].annotation is int}


def load_spaces(path: Path | None = None) -> Spaces:
    """Returns the ranges that come with the library, or a file's own.

    Raises:
        ConfigError: the file is missing, is not TOML, or has wrong fields: all are named.
    """
    if path:
        values, lines = read_toml_file(path)
        return validated(Spaces, values, where=str(path), lines=lines)
    text = files("recsys.tuning").joinpath("spaces.toml").read_text("utf-8")
    return validated(Spaces, tomllib.loads(text), where="spaces.toml")
