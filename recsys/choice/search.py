"""Finds the blend that would have served known customers best: greedy, then one by one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recsys.choice.evidence import Evidence
from recsys.types import FloatArray

WEIGHTS = (0.02, 0.07, 0.2, 0.5, 1.0, 2.0)
"""Tried for a further source, in shares of the heaviest; tuning goes between them."""
MOVES = (0.5, 0.7, 0.85, 1.2, 1.5, 2.0)
"""Tried on the weight of a source that is used already."""
POWERS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""Tried for a boost."""
LEAST_GAIN = 0.001
"""A further part must raise the figure by this share of it: less is chance, and costs time."""
ROUNDS = 3
"""Passes over all weights once the parts are known; the first without a change ends them."""


@dataclass(frozen=True, slots=True)
class Blend:
    """Sources with weights, at most one of a family, and perhaps a boost."""

    weights: Mapping[str, float] = field(default_factory=dict)
    boost: tuple[str, float] | None = None
    """A source and its power."""

    def having(self, name: str, weight: float) -> "Blend":
        """Returns the blend with a source at a weight; 0 takes it out."""
        weights = {key: value for key, value in self.weights.items() if key != name}
        return replace(self, weights={**weights, name: weight} if weight else weights)

    def dropping(self, name: str) -> "Blend":
        """Returns the blend without a source, whatever it did."""
        rest = self.having(name, 0)
        return replace(rest, boost=None) if rest.boost and rest.boost[0] == name else rest

    def sources(self) -> set[str]:
        """Returns every source that is asked."""
        return set(self.weights) | ({self.boost[0]} if self.boost else set())


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of the search, and what it brought."""

    change: str
    """`exchange` where tuning put something else in the place of what was added."""
    blend: Blend
    value: float
    """Mean ndcg over the customers with it."""


def totals(evidence: Evidence, blend: Blend) -> FloatArray:
    """Returns the blend's scores of all candidates, shape (customers, candidates)."""
    found = np.zeros(evidence.relevant.shape, dtype=np.float32)
    for name, weight in blend.weights.items():
        found += np.float32(weight) * evidence.column(name)
    if blend.boost:
        found *= evidence.factors(*blend.boost)
    return found


def value(evidence: Evidence, blend: Blend) -> float:
    """Returns the blend's mean ndcg@k."""
    return float(evidence.ndcg(totals(evidence, blend)).mean())


def search(
    evidence: Evidence, families: Mapping[str, Sequence[str]], boosts: Sequence[str]
) -> list[Step]:
    """Adds the part that helps most until none helps, tuning all weights after each.

    It ends when no part, added or in another's place at any of `WEIGHTS`, brings `LEAST_GAIN`
    more; what then brings less than that is dropped.

    Args:
        evidence: what the sources said, and what was right.
        families: names of the columns that may add, by family; at most one of each is used.
        boosts: columns that may multiply.

    Returns:
        The steps in order; the last one has the blend. None where no source finds anything.
    """
    steps: list[Step] = []
    blend, best = Blend(), 0.0
    while True:
        options = [
            (change, option)
            for change, choices in changes(blend, families, boosts).items()
            for option in choices
        ]
        found = [value(evidence, option) for _, option in options]
        if not found or max(found) <= best * (1 + LEAST_GAIN):
            break
        place = int(np.argmax(found))
        change, option = options[place]
        fresh = option.sources() - blend.sources()
        blend, best = tuned(evidence, option, found[place], families, boosts)
        steps.append(Step(change if fresh <= blend.sources() else "exchange", blend, best))
    return [*steps, *_drops(evidence, blend, best, families, boosts)]


def tuned(
    evidence: Evidence,
    blend: Blend,
    best: float,
    families: Mapping[str, Sequence[str]],
    boosts: Sequence[str],
) -> tuple[Blend, float]:
    """Moves one part at a time to where the figure is highest; what adds nothing goes.

    Args:
        evidence: what the sources said, and what was right.
        blend: to begin with.
        best: its figure.
        families: names of the columns that may add, by family; others of a family that is used
            are tried in its place.
        boosts: columns that may multiply.

    Returns:
        The blend and its figure.
    """
    for _ in range(ROUNDS):
        before = best
        for options in _moves(blend, families, boosts):
            blend, best = _better(evidence, blend, best, options)
        if best == before:
            break
    return blend, best


def changes(
    blend: Blend, families: Mapping[str, Sequence[str]], boosts: Sequence[str]
) -> dict[str, list[Blend]]:
    """Returns every part that the blend does not use, with the blends that do.

    Another of a family that is used takes the place of the one that is.

    Args:
        blend: what there is so far.
        families: names of the columns that may add, by family.
        boosts: columns that may multiply.
    """
    found: dict[str, list[Blend]] = {}
    heaviest = max(blend.weights.values(), default=1.0)
    for names in families.values():
        used = [name for name in names if name in blend.weights]
        rest = Blend(
            {key: at for key, at in blend.weights.items() if key not in used}, blend.boost
        )
        shares = WEIGHTS if rest.weights else (1.0,)
        for name in names:
            if name not in used:
                change = f"{name} in place of {used[0]}" if used else f"add {name}"
                found[change] = [rest.having(name, share * heaviest) for share in shares]
    if blend.weights:
        boosted = blend.boost[0] if blend.boost else None
        for name in boosts:
            if name != boosted:
                found[f"boost by {name}"] = [
                    replace(blend, boost=(name, power)) for power in POWERS
                ]
    return found


def _drops(
    evidence: Evidence,
    blend: Blend,
    best: float,
    families: Mapping[str, Sequence[str]],
    boosts: Sequence[str],
) -> Iterator[Step]:
    """Yields the steps that take out what, by the end, brings less than a part must."""
    least = best * (1 - LEAST_GAIN)
    while len(blend.sources()) > 1:
        rests = {name: blend.dropping(name) for name in sorted(blend.sources())}
        found = {name: value(evidence, rest) for name, rest in rests.items() if rest.weights}
        name = max(found, key=lambda each: found[each])
        if found[name] < least:
            return
        blend, best = tuned(evidence, rests[name], found[name], families, boosts)
        yield Step(f"drop {name}", blend, best)


def _moves(
    blend: Blend, families: Mapping[str, Sequence[str]], boosts: Sequence[str]
) -> list[Callable[[Blend], list[Blend]]]:
    """Returns, for each part, what makes its alternatives out of the blend as it then is."""

    def weights_of(name: str) -> Callable[[Blend], list[Blend]]:
        def options(now: Blend) -> list[Blend]:
            at = now.weights.get(name)
            if at is None or len(now.weights) == 1:
                return []
            family = next(names for names in families.values() if name in names)
            moved = [now.having(name, at * step) for step in MOVES]
            others = [other for other in family if other != name]
            swapped = [now.having(name, 0).having(other, at) for other in others]
            return [now.having(name, 0), *moved, *swapped]

        return options

    def boost_options(now: Blend) -> list[Blend]:
        if now.boost is None:
            return []
        others = [replace(now, boost=(name, power)) for name in boosts for power in POWERS]
        return [*others, replace(now, boost=None)]

    return [*(weights_of(name) for name in blend.weights), boost_options]


def _better(
    evidence: Evidence, blend: Blend, best: float, options: Callable[[Blend], list[Blend]]
) -> tuple[Blend, float]:
    for option in options(blend):
        found = value(evidence, option)
        if found > best:
            blend, best = option, found
    return blend, best


def without(evidence: Evidence, blend: Blend, name: str) -> float:
    """Returns the figure of the blend without a source; 0 where it is the only one."""
    rest = blend.dropping(name)
    return value(evidence, rest) if rest.weights else 0.0
