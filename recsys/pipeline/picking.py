"""Picks a list's items one after the other: the best that the rules about lists still let in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.pipeline.rule_parts import Cap, Quota
from recsys.types import UNKNOWN, BoolArray, NumArray

_ROUNDING = 1e-9
"""Keeps 0.3 of 10 places from being 4."""


class Order(Protocol):
    """Says which of the items that may be picked comes next, where it is not the first."""

    def next(self, eligible: BoolArray) -> int:
        """Returns the row to pick, one of the eligible."""
        ...

    def note(self, row: int) -> None:
        """Takes note of what was picked."""
        ...


@dataclass(slots=True)
class Taken:
    """What was picked of some items."""

    rows: list[int] = field(default_factory=list)
    out_of_turn: list[str] = field(default_factory=list)
    """For each, the quota that picked it before better ones; empty: none did."""
    killed: dict[str, list[NDArray[np.intp]]] = field(default_factory=dict)
    """By cap: rows that it kept out."""
    waits_for: Quota | None = None
    """The quota that must be served, and that no item here is of; None: it stopped for
    another reason."""


class Picker:
    """Picks until the list is full; knows what was picked and what follows from it."""

    def __init__(
        self,
        limit: int,
        products: NumArray,
        caps: Sequence[Cap],
        quotas: Sequence[Quota],
        held: Sequence[int],
        *,
        alone: bool = False,
    ) -> None:
        """Takes the rules about the list.

        Args:
            limit: places.
            products: shape (items,): of each number, one item is shown.
            caps: bounds.
            quotas: parts of the list.
            held: items that stand in the list whatever is picked.
            alone: whether every item has a number of its own among `products`.
        """
        self._alone = alone
        self.room = limit - len(held)
        self.caps = list(caps)
        self._limit = limit
        self._products = products
        self._held = list(held)
        # Not as many as items: products that were made while serving have higher numbers.
        self._shown = np.zeros(int(products.max(initial=-1)) + 1, dtype=np.bool_)
        self._shown[products[self._held]] = True
        self._quotas = list(quotas)
        self._needs = {
            quota.name: places_of(quota, limit) - int(quota.members[self._held].sum())
            for quota in quotas
        }
        self._counts: dict[str, dict[int, int]] = {}
        for cap in caps:
            counts = self._counts[cap.name] = {}
            for num in held:
                code = int(cap.codes[num])
                counts[code] = counts.get(code, 0) + 1

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be picked."""
        return self.room <= 0

    def open(self, nums: NumArray) -> BoolArray:
        """Marks the items that may be picked: of no product that is there, within all caps."""
        found: BoolArray = ~self._shown[self._products[nums]]
        for cap in self.caps:
            spent = [
                code
                for code, count in self._counts[cap.name].items()
                if count >= cap.rule.count and code != UNKNOWN
            ]
            if spent:
                found &= ~np.isin(cap.codes[nums], spent)
        return found

    def take(
        self, nums: NumArray, order: Order | None = None, only_for: Quota | None = None
    ) -> Taken:
        """Picks of some items, best first, until the list is full or nothing may be picked.

        Args:
            nums: best first.
            order: changes whose turn it is.
            only_for: stops as soon as this quota does not wait any more.
        """
        taken = Taken()
        alive = self.open(nums)
        groups = self._products[nums]
        codes = [cap.codes[nums] for cap in self.caps]
        members = [quota.members[nums] for quota in self._quotas]
        while self.room > 0:
            unmet = self._pressing()
            if only_for and not any(self._quotas[each].name == only_for.name for each in unmet):
                break
            eligible = alive
            if unmet:
                of_unmet = [members[place] for place in unmet]
                eligible = alive & np.logical_or.reduce(of_unmet)
            row = int(eligible.argmax()) if len(eligible) else 0
            if not (len(eligible) and eligible[row]):
                taken.waits_for = self._quotas[unmet[0]] if unmet else None
                break
            if order is not None:
                row = order.next(eligible)
                order.note(row)
            called = ""
            if unmet and int(alive.argmax()) < row:
                called = next(self._quotas[at].name for at in unmet if members[at][row])
            taken.rows.append(row)
            taken.out_of_turn.append(called)
            alive[row] = False
            if not self._alone:
                alive &= groups != groups[row]
            for place, code in self._note(int(nums[row])):
                over = alive & (codes[place] == code)
                taken.killed.setdefault(self.caps[place].name, []).append(np.flatnonzero(over))
                alive &= ~over
        return taken

    def waits_for(self, quota: Quota) -> bool:
        """Says whether a quota needs more, and needs it now."""
        return any(self._quotas[place].name == quota.name for place in self._pressing())

    def lift(self, cap: Cap) -> None:
        """Takes a bound away."""
        self.caps = [each for each in self.caps if each.name != cap.name]

    def give_up(self, quota: Quota) -> None:
        """Stops waiting for items of a quota: there are no more."""
        self._needs[quota.name] = 0

    def stop_waiting(self) -> None:
        """Lets no quota decide any more whose turn it is."""
        self._quotas = []

    def fits(
        self, nums: NumArray, quotas: Sequence[Quota], others: Sequence[int], instead_of: int
    ) -> BoolArray:
        """Marks the items that may stand where one does, with every cap and quota kept.

        Args:
            nums: who is asked about.
            quotas: parts of the list.
            others: what else is in the list.
            instead_of: who stands there.
        """
        others = list(others)
        found = np.ones(len(nums), dtype=np.bool_)
        for cap in self.caps:
            present, counts = np.unique(cap.codes[others], return_counts=True)
            spent = present[(counts >= cap.rule.count) & (present != UNKNOWN)]
            found &= ~np.isin(cap.codes[nums], spent)
        for quota in quotas:
            if int(quota.members[others].sum()) < places_of(quota, len(others) + 1):
                found &= quota.members[nums] | ~quota.members[instead_of]
        return found

    def _pressing(self) -> list[int]:
        """Returns the quotas that need all places that are left; none while there is room."""
        if not self._quotas:
            return []
        needs = [self._needs[quota.name] for quota in self._quotas]
        if sum(need for need in needs if need > 0) < self.room:
            return []
        return [place for place, need in enumerate(needs) if need > 0]

    def _note(self, num: int) -> list[tuple[int, int]]:
        """Takes note of a pick; returns the caps that let no more of a code in, by place."""
        self.room -= 1
        self._shown[self._products[num]] = True
        for quota in self._quotas:
            self._needs[quota.name] -= int(quota.members[num])
        spent = []
        for place, cap in enumerate(self.caps):
            counts, code = self._counts[cap.name], int(cap.codes[num])
            counts[code] = counts.get(code, 0) + 1
            if counts[code] == cap.rule.count and code != UNKNOWN:
                spent.append((place, code))
        return spent


def places_of(quota: Quota, places: int) -> int:
    """Returns how many places of a list a quota asks for."""
    return ceil(quota.rule.share * places - _ROUNDING)
