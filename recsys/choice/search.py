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

    def sources(self) -> set[str]:
        """Returns every source that is asked."""
        return set(self.weights) | ({self.boost[0]} if self.boost else set())


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of the search, and what it brought."""

    change: str
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
        options = list(_additions(blend, families, boosts))
        if not options:
            return steps
        found = [value(evidence, option) for _, option in options]
        place = int(np.argmax(found))
        if found[place] <= best * (1 + LEAST_GAIN):
            return steps
        change, blend = options[place]
        blend, best = _tuned(evidence, blend, found[place], families, boosts)
        steps.append(Step(change, blend, best))


def _additions(
    blend: Blend, families: Mapping[str, Sequence[str]], boosts: Sequence[str]
) -> Iterator[tuple[str, Blend]]:
    """Yields every blend with one part more, and what that part is."""
    heaviest = max(blend.weights.values(), default=1.0)
    shares = WEIGHTS if blend.weights else (1.0,)
    for names in families.values():
        if blend.weights.keys().isdisjoint(names):
            for name in names:
                for share in shares:
                    yield f"add {name}", blend.having(name, share * heaviest)
    if blend.weights and blend.boost is None:
        for name in boosts:
            for power in POWERS:
                yield f"boost by {name}", replace(blend, boost=(name, power))


def _tuned(
    evidence: Evidence,
    blend: Blend,
    best: float,
    families: Mapping[str, Sequence[str]],
    boosts: Sequence[str],
) -> tuple[Blend, float]:
    """Moves one part at a time to where the figure is highest; what adds nothing goes."""
    for _ in range(ROUNDS):
        before = best
        for options in _moves(blend, families, boosts):
            blend, best = _better(evidence, blend, best, options)
        if best == before:
            break
    return blend, best


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
            return [*moved, *swapped]

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
    if blend.boost and blend.boost[0] == name:
        return value(evidence, replace(blend, boost=None))
    rest = blend.having(name, 0)
    return value(evidence, rest) if rest.weights else 0.0


def best_with(evidence: Evidence, blend: Blend, name: str, family: Sequence[str]) -> float:
    """Returns the best figure of the blend with a source that it does not use, at any weight.

    Another variant of its family makes room.
    """
    room = Blend({key: at for key, at in blend.weights.items() if key not in family}, blend.boost)
    scale = max(blend.weights.values(), default=1.0)
    return max(value(evidence, room.having(name, weight * scale)) for weight in WEIGHTS)
