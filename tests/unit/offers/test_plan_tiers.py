"""Priorities come before values, and who is held out gets what they would have taken."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.offers.plan_problem import PlanProblem
from recsys.offers.plan_tiers import TieredPlan, solve_tiers
from tests.campaigns import Campaign, broken_limits


@pytest.fixture(scope="module")
def problem() -> PlanProblem:
    return Campaign(4_000, 8, seed=2).problem()


def nobody(problem: PlanProblem) -> np.ndarray:
    return np.zeros(problem.customers, dtype=bool)


def broken(problem: PlanProblem, plan: TieredPlan) -> int:
    real = ~plan.held_out
    return broken_limits(problem, plan.customer[real], plan.offer[real], plan.channel[real])


def test_a_higher_priority_goes_first_whatever_it_is_worth(problem) -> None:
    priority = np.array([0, 0, 5, 0, 0, 0, 0, -1])
    plan = solve_tiers(problem, priority, nobody(problem))
    equal = solve_tiers(problem, np.zeros(8, np.int64), nobody(problem))
    assert broken(problem, plan) == broken(problem, equal) == 0
    count = [int((each.offer == 2).sum()) for each in (plan, equal)]
    assert count[0] >= count[1]
    assert plan.value <= equal.bound
    alone = replace(problem, stock=np.where(np.arange(8) == 2, problem.stock, 0))
    first = solve_tiers(alone, np.zeros(8, np.int64), nobody(problem))
    assert count[0] == len(first.offer)
    assert plan.gap <= 0.01


def test_those_who_are_held_out_take_nothing_from_others(problem) -> None:
    held_out = np.random.default_rng(0).random(problem.customers) < 0.2
    plan = solve_tiers(problem, np.zeros(8, np.int64), held_out)
    assert (plan.held_out == held_out[plan.customer]).all()
    assert broken(problem, plan) == 0
    # Everything that is scarce goes to the others.
    without = replace(problem, most=np.where(held_out, 0, problem.most).astype(np.uint8))
    treated = solve_tiers(without, np.zeros(8, np.int64), nobody(problem))
    assert plan.value == treated.value
    values = problem.value[plan.customer, plan.offer]
    share = plan.held_out.mean()
    assert 0.15 < share < 0.25
    means = [values[plan.held_out].mean(), values[~plan.held_out].mean()]
    assert means[0] == pytest.approx(means[1], rel=0.1)


def test_held_out_customers_of_several_priorities_stay_within_their_room(problem) -> None:
    priority = np.arange(8)
    plan = solve_tiers(problem, priority, ~nobody(problem))
    free = replace(
        problem,
        stock=np.full(8, np.inf),
        budget=np.full(8, np.inf),
        total_budget=np.inf,
    )
    assert len(plan.customer)
    assert plan.held_out.all()
    assert broken_limits(free, plan.customer, plan.offer, plan.channel) == 0
    assert (plan.value, plan.gap) == (0.0, 0.0)
