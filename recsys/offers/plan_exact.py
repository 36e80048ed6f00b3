"""The best plan of a small campaign, by branch and bound (HiGHS, Huangfu and Hall 2018)."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from recsys.offers.offer import MICROS
from recsys.offers.plan_choice import NONE, Picks
from recsys.offers.plan_problem import PlanProblem

MOST_PAIRS = 3_000
"""Allowed pairs of customer and offer up to which a campaign is solved so."""
MOST_NODES = 500
"""Of the search tree: a limit in seconds would not give the same plan twice."""
EXACT_GAP = 1e-4


class Exact(NamedTuple):
    """What branch and bound found."""

    picks: Picks
    """Within limits up to the solver's tolerance of 1e-6."""
    bound: float


def pairs(problem: PlanProblem) -> int:
    """Returns how many pairs of customer and offer can add to a plan."""
    return sum(int((problem.value[block] > 0).sum()) for block in problem.blocks())


def solve_exactly(problem: PlanProblem) -> Exact | None:
    """Returns a plan with its bound; None: none was found within the limit of nodes."""
    rows, offers = np.nonzero(problem.value > 0)
    value = problem.value[rows, offers].astype(np.float64)
    places = np.arange(len(rows))
    families, parts, tops = problem.families, [], []
    for family in range(len(families.unions)):
        counts = families.inside[families.kind[offers], family].astype(np.float64)
        shape = (problem.customers, len(rows))
        parts.append(csr_array((counts, (rows, places)), shape=shape))
        tops.append(problem.limits[:, family].astype(np.float64))
    costs = problem.costs(rows, offers) / MICROS
    shape = (problem.offers, len(rows))
    parts += [
        csr_array((each, (offers, places)), shape=shape) for each in (np.ones(len(rows)), costs)
    ]
    tops += [np.floor(problem.stock), problem.budget]
    parts.append(csr_array(costs[None, :]))
    tops.append(np.array([problem.total_budget]))
    done = milp(
        -value,
        integrality=np.ones(len(rows)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(vstack(parts).tocsr(), ub=np.concatenate(tops)),
        options={"node_limit": MOST_NODES, "mip_rel_gap": EXACT_GAP},
    )
    if done.x is None:
        return None
    taken = np.flatnonzero(done.x > 0.5)  # noqa: PLR2004  a yes or no
    return Exact(_picks(problem, rows[taken], offers[taken]), -float(done.mip_dual_bound))


def _picks(problem: PlanProblem, rows: np.ndarray, offers: np.ndarray) -> Picks:
    counts = np.bincount(rows, minlength=problem.customers)
    turns = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
    picks = np.full((problem.customers, int(counts.max(initial=0))), NONE, dtype=np.int16)
    picks[rows, turns] = offers
    return picks
