"""How a list is varied and filtered: values of arguments, checked and as the contract has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from google.protobuf.struct_pb2 import Struct

from recsys.client.checks import elements, instance, number, one_of, saying, texts
from recsys.client.errors import ArgumentError
from recsys.client.keywords import names_keywords
from recsys.v1 import recommendation_service_pb2 as pb

Level = Literal["none", "low", "medium", "high"] | float
"""A level by name, or a number."""
_LEVELS: "dict[str, pb.LevelName.ValueType]" = {
    "none": pb.LEVEL_NAME_NONE,
    "low": pb.LEVEL_NAME_LOW,
    "medium": pb.LEVEL_NAME_MEDIUM,
    "high": pb.LEVEL_NAME_HIGH,
}
Strictness = Literal["as-rules", "strict", "fill"]
STRICTNESS: "dict[Strictness, pb.Strictness.ValueType]" = {
    "as-rules": pb.STRICTNESS_UNSPECIFIED,
    "strict": pb.STRICTNESS_STRICT,
    "fill": pb.STRICTNESS_FILL,
}
ParameterValue = str | bool | float | Sequence[str] | Sequence[float]
"""What a parameter of a filter may be."""


@names_keywords
@dataclass(frozen=True, slots=True)
class Tuning:
    """How a list is varied; None: as the placement's rules say."""

    diversity: Level | None = None
    """How much items that are alike are avoided, 0 to 1."""
    freshness: Level | None = None
    """How much newer items are preferred, -1 to 1."""
    popularity: Level | None = None
    """How much popular items are preferred, -1 to 1."""


def tuning(name: str, value: object) -> Tuning:
    """Returns a tuning whose levels are words or numbers."""
    found = instance(name, value, Tuning, "(diversity=..., freshness=..., popularity=...)")
    for field in Tuning.__dataclass_fields__:
        level = getattr(found, field)
        if isinstance(level, str):
            one_of(_LEVELS)(f"{name}.{field}", level)
        elif level is not None:
            number(f"{name}.{field}", level)
    return found


def parameters(name: str, value: object) -> Mapping[str, ParameterValue]:
    """Returns the parameters of filters, by name."""
    if not isinstance(value, Mapping):
        hint = "such as {'limit': 20.0}"
        raise ArgumentError(name, f"must be values by name, {hint}, {saying(value)}")
    return {key: _parameter(f"{name}[{key!r}]", each) for key, each in value.items()}


def _parameter(name: str, value: object) -> ParameterValue:
    if isinstance(value, str | bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        found = elements(name, value, "texts or numbers")
        if found and isinstance(found[0], str):
            return texts(name, found)
        return [number(f"{name}[{place}]", each) for place, each in enumerate(found)]
    return number(name, value)


def to_parameters(values: Mapping[str, ParameterValue] | None) -> Struct | None:
    """Returns the parameters of filters, None where there are none."""
    if not values:
        return None
    message = Struct()
    for name, value in values.items():
        message[name] = value if isinstance(value, str | bool | float | int) else list(value)
    return message


def to_tuning(value: Tuning | None) -> pb.Tuning | None:
    """Returns the tuning of a request, None where there is none."""
    if value is None:
        return None
    return pb.Tuning(
        diversity=_level(value.diversity),
        freshness=_level(value.freshness),
        popularity=_level(value.popularity),
    )


def _level(level: Level | None) -> pb.Level | None:
    if level is None:
        return None
    return pb.Level(name=_LEVELS[level]) if isinstance(level, str) else pb.Level(value=level)
