"""Learners of uplift: what treating a customer changes, from customers treated at random or not.

An outcome is seen either treated or untreated, never both, so the effect itself is no label. Four
ways around it, all on small boosted trees:

* **T-learner**: trees for the treated, trees for the untreated, and their difference (Künzel,
  Sekhon, Bickel, Yu: Metalearners for estimating heterogeneous treatment effects using machine
  learning, PNAS 116(10), 2019).
* **S-learner**: one forest with the treatment as a column, asked twice (as there). It orders
  well, and pulls effects to zero: do not weigh its uplift against costs.
* **class transformation**: :math:`Z = 1` for treated who responded and for untreated who did not;
  then :math:`uplift = 2 P(Z = 1) - 1` if both sides are as likely, which weights of one over the
  side's probability make them (Jaskowski, Jaroszewicz: Uplift modeling for clinical trial data,
  ICML workshop 2012).
* **transformed outcome**: trees of the amount :math:`Y (T / e - (1 - T) / (1 - e))`, whose mean is
  the uplift (Athey, Imbens: Machine learning methods for estimating heterogeneous causal effects,
  2015). The class transformation with less noise where few respond, and for amounts as well.

with :math:`e` the probability of being treated. It must be known: where treatment was not drawn by
chance none of them is right, and nothing here can tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recsys.config import StrictModel
from recsys.models.protocol import Arrays
from recsys.models.small_trees import Numbers, Trees, TreesConfig
from recsys.types import BoolArray, FloatArray

LearnerKind: TypeAlias = Literal[
    "t-learner", "s-learner", "class-transformation", "transformed-outcome"
]
OutcomeKind: TypeAlias = Literal["probability", "amount"]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Customers of whom some were treated by chance."""

    rows: FloatArray
    """Shape (customers, features) float32, all of it known before the treatment; NaN: unknown."""
    treated: BoolArray
    outcomes: Numbers
    """Shape (customers,) float64: 0 or 1, or an amount."""
    chances: Numbers
    """Shape (customers,) float64 within (0, 1): the probability of being treated."""
    categories: tuple[int, ...] = ()
    """Columns whose numbers are names of something."""

    def __len__(self) -> int:
        """Returns the number of customers."""
        return len(self.treated)

    @property
    def kind(self) -> OutcomeKind:
        """Says whether outcomes are a matter of whether, or of how much."""
        return "probability" if np.isin(self.outcomes, (0.0, 1.0)).all() else "amount"

    def weights(self) -> Numbers:
        """Returns one over the probability of each customer's side, on average 1."""
        weights: Numbers = 1.0 / np.where(self.treated, self.chances, 1.0 - self.chances)
        weights /= weights.mean()
        return weights

    def part(self, chosen: BoolArray | NDArray[np.intp]) -> "Trial":
        """Returns some of the customers."""
        return Trial(
            self.rows[chosen],
            self.treated[chosen],
            self.outcomes[chosen],
            self.chances[chosen],
            self.categories,
        )


def mean_effect(trial: Trial) -> tuple[float, float]:
    """Returns the weighted mean outcome of treated less untreated, and its standard error."""
    weights = trial.weights()
    value, variance = 0.0, 0.0
    for side, sign in ((trial.treated, 1.0), (~trial.treated, -1.0)):
        share = weights[side] / weights[side].sum()
        mean = float(share @ trial.outcomes[side])
        value += sign * mean
        variance += float(share**2 @ (trial.outcomes[side] - mean) ** 2)
    return value, variance**0.5


class UpliftConfig(StrictModel):
    """Which learner, and its trees."""

    learner: LearnerKind = "t-learner"
    """The default was chosen on inner parts of one training half (docs/offer-values.md)."""
    trees: TreesConfig = TreesConfig()

    def fit(self, trial: Trial) -> "UpliftModel":
        """Learns from a trial; the same trial and configuration give the same model.

        Raises:
            ValueError: one side has nobody, a chance is not within 0 and 1, or the class
                transformation is asked for amounts.
        """
        if trial.treated.all() or not trial.treated.any():
            message = "there must be both treated and untreated customers"
            raise ValueError(message)
        if not ((trial.chances > 0) & (trial.chances < 1)).all():
            message = "the probability of being treated must lie between 0 and 1"
            raise ValueError(message)
        return UpliftModel(self, _FITS[self.learner](self.trees, trial))

    def restore(self, arrays: Arrays) -> "UpliftModel":
        """Returns the model whose `arrays()` these were.

        Raises:
            ValueError: they are not those of this learner.
        """
        if missing := sorted(set(_PARTS[self.learner]) - set(arrays)):
            message = f"{self.learner} lacks {missing[0]!r}"
            raise ValueError(message)
        return UpliftModel(
            self, {name: Trees.restore(arrays[name]) for name in _PARTS[self.learner]}
        )


@dataclass(frozen=True, eq=False)
class UpliftModel:
    """A fitted learner."""

    config: UpliftConfig
    parts: Mapping[str, Trees]

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {name: trees.array() for name, trees in self.parts.items()}

    def uplift(self, rows: FloatArray) -> Numbers:
        """Returns what treating each customer is expected to change, shape (rows,) float64."""
        parts = self.parts
        match self.config.learner:
            case "t-learner":
                return parts["treated"].means(rows) - parts["untreated"].means(rows)
            case "s-learner":
                sides = [parts["both"].means(_with_side(rows, side)) for side in (1.0, 0.0)]
                return sides[0] - sides[1]
            case "class-transformation":
                return 2.0 * parts["transformed"].means(rows) - 1.0
            case "transformed-outcome":
                return parts["transformed"].means(rows)

    def shares(self) -> Numbers:
        """Returns how much of the fit each feature made, shape (features,) float64, sum 1."""
        found = [trees.shares() for trees in self.parts.values()]
        mean: Numbers = np.mean(found, axis=0)
        if self.config.learner == "s-learner":
            mean = mean[:-1]
        return mean / max(float(mean.sum()), 1e-300)


def _t_learner(trees: TreesConfig, trial: Trial) -> dict[str, Trees]:
    return {
        name: _plain(trees, trial.part(trial.treated == side))
        for name, side in (("treated", True), ("untreated", False))
    }


def _s_learner(trees: TreesConfig, trial: Trial) -> dict[str, Trees]:
    rows = _with_side(trial.rows, trial.treated)
    both = Trial(rows, trial.treated, trial.outcomes, trial.chances, trial.categories)
    return {"both": _plain(trees, both)}


def _class_transformation(trees: TreesConfig, trial: Trial) -> dict[str, Trees]:
    if trial.kind == "amount":
        message = "the class transformation is for outcomes of 0 and 1"
        raise ValueError(message)
    labels = np.where(trial.treated, trial.outcomes, 1.0 - trial.outcomes)
    fitted = trees.fit(
        trial.rows,
        labels,
        kind="probability",
        weights=trial.weights(),
        categories=trial.categories,
    )
    return {"transformed": fitted}


def _transformed_outcome(trees: TreesConfig, trial: Trial) -> dict[str, Trees]:
    sides = np.where(trial.treated, 1.0 / trial.chances, -1.0 / (1.0 - trial.chances))
    fitted = trees.fit(
        trial.rows, trial.outcomes * sides, kind="amount", categories=trial.categories
    )
    return {"transformed": fitted}


def _plain(trees: TreesConfig, trial: Trial) -> Trees:
    return trees.fit(trial.rows, trial.outcomes, kind=trial.kind, categories=trial.categories)


def _with_side(rows: FloatArray, side: BoolArray | float) -> FloatArray:
    """Returns the rows with the treatment as their last column."""
    last = np.broadcast_to(np.asarray(side, dtype=np.float32), len(rows))
    return np.column_stack([rows, last]).astype(np.float32)


_FITS: dict[LearnerKind, Callable[[TreesConfig, Trial], dict[str, Trees]]] = {
    "t-learner": _t_learner,
    "s-learner": _s_learner,
    "class-transformation": _class_transformation,
    "transformed-outcome": _transformed_outcome,
}
_PARTS: dict[LearnerKind, tuple[str, ...]] = {
    "t-learner": ("treated", "untreated"),
    "s-learner": ("both",),
    "class-transformation": ("transformed",),
    "transformed-outcome": ("transformed",),
}
