"""Prices for what is scarce: the Lagrangian dual of a plan, and the bound that it proves.

For any prices that are not negative, the value of every feasible plan is at most

    sum of (price x capacity) + sum over customers of the best that each could take after prices

(Geoffrion 1974, "Lagrangean relaxation for integer programming"). The least of these bounds equals
that of the linear relaxation, since what one customer can get is a matroid. It is convex and, with
many customers, nearly smooth: a quasi-Newton method with bounds (Byrd, Lu, Nocedal and Zhu 1995)
finds it in tens of passes, and samples of customers give it a start that is nearly right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recsys.data.progress import Progress
from recsys.offers.offer import MICROS
from recsys.offers.plan_choice import Prices, best_sets, worth_at
from recsys.offers.plan_problem import Amounts, PlanProblem
from recsys.offers.plan_usage import Usage

STAGE = "prices"
SAMPLES = (8_192, 65_536)
"""Customers of the samples that the search begins with."""
MAX_PASSES = 100
"""Over one sample, or over all customers."""
BLURS = (0.3, 0.1, 0.03, 0.01, 0.003)


def bound_at(problem: PlanProblem, prices: Prices) -> float:
    """Returns what no feasible plan exceeds; `prices` must not be negative."""
    return _priced(problem, prices, gains=sum(_gains(problem, prices)))


def lowest_prices(problem: PlanProblem, *, seed: int, progress: Progress) -> Prices:
    """Returns prices whose bound is as low as can be found; the same for the same arguments.

    Args:
        problem: a campaign.
        seed: draws the samples.
        progress: hears of every pass over customers.
    """
    closed = (problem.stock < 1) | (problem.budget <= 0)
    scales = _Scales.of(problem, closed)
    prices = Prices.none(problem.offers).closing(closed)
    if not scales.capacity.size:
        return prices
    for size in (size for size in SAMPLES if 2 * size <= problem.customers):
        part = sample(problem, size, seed)
        prices = _searched(part, scales, prices, size / problem.customers, progress)
    return _searched(problem, scales, prices, 1.0, progress)


def blurred_prices(
    problem: PlanProblem, *, seed: int, progress: Progress
) -> Iterator[tuple[float, Prices]]:
    """Yields blurs with low prices of a campaign whose customers are alike.

    Each blur (`PlanProblem.blur`) begins where the wider one before it ended, on a sample; the
    narrowest is searched over all customers at last.
    """
    closed = (problem.stock < 1) | (problem.budget <= 0)
    scales = _Scales.of(problem, closed)
    prices = Prices.none(problem.offers).closing(closed)
    share = min(1.0, SAMPLES[0] / problem.customers)
    part = sample(problem, SAMPLES[0], seed) if share < 1 else problem
    for blur in BLURS:
        prices = _searched(replace(part, blur=blur), scales, prices, share, progress)
        yield blur, prices
    blurred = replace(problem, blur=BLURS[-1])
    yield BLURS[-1], _searched(blurred, scales, prices, 1.0, progress)


def _searched(
    part: PlanProblem, scales: "_Scales", start: Prices, share: float, progress: Progress
) -> Prices:
    search = _Search(part, scales, ~np.isfinite(start.voucher), share, progress)
    begin = scales.unscaled(start)
    minimize(
        search.step,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(begin),
        options={"maxfun": MAX_PASSES, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-6},
    )
    return search.best


@dataclass(frozen=True)
class _Scales:
    """Which things are scarce; prices are searched in units of what all of a thing costs."""

    vouchers: NDArray[np.bool_]
    money: NDArray[np.bool_]
    total: bool
    capacity: Amounts

    @classmethod
    def of(cls, problem: PlanProblem, closed: NDArray[np.bool_]) -> "_Scales":
        vouchers = np.isfinite(problem.stock) & ~closed
        money = np.isfinite(problem.budget) & ~closed
        total = 0 < problem.total_budget < np.inf
        capacity = [problem.stock[vouchers], problem.budget[money]]
        capacity += [np.array([problem.total_budget] if total else [])]
        return cls(vouchers, money, total, np.concatenate(capacity))

    def prices(self, searched: Amounts, closed: NDArray[np.bool_]) -> Prices:
        price = searched / self.capacity
        voucher, money = np.zeros(len(closed)), np.zeros(len(closed))
        count = int(self.vouchers.sum())
        voucher[self.vouchers] = price[:count]
        money[self.money] = price[count : count + int(self.money.sum())]
        return Prices(voucher, money, float(price[-1]) if self.total else 0.0).closing(closed)

    def unscaled(self, prices: Prices) -> Amounts:
        parts = [prices.voucher[self.vouchers], prices.money[self.money]]
        parts += [np.array([prices.total_money] if self.total else [])]
        return np.concatenate(parts) * self.capacity

    def used(self, usage: Usage) -> Amounts:
        money = usage.money / MICROS
        parts = [usage.vouchers[self.vouchers], money[self.money]]
        parts += [np.array([money.sum()] if self.total else [])]
        return np.concatenate(parts) / self.capacity


@dataclass
class _Search:
    """The bound and its slope as a function of prices; remembers the lowest."""

    part: PlanProblem
    scales: _Scales
    closed: NDArray[np.bool_]
    share: float
    """Of all customers that are in `part`."""
    progress: Progress
    best: Prices = field(init=False)
    lowest: float = np.inf
    passes: int = 0

    def step(self, searched: Amounts) -> tuple[float, Amounts]:
        prices = self.scales.prices(searched, self.closed)
        usage = Usage.none(self.part.offers)
        gains = 0.0
        for block in self.part.blocks():
            worth = worth_at(self.part, prices, block)
            chosen = best_sets(worth, self.part.limits[block], self.part.families)
            used = Usage.of(self.part, chosen.picks, block.start)
            usage = usage.plus(used)
            gains += float(chosen.gains.sum())
        bound = gains / self.share + float(searched.sum())
        if bound < self.lowest:
            self.lowest, self.best = bound, prices
        self.passes += 1
        stage = f"{STAGE}, {self.part.customers:,} customers"
        self.progress(stage, min(self.passes, MAX_PASSES), MAX_PASSES)
        return bound, 1 - self.scales.used(usage) / self.share


def _priced(problem: PlanProblem, prices: Prices, *, gains: float) -> float:
    """Adds what the scarce things cost to what customers gain; what is closed costs nothing."""
    open_ = np.isfinite(prices.voucher)
    sold = open_ & (prices.voucher > 0)
    bound = gains + float(prices.voucher[sold] @ problem.stock[sold])
    spent = open_ & (prices.money > 0)
    bound += float(prices.money[spent] @ problem.budget[spent])
    return bound + (prices.total_money * problem.total_budget if prices.total_money else 0.0)


def _gains(problem: PlanProblem, prices: Prices) -> Sequence[float]:
    gains = []
    for block in problem.blocks():
        worth = worth_at(problem, prices, block)
        gains.append(float(best_sets(worth, problem.limits[block], problem.families).gains.sum()))
    return gains


def sample(problem: PlanProblem, size: int, seed: int) -> PlanProblem:
    """Returns the problem of some customers, drawn; what is scarce stays as it is."""
    order = np.random.default_rng(seed).permutation(problem.customers)
    rows = np.sort(order[:size])
    return PlanProblem(
        value=problem.value[rows],
        probability=problem.probability[rows],
        room=problem.room[rows],
        most=problem.most[rows],
        channels=problem.channels,
        contact_cost=problem.contact_cost,
        redemption_cost=problem.redemption_cost,
        stock=problem.stock,
        budget=problem.budget,
        total_budget=problem.total_budget,
    )
