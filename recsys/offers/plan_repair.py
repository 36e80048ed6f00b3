"""From what customers would take at the prices to a plan that keeps every limit.

Prices at the optimum leave limits broken by a hair: customers between whom the prices see no
difference. Those who lose least give an offer back and take their next best of what is not full;
what is then left over goes to whom it brings most.
"""

import numpy as np
from numpy.typing import NDArray

from recsys.offers.plan_choice import (
    NONE,
    Picks,
    Prices,
    best_sets,
    close_full,
    close_own,
    worth_at,
)
from recsys.offers.plan_problem import NOT_ALLOWED, Amounts, PlanProblem
from recsys.offers.plan_usage import Usage, room_left
from recsys.types import FloatArray

FILL_ROUNDS = 200
WORTH_A_ROUND = 1e-5
"""Part of the plan's value that the next round must be expected to add."""
FILL_AT_ONCE = 100_000
"""Additions that one round looks at, those that the prices like best."""


def kept_within(problem: PlanProblem, prices: Prices, picks: Picks) -> Picks:
    """Returns picks that break no limit, changed where that costs least."""
    picks = picks.copy()
    most = Usage.most(problem)
    full = ~np.isfinite(prices.voucher)
    while True:
        left = most.minus(Usage.of(problem, picks))
        over = (left.vouchers < 0) | (left.money < 0)
        if not over.any():
            break
        offer = int(np.flatnonzero(over)[0])
        full[offer] = True
        _release(problem, prices, picks, offer=offer, full=full, left=left)
    if left.total < 0:
        _drop(problem, prices, picks, -left.total)
    return picks


def filled(problem: PlanProblem, prices: Prices, picks: Picks) -> Picks:
    """Returns feasible picks with what is left over given to whom it brings most."""
    picks = picks.copy()
    value = value_of(problem, picks)
    for _ in range(FILL_ROUNDS):
        left = Usage.most(problem).minus(Usage.of(problem, picks))
        open_ = (left.vouchers >= 1) & (left.money > 0) & np.isfinite(prices.voucher)
        if left.total <= 0 or not open_.any():
            break
        rows, offers = _wishes(problem, prices.closing(~open_), picks)
        if not len(rows):
            break
        added = _give(problem, picks, rows, offers, left)
        value += added
        if added <= WORTH_A_ROUND * value:
            break
    return picks


def value_of(problem: PlanProblem, picks: Picks) -> float:
    """Returns the value of all picks."""
    rows, turns = np.nonzero(picks != NONE)
    return float(problem.value[rows, picks[rows, turns]].sum(dtype=np.float64))


def own_worth(problem: PlanProblem, prices: Prices, picks: Picks) -> FloatArray:
    """Returns the worth of each pick after prices, 0 for `NONE`; shape of `picks`."""
    worth = np.zeros(picks.shape, dtype=np.float32)
    for block in problem.blocks():
        mine = picks[block].astype(np.int64)
        found = np.take_along_axis(worth_at(problem, prices, block), np.maximum(mine, 0), axis=1)
        worth[block] = np.where(mine == NONE, 0, found)
    return worth


def _release(
    problem: PlanProblem,
    prices: Prices,
    picks: Picks,
    *,
    offer: int,
    full: NDArray[np.bool_],
    left: Usage,
) -> None:
    """Takes an offer from those who lose least, until it keeps its limits."""
    rows, turns = np.nonzero(picks == offer)
    others = picks[rows]
    others[np.arange(len(rows)), turns] = NONE
    new, gain = _next_best(problem, prices.closing(full), others, rows)
    had = worth_at(problem, prices, rows)[:, offer] if len(rows) else np.zeros(0, np.float32)
    loss = had - gain
    costs = problem.costs(rows, np.full(len(rows), offer))
    gone = np.zeros(len(rows), dtype=bool)
    missing = -left.vouchers[offer]
    if missing > 0:
        gone[np.argsort(loss, kind="stable")[: int(missing)]] = True
    missing = -left.money[offer] - costs[gone].sum()
    if missing > 0:
        stay = np.flatnonzero(~gone)
        order = stay[np.argsort(loss[stay] / np.maximum(costs[stay], 1), kind="stable")]
        gone[order[: _first_reaching(costs[order], missing)]] = True
    picks[rows[gone], turns[gone]] = new[gone]


def _drop(problem: PlanProblem, prices: Prices, picks: Picks, missing: float) -> None:
    """Takes the offers that bring least for their cost, until so much is free."""
    worth = own_worth(problem, prices, picks)
    rows, turns = np.nonzero(picks != NONE)
    costs = problem.costs(rows, picks[rows, turns].astype(np.int64))
    order = np.argsort(worth[rows, turns] / np.maximum(costs, 1), kind="stable")
    gone = order[: _first_reaching(costs[order], missing)]
    picks[rows[gone], turns[gone]] = NONE


def _first_reaching(amounts: Amounts, wanted: float) -> int:
    """Returns how many amounts, in order, make up what is wanted."""
    return int(np.searchsorted(np.cumsum(amounts), wanted)) + 1


def _next_best(
    problem: PlanProblem, prices: Prices, others: Picks, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int16], Amounts]:
    """Returns the best offer beside `others` and its worth; `NONE` and 0 where there is none."""
    worth = worth_at(problem, prices, rows)
    close_own(worth, others)
    one = np.minimum(room_left(problem, others, rows), 1).astype(np.uint8)
    chosen = best_sets(worth, one, problem.families)
    new = chosen.picks[:, 0] if chosen.picks.shape[1] else np.full(len(rows), NONE, np.int16)
    return new, chosen.gains


def _wishes(
    problem: PlanProblem, prices: Prices, picks: Picks
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the best addition of each customer who could take one: those dearest to the prices.

    Their worth after prices is below 0 or they would have it; what counts is that their value is
    above.
    """
    found_rows, found_offers, found_worth = [], [], []
    for block in problem.blocks():
        rows = np.arange(block.start, block.stop)
        worth = worth_at(problem, prices, block)
        worth[problem.value[block] <= 0] = NOT_ALLOWED
        close_own(worth, picks[block])
        close_full(worth, room_left(problem, picks[block], rows), problem.families)
        best = worth.argmax(axis=1)
        likes = worth[np.arange(len(rows)), best]
        good = likes > NOT_ALLOWED
        found_rows.append(rows[good])
        found_offers.append(best[good])
        found_worth.append(likes[good])
    nobody = np.zeros(0, dtype=np.int64)
    order = np.argsort(-np.concatenate([nobody, *found_worth]), kind="stable")[:FILL_AT_ONCE]
    rows, offers = (np.concatenate([nobody, *each]) for each in (found_rows, found_offers))
    return rows[order], offers[order]


def _give(
    problem: PlanProblem,
    picks: Picks,
    rows: NDArray[np.int64],
    offers: NDArray[np.int64],
    left: Usage,
) -> float:
    """Gives customers offers, in order, as far as there is enough; returns their value."""
    costs = problem.costs(rows, offers).tolist()
    vouchers, money, total = left.vouchers.tolist(), left.money.tolist(), left.total
    values = problem.value[rows, offers].tolist()
    added = 0.0
    for row, offer, cost, value in zip(rows.tolist(), offers.tolist(), costs, values, strict=True):
        if vouchers[offer] >= 1 and money[offer] >= cost and total >= cost:
            vouchers[offer] -= 1
            money[offer] -= cost
            total -= cost
            turn = int(np.flatnonzero(picks[row] == NONE)[0])
            picks[row, turn] = offer
            added += value
    return added
