"""Whether a placement can be had: what it asks must be in the bundle, and in its catalogue."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from recsys.data.item_labels import can_label
from recsys.errors import InvalidFilterError
from recsys.live.filters import compile_filter
from recsys.live.placement_settings import PlacementSettings

Problem = tuple[tuple[str, ...], str]
"""Where within the placement, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class SourceParts:
    """What a bundle has that placements are made of."""

    sources: Collection[str]
    backward: Collection[str]
    """Those that can be asked for customers."""
    forecasters: Collection[str]
    """Models that say when an item is needed again."""


def source_problems(settings: PlacementSettings, parts: SourceParts) -> Iterator[Problem]:
    """Yields the sources and models that a placement names and a bundle does not have."""
    places = [
        *(("sources", use.name) for use in settings.sources),
        *(("fill", name) for name in settings.fill),
        *([("boost", settings.boost.name)] if settings.boost else []),
        *([("within", settings.within)] if settings.within else []),
    ]
    for place, name in places:
        if name not in parts.sources:
            known = ", ".join(sorted(parts.sources))
            yield (place,), f"source {name!r} is not one of the bundle's {known}"
        elif settings.answers == "customers" and name not in parts.backward:
            known = ", ".join(sorted(parts.backward)) or "none"
            yield (
                (place,),
                f"source {name!r} cannot be asked for customers; those that can: {known}",
            )
    if settings.replenishment and settings.replenishment not in parts.forecasters:
        known = ", ".join(sorted(parts.forecasters)) or "none"
        problem = f"model {settings.replenishment!r} is not one that says when: {known}"
        yield ("replenishment",), problem


def column_problems(
    settings: PlacementSettings, columns: Mapping[str, pl.DataType]
) -> Iterator[Problem]:
    """Yields what a placement says of the catalogue that its columns do not bear out."""
    if settings.filter:
        try:
            compile_filter(settings.filter, columns)
        except InvalidFilterError as error:
            yield ("filter",), f"{error.description} (at character {error.position})"
    if settings.labels is not None:
        column = settings.labels.column
        if not can_label(column, columns.get(column)):
            problem = f"{column!r} is no column of text, and only such a one has labels"
            yield ("labels", "column"), problem
