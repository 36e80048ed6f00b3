"""What is to be tuned, for how long, and who hears of it."""

import time
from dataclasses import dataclass, field
from typing import Protocol

from recsys.assembly import FitConfig
from recsys.choice.menu import Menu
from recsys.data.splits import Split
from recsys.protocols.mask import Mask
from recsys.tuning.spaces import Spaces


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is tuned on what."""

    split: Split
    """An inner split: what happens after its cutoff chooses, so nothing that is to be measured
    later may be in it."""
    base: FitConfig
    """The configuration that is changed."""
    menu: Menu
    """Families and kinds of models, and what the search begins with."""
    spaces: Spaces
    placements: tuple[str, ...] = ("for_you", "discover")
    mask: Mask | None = None
    """What lists leave out, where it is not what the placement does by itself."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """How far a study is, after something was tried."""

    tried: str
    """What, in words."""
    done: int
    """Settings tried so far, also by earlier runs."""
    best: dict[str, float]
    """By placement: mean ndcg@20 of the best blend so far."""
    seconds_left: float


class Watch(Protocol):
    """Hears after every setting; must return quickly and never raise."""

    def __call__(self, news: News) -> None:
        """Takes the news."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A budget of time, from now on."""

    seconds: float
    started: float = field(default_factory=time.perf_counter)

    def left(self, share: float = 1.0) -> float:
        """Returns the seconds left of a share of the budget; below 0 when they are over."""
        return self.seconds * share - (time.perf_counter() - self.started)
