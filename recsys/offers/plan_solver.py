"""From a campaign to a plan and a proof of how good it is."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.progress import Progress, silent
from recsys.offers.plan_channels import assigned
from recsys.offers.plan_choice import NONE, Picks, Prices, take_best
from recsys.offers.plan_exact import EXACT_GAP, MOST_PAIRS, pairs, solve_exactly
from recsys.offers.plan_prices import blurred_prices, bound_at, lowest_prices
from recsys.offers.plan_problem import PlanProblem
from recsys.offers.plan_repair import filled, kept_within, value_of

CLOSE_ENOUGH = 1e-3
"""Gap up to which nothing more is tried."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A feasible plan, sorted by customer; row i is one contact."""

    customer: NDArray[np.int64]
    offer: NDArray[np.int64]
    channel: NDArray[np.int64]
    value: float
    """Of all contacts, by the problem's values."""
    bound: float
    """No feasible plan is worth more."""
    prices: Prices
    """Prove the bound, if `exact` is false: `bound_at` gives it again."""
    exact: bool
    """Whether the bound comes from branch and bound."""

    @property
    def gap(self) -> float:
        """How far it can be from the best plan at most, as a part of the bound."""
        return max(0.0, 1 - self.value / self.bound) if self.bound > 0 else 0.0


@dataclass(frozen=True, eq=False)
class _Found:
    picks: Picks
    value: float
    bound: float
    prices: Prices
    exact: bool = False

    @property
    def gap(self) -> float:
        return 1 - self.value / self.bound if self.bound > 0 else 0.0


def solve(problem: PlanProblem, *, seed: int = 0, progress: Progress = silent) -> Solution:
    """Returns a plan that is feasible to the last voucher and millionth, and as good as found.

    The same for the same arguments. A small campaign is solved by branch and bound, a large one by
    prices (`plan_prices`), from which a feasible plan is made (`plan_repair`).
    """
    found = _by_prices(problem, seed, progress)
    if found.gap > EXACT_GAP and pairs(problem) <= MOST_PAIRS:
        found = _exactly(problem, found)
    elif found.gap > CLOSE_ENOUGH:
        found = _blurred(problem, found, seed, progress)
    picks = found.picks
    channel = assigned(problem, picks)
    rows, turns = np.nonzero(picks != NONE)
    return Solution(
        customer=rows,
        offer=picks[rows, turns].astype(np.int64),
        channel=channel[rows, turns].astype(np.int64),
        value=found.value,
        bound=found.bound,
        prices=found.prices,
        exact=found.exact,
    )


def _by_prices(problem: PlanProblem, seed: int, progress: Progress) -> _Found:
    prices = lowest_prices(problem, seed=seed, progress=progress)
    return _at(problem, problem, prices, progress)


def _at(problem: PlanProblem, seen: PlanProblem, prices: Prices, progress: Progress) -> _Found:
    """Makes a plan at some prices, by the values as they are `seen`."""
    progress("repair", 0, 1)
    picks = filled(seen, prices, kept_within(seen, prices, take_best(seen, prices)))
    progress("repair", 1, 1)
    return _Found(picks, value_of(problem, picks), bound_at(problem, prices), prices)


def _exactly(problem: PlanProblem, found: _Found) -> _Found:
    exact = solve_exactly(problem)
    if exact is None:
        return found
    # The solver keeps limits up to a tolerance; the ledger knows none.
    picks = filled(problem, found.prices, kept_within(problem, found.prices, exact.picks))
    value = value_of(problem, picks)
    if value < found.value:
        picks, value = found.picks, found.value
    if exact.bound < found.bound:
        return _Found(picks, value, max(exact.bound, value), found.prices, exact=True)
    return replace(found, picks=picks, value=value)


def _blurred(problem: PlanProblem, found: _Found, seed: int, progress: Progress) -> _Found:
    """Looks for a better plan where customers are alike; the best of all blurs counts."""
    best = proof = found
    for blur, prices in blurred_prices(problem, seed=seed, progress=progress):
        again = _at(problem, replace(problem, blur=blur), prices, progress)
        best = again if again.value > best.value else best
        proof = again if again.bound < proof.bound else proof
        if 1 - best.value / proof.bound <= CLOSE_ENOUGH:
            break
    return replace(best, bound=proof.bound, prices=proof.prices)
