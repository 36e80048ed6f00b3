"""A randomised campaign whose true effect on each customer is known."""

from dataclasses import dataclass

import numpy as np

from recsys.models.small_trees import Numbers
from recsys.models.uplift import Trial

EFFECT = 0.2
"""Of the treatment on the probability of those whom it moves."""


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Customers with the effect that the treatment has on each."""

    trial: Trial
    truth: Numbers


def planted(seed: int, count: int = 12_000, *, chance: float = 0.5) -> Planted:
    """Draws customers with five features, of which the second alone decides about the effect.

    The first decides who buys anyway: a ranking by that is not one by uplift.
    """
    rng = np.random.default_rng(seed)
    rows = rng.random((count, 5)).astype(np.float32)
    truth = np.where(rows[:, 1] > 0.6, EFFECT, 0.0).astype(np.float64)
    treated = rng.random(count) < chance
    bought = rng.random(count) < 0.05 + 0.5 * rows[:, 0] + truth * treated
    chances = np.full(count, chance)
    return Planted(Trial(rows, treated, bought.astype(np.float64), chances), truth)
