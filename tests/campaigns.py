"""A campaign of which everything is known: who would buy anyway, and who buys because of an offer.

Customers have tastes; an offer's margin is at stake. Without it customer i buys with probability
p0[i, j]; with it p1[i, j] >= p0. Those who buy anyway redeem most and bring nothing more, as it is
in shops: the lift is drawn apart from the taste. A pilot gave each offer to some customers at
random, and all that a planner knows is what came of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.offers.plan_problem import NOT_ALLOWED, PlanProblem

TASTES = 10
PILOT = 3_000
"""Customers of the pilot who got an offer; as many did not."""
RIDGE = 30.0
AT_ONCE = 65_536
NEVER = 0.3
"""Part of pairs that eligibility and cooldowns take out."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Campaign:
    """The truth, as parameters: it is worked out for few pairs or block by block."""

    customers: int
    offers: int
    seed: int

    def __post_init__(self) -> None:
        chance = np.random.default_rng(self.seed)
        put = object.__setattr__
        put(self, "tastes", chance.normal(size=(self.customers, TASTES)).astype(np.float32))
        put(self, "buys", chance.normal(0, 0.35, (TASTES, self.offers)))
        put(self, "base", chance.normal(-2.2, 0.5, self.offers))
        put(self, "moves", chance.normal(0, 0.45, (TASTES, self.offers)))
        put(self, "lift", chance.normal(-0.3, 0.4, self.offers))
        put(self, "margin", chance.uniform(4, 20, self.offers))
        put(self, "contact_cost", chance.choice([0.01, 0.2], self.offers))
        put(self, "redemption_cost", chance.uniform(0.5, 2.5, self.offers))

    def chances(self, rows, offers=slice(None)) -> tuple[Matrix, Matrix]:
        """Probabilities of a purchase without and with the offers, (rows, offers)."""
        tastes = self.tastes[rows].astype(np.float64)
        before = _sigmoid(tastes @ self.buys[:, offers] + self.base[offers])
        moved = _sigmoid(1.5 * (tastes @ self.moves[:, offers]) + self.lift[offers] - 1)
        return before, before + (1 - before) * 0.35 * moved

    def true_value(self, customer, offer) -> float:
        """What contacts really bring, costs taken off; one per pair."""
        total = 0.0
        for number in range(self.offers):
            mine = customer[offer == number]
            before, after = self.chances(mine, [number])
            gain = self.margin[number] * (after - before)
            cost = self.contact_cost[number] + self.redemption_cost[number] * after
            total += float((gain - cost).sum())
        return total

    def learned(self) -> tuple[Matrix, Matrix]:
        """Coefficients (features, offers) of both probabilities, from the pilot's purchases."""
        chance = np.random.default_rng([self.seed, 1])
        both = []
        for given in (False, True):
            columns = []
            for number in range(self.offers):
                rows = chance.integers(self.customers, size=PILOT)
                truth = self.chances(rows, [number])[int(given)][:, 0]
                bought = chance.random(PILOT) < truth
                x = _features(self.tastes[rows])
                gram = x.T @ x + RIDGE * np.diag([0.0] + [1.0] * (x.shape[1] - 1))
                columns.append(np.linalg.solve(gram, x.T @ bought))
            both.append(np.stack(columns, axis=1))
        return both[0], both[1]

    def estimates(self) -> Iterator[tuple[slice, Matrix, Matrix]]:
        """Yields estimated values and probabilities of blocks of customers."""
        without, with_offer = self.learned()
        for start in range(0, self.customers, AT_ONCE):
            block = slice(start, min(start + AT_ONCE, self.customers))
            x = _features(self.tastes[block])
            before = np.clip(x @ without, 0, 1)
            after = np.clip(x @ with_offer, 0, 1)
            cost = self.contact_cost + self.redemption_cost * after
            yield block, self.margin * (after - before) - cost, after

    def problem(self) -> PlanProblem:
        """The campaign as a planner sees it: scarce vouchers and budgets, caps, consent."""
        chance = np.random.default_rng([self.seed, 2])
        value = np.empty((self.customers, self.offers), dtype=np.float32)
        probability = np.empty_like(value)
        for block, worth, after in self.estimates():
            value[block], probability[block] = worth, after
            rows = block.stop - block.start
            bits = np.packbits(chance.random((rows, self.offers)) < NEVER, axis=1)
            never = np.unpackbits(bits, axis=1, count=self.offers).astype(bool)
            value[block][never] = NOT_ALLOWED
        channels = np.ones((self.offers, 2), dtype=bool)
        channels[::3, 1] = False
        channels[1::6, 0] = False
        share = chance.uniform(0.002, 0.03, self.offers)
        scarce = chance.random(self.offers) < 0.6
        room = np.ones((self.customers, 2), dtype=np.uint8)
        room[:, 0] = chance.random(self.customers) < 0.9
        return PlanProblem(
            value=value,
            probability=probability,
            room=room,
            most=chance.choice([0, 1, 2], self.customers, p=[0.05, 0.6, 0.35]).astype(np.uint8),
            channels=channels,
            contact_cost=self.contact_cost,
            redemption_cost=self.redemption_cost,
            stock=np.where(scarce, np.round(share * self.customers), np.inf),
            budget=np.round(chance.uniform(0.002, 0.02, self.offers) * self.customers, 2),
            total_budget=round(0.12 * self.customers, 2),
        )


def greedy(
    problem: PlanProblem, score: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Gives the pairs of the highest scores above 0 first, as long as all limits hold.

    Of a customer's pairs the best eight are looked at.
    """
    depth = min(8, problem.offers)
    rows, offers, chances = [], [], []
    for block in problem.blocks():
        likes = np.where(np.isfinite(problem.value[block]), score[block], -1)
        best = np.argsort(-likes, axis=1, kind="stable")[:, :depth]
        rows.append(np.repeat(np.arange(block.start, block.stop), depth))
        offers.append(best.ravel())
        chances.append(np.take_along_axis(likes, best, axis=1).ravel())
    row, offer, chance = map(np.concatenate, (rows, offers, chances))
    order = np.argsort(-chance, kind="stable")[: int((chance > 0).sum())]
    row, offer = row[order], offer[order]
    costs = problem.costs(row, offer) / 1e6
    stock, money, total = problem.stock.tolist(), problem.budget.tolist(), problem.total_budget
    left = problem.limits.astype(int).tolist()
    inside = problem.families.inside[problem.families.kind].tolist()
    given = []
    pairs = zip(row.tolist(), offer.tolist(), costs.tolist(), strict=True)
    for place, (customer, number, cost) in enumerate(pairs):
        if stock[number] < 1 or money[number] < cost or total < cost:
            continue
        counts = [family for family, is_in in enumerate(inside[number]) if is_in]
        if any(left[customer][family] < 1 for family in counts):
            continue
        for family in counts:
            left[customer][family] -= 1
        stock[number] -= 1
        money[number] -= cost
        total -= cost
        given.append(place)
    return row[given], offer[given]


def broken_limits(problem: PlanProblem, customer, offer, channel) -> int:
    """Counts limits that a plan breaks, from its rows alone."""
    cost = problem.contact_cost[offer] + problem.redemption_cost[offer] * problem.probability[
        customer, offer
    ].astype(np.float64)
    spent = np.bincount(offer, cost, problem.offers)
    broken = int((np.bincount(offer, minlength=problem.offers) > problem.stock).sum())
    broken += int((spent > problem.budget).sum()) + int(cost.sum() > problem.total_budget)
    broken += int((~np.isfinite(problem.value[customer, offer])).sum())
    broken += int((~problem.channels[offer, channel]).sum())
    by_channel = np.zeros(problem.room.shape, dtype=np.int64)
    np.add.at(by_channel, (customer, channel), 1)
    broken += int((by_channel > problem.room).sum())
    broken += int((by_channel.sum(axis=1) > problem.most).sum())
    pairs = customer.astype(np.int64) * problem.offers + offer
    return broken + len(pairs) - len(np.unique(pairs))


def bound_of_two_channels(problem: PlanProblem, prices) -> float:
    """The dual bound, worked out anew: for two channels with room for one contact each.

    What a customer can get is then nothing, one offer, or one by each channel.
    """
    first, second = problem.channels[:, 0], problem.channels[:, 1]
    open_ = np.isfinite(prices.voucher)
    bound = 0.0
    for price, amount in ((prices.voucher, problem.stock), (prices.money, problem.budget)):
        for each, most in zip(price[open_].tolist(), amount[open_].tolist(), strict=True):
            bound += each * most if each else 0.0
    bound += prices.total_money * problem.total_budget if prices.total_money else 0.0
    money = prices.money + prices.total_money
    for start in range(0, problem.customers, AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        cost = problem.contact_cost + problem.redemption_cost * problem.probability[rows].astype(
            np.float64
        )
        worth = np.maximum(problem.value[rows] - prices.voucher - money * cost, 0)
        one, other = np.where(first, worth, 0), np.where(second, worth, 0)
        one *= problem.room[rows, :1] > 0
        other *= problem.room[rows, 1:] > 0
        single = np.maximum(one, other).max(axis=1)
        place = one.argmax(axis=1)
        each = np.arange(len(one))
        without = other.copy()
        without[each, place] = 0
        # Either the best by the first channel goes there, or it is the best by the second.
        pair = one[each, place] + without.max(axis=1)
        again = other.argmax(axis=1)
        rest = one.copy()
        rest[each, again] = 0
        pair = np.maximum(pair, other[each, again] + rest.max(axis=1))
        most = problem.most[rows]
        bound += float(np.where(most >= 2, pair, np.where(most == 1, single, 0)).sum())
    return bound


def _features(tastes) -> Matrix:
    x = tastes.astype(np.float64)
    return np.concatenate([np.ones((len(x), 1)), x, x**2 - 1], axis=1)


def _sigmoid(x: Matrix) -> Matrix:
    return 1 / (1 + np.exp(-x))
