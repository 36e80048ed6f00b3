"""A hold-out: a split, what is asked of it, and how the same is repeated within its train side."""

from collections.abc import Callable
from dataclasses import dataclass

from recsys.data.splits import Split
from recsys.protocols.mask import Mask

InnerSplit = Callable[[Split], Split]
"""Makes of a split one within its training side: what choices are made by. Nothing of the outer
truth can be reached from the result."""


@dataclass(frozen=True, slots=True, eq=False)
class HoldOut:
    """What an evaluation needs to know of the data, whichever protocol held something out."""

    protocol: str
    """How the sides were told apart, as rows of figures say it."""
    variant: str
    """What else defines it."""
    split: Split
    inner: InnerSplit
    """Repeats the protocol within the training side."""
    mask: Mask | None = None
    """What lists and truth leave out; None: what each placement does by itself."""
    placements: tuple[str, ...] | None = None
    """What is asked unless somebody says otherwise; None: every placement that can be judged."""


def usual_placements(mask: Mask) -> tuple[str, ...]:
    """Returns what a list with this mask is for: something new, or anything."""
    return ("for_you",) if mask is Mask.NONE else ("discover",)
