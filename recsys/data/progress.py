"""How long work tells whoever watches how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Hears about every stage of a piece of work; must return quickly and never raise."""

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        """Takes the stage's name and the units done of `total` (None: not known)."""


def silent(stage: str, done: int, total: int | None = None) -> None:
    """Is a `Progress` that tells nobody."""
    del stage, done, total
