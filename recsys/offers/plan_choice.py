"""The best offers of each customer where prices stand for everything that is scarce."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.offers.plan_problem import NOT_ALLOWED, Amounts, Families, PlanProblem, Rows
from recsys.types import CodeArray, FloatArray

NONE = -1
"""No offer."""
Picks = NDArray[np.int16]
"""Shape (customers, most offers of one): numbers of offers, the best first, then `NONE`."""


class Prices(NamedTuple):
    """What one unit of each scarce thing costs, none negative. Closed offers cost infinitely."""

    voucher: Amounts
    """Shape (offers,): of a voucher."""
    money: Amounts
    """Shape (offers,): of a unit of the offer's budget."""
    total_money: float
    """Of a unit of the budget of all."""

    @classmethod
    def none(cls, offers: int) -> "Prices":
        """Returns prices of nothing."""
        return cls(np.zeros(offers), np.zeros(offers), 0.0)

    def closing(self, offers: NDArray[np.bool_]) -> "Prices":
        """Returns the same prices, at which some offers cannot be bought."""
        return self._replace(voucher=np.where(offers, np.inf, self.voucher))


class Chosen(NamedTuple):
    """What customers would take."""

    picks: Picks
    gains: Amounts
    """Shape (customers,): value of the picks after prices."""


def worth_at(problem: PlanProblem, prices: Prices, rows: Rows) -> FloatArray:
    """Returns what offers are worth to some customers after prices, shape (rows, offers)."""
    money = prices.money + prices.total_money
    slope = (money * problem.redemption_cost).astype(np.float32)
    offset = (prices.voucher + money * problem.contact_cost).astype(np.float32)
    worth = np.multiply(problem.probability[rows], -slope)
    worth += problem.value[rows]
    worth -= offset
    if problem.blur:
        worth += problem.blurring(rows)
    return worth


def best_sets(worth: FloatArray, limits: CodeArray, families: Families) -> Chosen:
    """Takes the best offers of positive worth that customers can get together.

    Best first, which is optimal: see `Families`. Of equals the one with the smallest number.

    Args:
        worth: shape (customers, offers); it is used up.
        limits: shape (customers, families).
        families: of the offers.
    """
    customers, offers = worth.shape
    rounds = min(int(limits.max(initial=0)), offers)
    picks = np.full((customers, rounds), NONE, dtype=np.int16)
    gains = np.zeros(customers)
    left = limits.astype(np.int16)
    live = np.arange(customers)
    close_full(worth, left, families)
    for turn in range(rounds):
        rows = np.arange(len(live))
        best = worth.argmax(axis=1)
        gain = worth[rows, best]
        good = gain > 0
        picks[live[good], turn] = best[good]
        gains[live[good]] += gain[good]
        if turn + 1 == rounds:
            break
        left = left[good] - families.inside[families.kind[best[good]]]
        more = left.max(axis=1, initial=0) > 0
        kept = np.flatnonzero(good)[more]
        live, left, worth = live[kept], left[more], worth[kept]
        worth[np.arange(len(live)), best[kept]] = NOT_ALLOWED
        close_full(worth, left, families)
    return Chosen(picks, gains)


def close_full(worth: FloatArray, left: NDArray[np.int16], families: Families) -> None:
    """Takes out the offers for which customers have no room.

    Args:
        worth: shape (customers, offers), changed.
        left: shape (customers, families), how many more they can get.
        families: of the offers.
    """
    full = left <= 0
    if full.any():
        closed = np.stack([full[:, inside].any(axis=1) for inside in families.inside], axis=1)
        np.copyto(worth, np.float32(NOT_ALLOWED), where=closed[:, families.kind])


def close_own(worth: FloatArray, picks: Picks) -> None:
    """Takes out the offers that customers have; both arrays have a row for each customer."""
    for turn in range(picks.shape[1]):
        has = np.flatnonzero(picks[:, turn] != NONE)
        worth[has, picks[has, turn]] = NOT_ALLOWED


def take_best(problem: PlanProblem, prices: Prices) -> Picks:
    """Returns what all customers would take at some prices, whether there is enough or not."""
    parts = []
    for block in problem.blocks():
        worth = worth_at(problem, prices, block)
        parts.append(best_sets(worth, problem.limits[block], problem.families).picks)
    turns = max((part.shape[1] for part in parts), default=0)
    picks = np.full((problem.customers, turns), NONE, dtype=np.int16)
    for block, part in zip(problem.blocks(), parts, strict=True):
        picks[block, : part.shape[1]] = part
    return picks
