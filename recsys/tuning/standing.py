"""The best blend of each placement so far, and what a new model would do for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from recsys.choice.choose import K
from recsys.choice.evidence import Evidence
from recsys.choice.gather import LEAST_CUSTOMERS, Variant
from recsys.choice.menu import Menu
from recsys.choice.search import MOVES, POWERS, WEIGHTS, Blend, search, tuned, value
from recsys.tuning.bench import Bench
from recsys.tuning.columns import Column, evidence_of
from recsys.tuning.shelf import Shelf

NEAR = 0.03
"""A blend that is behind the best by a larger share is not worth moving all its weights."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A blend and its mean ndcg on the customers that are asked."""

    blend: Blend
    figure: float

    def plain(self) -> dict[str, Any]:
        """Returns it in values that JSON has."""
        boost = list(self.blend.boost) if self.blend.boost else None
        return {"figure": self.figure, "weights": dict(self.blend.weights), "boost": boost}


def scored(plain: Mapping[str, Any]) -> Scored:
    """Returns what `plain` was made of."""
    boost = (str(plain["boost"][0]), float(plain["boost"][1])) if plain["boost"] else None
    return Scored(Blend(dict(plain["weights"]), boost), float(plain["figure"]))


@dataclass(slots=True)
class Standing:
    """Knows every model that was tried, by name, and weighs new ones."""

    menu: Menu
    bench: Bench
    shelf: Shelf
    variants: dict[str, Variant] = field(default_factory=dict)
    best: dict[str, Scored] = field(default_factory=dict)
    """By placement."""

    def used(self) -> set[str]:
        """Returns the models of the best blends."""
        return set().union(*(best.blend.sources() for best in self.best.values()))

    def evidence(self, placement: str, names: Sequence[str]) -> Evidence:
        """Returns what these models say, side by side."""
        columns = {name: self.shelf.get(name, placement) for name in names}
        return evidence_of(columns, self.bench.asked[placement].truths, K)

    def searched(self, placement: str, names: Sequence[str]) -> Scored | None:
        """Returns the best blend of any of these models; None where none finds anything."""
        steps = search(self.evidence(placement, names), *self._roles(names))
        return Scored(steps[-1].blend, steps[-1].value) if steps else None

    def weighed(self, placement: str, fresh: Variant) -> Scored:
        """Returns the best that is found with a new model in the place of its family's.

        Where that comes near the best so far, all weights are moved to where they are best beside
        it. A blend that is better without the model does not count: figures tell settings apart.
        """
        now, best = self.best[placement].blend, self.best[placement].figure
        names = sorted(now.sources() | {fresh.name})
        evidence = self.evidence(placement, names)
        options = list(self._with(now, fresh))
        figures = [value(evidence, option) for option in options]
        top = max(range(len(options)), key=lambda place: figures[place])
        found = Scored(options[top], figures[top])
        if found.figure < best * (1 - NEAR):
            return found
        moved = Scored(*tuned(evidence, found.blend, found.figure, *self._roles(names)))
        return moved if fresh.name in moved.blend.sources() else found

    def solo(self, placement: str, column: Column) -> float:
        """Returns the figure of a model by itself, on as many customers as the column has."""
        evidence = evidence_of({"solo": column}, self.bench.asked[placement].truths, K)
        return value(evidence, Blend({"solo": 1.0}))

    def alone(self, placement: str, name: str) -> float:
        """Returns the figure of a known model by itself, on the first customers."""
        column = self.shelf.get(name, placement)
        first = slice(0, LEAST_CUSTOMERS)
        return self.solo(placement, Column(column.item_nums[first], column.shares[first]))

    def _with(self, now: Blend, fresh: Variant) -> Iterator[Blend]:
        """Yields blends that use a new model in each way that its family may be used."""
        role = self.menu.families[fresh.family].role
        kin = [name for name in now.weights if self.variants[name].family == fresh.family]
        if role != "boost":
            at = now.weights[kin[0]] if kin else max(now.weights.values())
            rest = now.having(kin[0], 0) if kin else now
            steps = (1.0, *MOVES) if kin else WEIGHTS
            for step in steps if rest.weights else (1.0,):
                yield rest.having(fresh.name, at * step)
        if role != "source":
            for power in POWERS:
                yield replace(now, boost=(fresh.name, power))

    def _roles(self, names: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
        """Returns the names that may add, by family, and those that may multiply."""
        families: dict[str, list[str]] = {}
        boosts: list[str] = []
        for name in names:
            variant = self.variants[name]
            role = self.menu.families[variant.family].role
            if role != "boost":
                families.setdefault(variant.family, []).append(name)
            if role != "source":
                boosts.append(name)
        return families, boosts
