"""How far changes of the catalogue are laid over a bundle."""

from typing import NamedTuple


class CatalogueState(NamedTuple):
    """What, with the changes themselves, decides how a bundle's catalogue looks."""

    number: int = 0
    """Of the newest change that is laid over; 0: none is."""
    waiting: tuple[str, ...] = ()
    """New items of which it is not known yet what they are like."""


AS_FITTED = CatalogueState()
