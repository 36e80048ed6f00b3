"""What a list leaves out in a back-test, whatever the placement itself says."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from recsys.pipeline.placements import PlacementConfig


class Mask(StrEnum):
    """Which items of the customer's own past are left out of lists and of the truth."""

    NONE = "none"
    BOUGHT = "bought"
    SEEN = "seen"
    """Everything with any event."""


MASKABLE: Mapping[str, Mask] = MappingProxyType({"for_you": Mask.NONE, "discover": Mask.BOUGHT})
"""Placements whose mask can be chosen, and the one that each has by itself."""


def with_mask(
    placements: Mapping[str, PlacementConfig], mask: Mask | None
) -> dict[str, PlacementConfig]:
    """Returns placements of which the maskable ones leave out what `mask` says; None: as they are.

    The truth has to follow: give `cases_for` the same mask.
    """
    if mask is None:
        return dict(placements)
    exclude = "nothing" if mask is Mask.NONE else mask.value
    return {
        name: config.model_copy(update={"exclude": exclude}) if name in MASKABLE else config
        for name, config in placements.items()
    }
