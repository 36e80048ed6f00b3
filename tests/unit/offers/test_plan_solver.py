"""Plans are feasible, as good as they say, and the same each time."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.progress import silent
from recsys.offers.plan_choice import best_sets, worth_at
from recsys.offers.plan_exact import MOST_PAIRS, pairs, solve_exactly
from recsys.offers.plan_prices import bound_at, lowest_prices
from recsys.offers.plan_problem import MAX_CHANNELS, NOT_ALLOWED, PlanProblem
from recsys.offers.plan_solver import solve
from tests.campaigns import Campaign, bound_of_two_channels, broken_limits, greedy


def small(seed: int, customers: int = 5, offers: int = 4, channels: int = 2) -> PlanProblem:
    chance = np.random.default_rng(seed)
    value = chance.normal(1, 1, (customers, offers)).astype(np.float32)
    value[chance.random(value.shape) < 0.2] = NOT_ALLOWED
    by = chance.random((offers, channels)) < 0.6
    by[np.arange(offers), chance.integers(channels, size=offers)] = True
    return PlanProblem(
        value=value,
        probability=chance.random(value.shape).astype(np.float32),
        room=chance.integers(0, 3, (customers, channels)).astype(np.uint8),
        most=chance.integers(0, 4, customers).astype(np.uint8),
        channels=by,
        contact_cost=chance.choice([0, 0.1], offers),
        redemption_cost=chance.uniform(0, 1, offers),
        stock=chance.choice([0.0, 1, 2, 3, np.inf], offers),
        budget=chance.choice([0.0, 0.5, 1.5, np.inf], offers),
        total_budget=float(chance.choice([1.0, 3.0, np.inf])),
    )


def sets_of(problem: PlanProblem, customer: int) -> list[tuple[int, ...]]:
    """All that a customer can get, by trying every assignment of channels."""
    can = np.flatnonzero(np.isfinite(problem.value[customer])).tolist()
    found = []
    for size in range(int(problem.most[customer]) + 1):
        for offers in combinations(can, size):
            ways = product(*(np.flatnonzero(problem.channels[each]).tolist() for each in offers))
            for way in ways:
                counts = np.bincount(way, minlength=problem.channels.shape[1])
                if (counts <= problem.room[customer]).all():
                    found.append(offers)
                    break
    return found


def best_by_brute_force(problem: PlanProblem) -> float:
    best = 0.0
    choices = [sets_of(problem, customer) for customer in range(problem.customers)]

    def search(customer: int, value: float, stock, money, total: float) -> None:
        nonlocal best
        if customer == problem.customers:
            best = max(best, value)
            return
        for offers in choices[customer]:
            cost = problem.costs(np.full(len(offers), customer), np.array(offers, np.int64)) / 1e6
            left, spent = stock.copy(), money.copy()
            for offer, each in zip(offers, cost, strict=True):
                left[offer] -= 1
                spent[offer] -= each
            if (left >= 0).all() and (spent >= 0).all() and total >= cost.sum():
                gain = float(sum(problem.value[customer, offer] for offer in offers))
                search(customer + 1, value + gain, left, spent, total - cost.sum())

    search(0, 0.0, problem.stock, problem.budget, problem.total_budget)
    return best


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_a_small_plan_is_the_best_of_all(seed) -> None:
    problem = small(seed, customers=3)
    solution = solve(problem)
    assert broken_limits(problem, solution.customer, solution.offer, solution.channel) == 0
    best = best_by_brute_force(problem)
    assert solution.value == pytest.approx(best, rel=2e-4, abs=1e-5)
    assert solution.bound >= best - 1e-4


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_what_customers_take_is_the_best_that_channels_have_room_for(seed, channels) -> None:
    problem = small(seed, customers=8, offers=5, channels=channels)
    prices = lowest_prices(problem, seed=0, progress=silent)
    worth = worth_at(problem, prices, slice(0, 8))
    chosen = best_sets(worth.copy(), problem.limits, problem.families)
    for customer in range(8):
        best = max(sum(worth[customer, list(each)]) for each in sets_of(problem, customer))
        assert chosen.gains[customer] == pytest.approx(max(best, 0), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_no_plan_is_worth_more_than_the_bound_at_any_prices(seed) -> None:
    problem = small(seed)
    chance = np.random.default_rng(seed)
    prices = lowest_prices(problem, seed=0, progress=silent)
    prices = prices._replace(
        money=np.where(np.isfinite(problem.budget), chance.uniform(0, 2, 4), 0.0)
    )
    assert bound_at(problem, prices) >= best_by_brute_force(replace(problem)) - 1e-4


@pytest.fixture(scope="module")
def problem() -> PlanProblem:
    return Campaign(20_000, 12, seed=3).problem()


def test_a_large_plan_breaks_nothing_and_is_near_its_bound(problem) -> None:
    solution = solve(problem)
    assert not solution.exact
    assert broken_limits(problem, solution.customer, solution.offer, solution.channel) == 0
    assert solution.gap <= 0.005
    taken = problem.value[solution.customer, solution.offer].astype(np.float64).sum()
    assert solution.value == pytest.approx(taken)


def test_the_bound_is_the_same_when_worked_out_otherwise(problem) -> None:
    solution = solve(problem)
    assert min(solution.prices.money.min(), solution.prices.total_money) >= 0
    assert bound_of_two_channels(problem, solution.prices) == pytest.approx(solution.bound)


def test_the_same_campaign_gives_the_same_plan(problem) -> None:
    first, second = solve(problem, seed=4), solve(problem, seed=4)
    assert first.customer.tolist() == second.customer.tolist()
    assert first.offer.tolist() == second.offer.tolist()
    assert first.value == second.value


def test_a_plan_brings_more_than_giving_to_the_likeliest() -> None:
    campaign = Campaign(20_000, 12, seed=3)
    problem = campaign.problem()
    solution = solve(problem)
    planned = campaign.true_value(solution.customer, solution.offer)
    assert planned > campaign.true_value(*greedy(problem, problem.probability))
    assert planned > 0.9 * solution.value * 0.8


def test_customers_who_are_alike_are_planned_well_too() -> None:
    made = Campaign(9_000, 12, seed=5).problem()
    kinds = np.random.default_rng(0).integers(8, size=9_000)
    problem = replace(made, value=made.value[kinds], probability=made.probability[kinds])
    assert pairs(problem) > MOST_PAIRS
    solution = solve(problem)
    assert broken_limits(problem, solution.customer, solution.offer, solution.channel) == 0
    assert solution.gap <= 0.02


def test_a_small_campaign_is_solved_by_branch_and_bound() -> None:
    problem = Campaign(60, 8, seed=5).problem()
    solution = solve(problem)
    assert broken_limits(problem, solution.customer, solution.offer, solution.channel) == 0
    assert solution.gap <= 1e-3
    exact = solve_exactly(problem)
    assert exact is not None
    assert solution.value <= exact.bound + 1e-6


def test_a_campaign_without_limits_gives_everybody_the_best() -> None:
    problem = replace(
        small(1, customers=6),
        stock=np.full(4, np.inf),
        budget=np.full(4, np.inf),
        total_budget=np.inf,
    )
    solution = solve(problem)
    best = sum(
        max(problem.value[row, list(each)].sum() for each in sets_of(problem, row))
        for row in range(6)
    )
    assert solution.value == pytest.approx(max(best, 0), rel=1e-5)
    assert solution.gap == pytest.approx(0, abs=1e-6)


def test_a_campaign_of_nobody_is_empty() -> None:
    problem = small(1)
    none = replace(
        problem,
        value=problem.value[:0],
        probability=problem.probability[:0],
        room=problem.room[:0],
        most=problem.most[:0],
    )
    solution = solve(none)
    assert (len(solution.customer), solution.value, solution.gap) == (0, 0.0, 0.0)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="stock has shape"):
        replace(small(1), stock=np.zeros(3))
    many = np.ones((4, MAX_CHANNELS + 1), dtype=bool)
    with pytest.raises(ValueError, match="channels"):
        replace(small(1), channels=many, room=np.ones((5, MAX_CHANNELS + 1), np.uint8))
