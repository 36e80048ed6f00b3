"""What rules come to, as arrays over items: for a whole catalogue, and for one list."""

from dataclasses import dataclass

from recsys.live.rules import AtLeast, AtMost, Hiding, Tune
from recsys.types import BoolArray, FloatArray, NumArray


@dataclass(frozen=True, slots=True, eq=False)
class Hider:
    """A rule that says what may be shown."""

    name: str
    rule: Hiding
    shown: BoolArray | None
    """Shape (items,); None: it depends on the customer."""


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """What a rule multiplies scores by."""

    name: str
    values: FloatArray
    """Shape (items,), above 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Cap:
    """A rule that bounds how many items share a value."""

    name: str
    rule: AtMost
    codes: NumArray
    """Shape (items,): items with the same code count together, `UNKNOWN` never."""


@dataclass(frozen=True, slots=True, eq=False)
class Quota:
    """A rule that gives a set its part of the list."""

    name: str
    rule: AtLeast
    members: BoolArray
    """Shape (items,)."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A rule that puts an item at a place."""

    name: str
    position: int
    item_num: int


@dataclass(frozen=True, slots=True, eq=False)
class RuleTables:
    """All rules of a placement that hold at a time, in a market."""

    hiders: tuple[Hider, ...]
    shown: BoolArray
    """What all hiders show that do not depend on the customer."""
    factors: tuple[Factor, ...]
    caps: tuple[Cap, ...]
    quotas: tuple[Quota, ...]
    pins: tuple[Pinned, ...]
    """By position; those of items that the catalogue does not have are left out."""
    tunes: tuple[tuple[str, Tune], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What rules ask of one list."""

    before: BoolArray
    """Shape (items,): what may be shown if no rule hides anything."""
    hiders: tuple[tuple[Hider, BoolArray], ...]
    """Each with what it lets this customer see, shape (items,)."""
    factors: tuple[Factor, ...]
    caps: tuple[Cap, ...]
    quotas: tuple[Quota, ...]
    pins: tuple[Pinned, ...]
    diversity: tuple[str, float] = ("diversity", 0.0)
    """Who asks for it, and how much of it."""

    def shown(self, without: frozenset[str] = frozenset()) -> BoolArray:
        """Returns what may be shown when some rules hide nothing, shape (items,)."""
        found = self.before.copy()
        for hider, mask in self.hiders:
            if hider.name not in without:
                found &= mask
        return found
