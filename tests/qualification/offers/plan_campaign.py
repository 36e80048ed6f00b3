"""Plans a simulated campaign and prints what came of it as JSON; a process of its own."""

import json
import resource
import sys
import time

from recsys.offers.plan_prices import bound_at
from recsys.offers.plan_solver import solve
from tests.campaigns import (
    Campaign,
    bound_of_two_channels,
    broken_limits,
    greedy,
)


def main(customers: int, offers: int, seed: int, *, compare: bool) -> None:
    """Plans, judges by the truth, and works the bound out again."""
    campaign = Campaign(customers, offers, seed)
    began = time.monotonic()
    problem = campaign.problem()
    made = time.monotonic()
    solution = solve(problem, seed=seed)
    solved = time.monotonic()
    told = {
        "make_s": made - began,
        "solve_s": solved - made,
        "solve_cpu_s": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": len(solution.customer),
        "value": solution.value,
        "bound": solution.bound,
        "gap": solution.gap,
        "bound_again": bound_of_two_channels(problem, solution.prices),
        "bound_at": bound_at(problem, solution.prices),
        "broken": broken_limits(problem, solution.customer, solution.offer, solution.channel),
        "true_value": campaign.true_value(solution.customer, solution.offer),
    }
    if compare:
        for name, score in (("propensity", problem.probability), ("value", problem.value)):
            told[f"by_{name}_true_value"] = campaign.true_value(*greedy(problem, score))
    print(json.dumps(told))  # noqa: T201  what it is for


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), compare="compare" in sys.argv)
