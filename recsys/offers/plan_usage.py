"""What a plan takes of what is scarce, counted exactly: whole vouchers, whole millionths."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.offers.offer import MICROS
from recsys.offers.plan_choice import NONE, Picks
from recsys.offers.plan_problem import Amounts, PlanProblem


class Usage(NamedTuple):
    """What picks take, or what there is, or what is left."""

    vouchers: Amounts
    """Shape (offers,), whole numbers or infinite."""
    money: Amounts
    """Shape (offers,), whole millionths or infinite."""
    total: float
    """Of all offers together."""

    @classmethod
    def none(cls, offers: int) -> "Usage":
        """Returns nothing of each."""
        return cls(np.zeros(offers), np.zeros(offers), 0.0)

    @classmethod
    def of(cls, problem: PlanProblem, picks: Picks, first: int = 0) -> "Usage":
        """Counts picks of the customers from number `first` on."""
        row, turn = np.nonzero(picks != NONE)
        offer = picks[row, turn].astype(np.int64)
        money = np.bincount(offer, problem.costs(row + first, offer), problem.offers).astype(
            np.float64
        )
        vouchers = np.bincount(offer, minlength=problem.offers).astype(np.float64)
        return cls(vouchers, money, float(money.sum()))

    @classmethod
    def most(cls, problem: PlanProblem) -> "Usage":
        """Returns what there is, parts of a voucher or millionth left out."""
        total = np.floor(np.round(problem.total_budget * MICROS, 3))
        money = np.floor(np.round(problem.budget * MICROS, 3))
        return cls(np.floor(problem.stock), money, float(total))

    def plus(self, other: "Usage") -> "Usage":
        """Returns both together."""
        return Usage(
            self.vouchers + other.vouchers, self.money + other.money, self.total + other.total
        )

    def minus(self, other: "Usage") -> "Usage":
        """Returns what is left when `other` is taken; below 0: what is missing."""
        return Usage(
            self.vouchers - other.vouchers, self.money - other.money, self.total - other.total
        )

    def broken(self) -> int:
        """Returns how many of these amounts, of what is left, are below 0."""
        short = int((self.vouchers < 0).sum() + (self.money < 0).sum())
        return short + int(self.total < 0)


def room_left(problem: PlanProblem, picks: Picks, rows: NDArray[np.int64]) -> NDArray[np.int16]:
    """Returns how many more offers of each family customers can get; shape (rows, families).

    Args:
        problem: a campaign.
        picks: of these customers, a row for each.
        rows: their numbers.
    """
    left = problem.limits[rows].astype(np.int16)
    families = problem.families
    for turn in range(picks.shape[1]):
        offer = picks[:, turn]
        has = offer != NONE
        left[has] -= families.inside[families.kind[offer[has]]]
    return left
