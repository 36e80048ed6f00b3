"""Plans of offers of several priorities, and what held-out customers would have got."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.progress import Progress, silent
from recsys.offers.offer import MICROS
from recsys.offers.plan_channels import assigned
from recsys.offers.plan_choice import NONE, take_best
from recsys.offers.plan_problem import PlanProblem
from recsys.offers.plan_solver import Solution, solve
from recsys.types import BoolArray, CodeArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TieredPlan:
    """All contacts of a plan, in the order of customers; those who are held out among them."""

    customer: Numbers
    offer: Numbers
    channel: Numbers
    held_out: BoolArray
    value: float
    """Of the contacts of those who are not held out."""
    bound: float
    """Sum of the bounds of the priorities, each given what the ones before took."""
    exact: bool

    @property
    def gap(self) -> float:
        """How far it can be from the best plan at most, as a part of the bound."""
        return max(0.0, 1 - self.value / self.bound) if self.bound > 0 else 0.0


def solve_tiers(
    problem: PlanProblem,
    priority: NDArray[np.int64],
    held_out: BoolArray,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> TieredPlan:
    """Plans offers of a higher priority before all others, whatever these are worth.

    Those who are held out take part in nothing: they get what they would take at the prices that
    everybody else's choice follows, so that the two groups can be compared, and it costs nothing.

    Args:
        problem: a campaign.
        priority: shape (offers,).
        held_out: shape (customers,).
        seed: draws samples.
        progress: hears how far it is.
    """
    treated = replace(problem, most=np.where(held_out, 0, problem.most).astype(np.uint8))
    others = replace(problem, most=np.where(held_out, problem.most, 0).astype(np.uint8))
    parts: list[tuple[Numbers, Numbers, Numbers]] = []
    value = bound = 0.0
    exact = True
    for level in np.unique(priority)[::-1]:
        inside = priority == level
        found = solve(_only(treated, inside), seed=seed, progress=progress)
        parts.append((found.customer, found.offer, found.channel))
        value, bound, exact = value + found.value, bound + found.bound, exact and found.exact
        treated = _after(treated, found)
        shadow = _as_planned(_only(others, inside), found)
        parts.append(shadow)
        others = replace(others, room=_room(others, *shadow), most=_most(others, shadow[0]))
    nobody = np.zeros(0, dtype=np.int64)
    customer, offer, channel = (
        np.concatenate([nobody, *(part[place] for part in parts)]) for place in range(3)
    )
    order = np.argsort(customer, kind="stable")
    customer = customer[order]
    return TieredPlan(
        customer, offer[order], channel[order], held_out[customer], value, bound, exact
    )


def _only(problem: PlanProblem, inside: NDArray[np.bool_]) -> PlanProblem:
    """Returns the problem with the other offers taken away."""
    return problem if inside.all() else replace(problem, stock=np.where(inside, problem.stock, 0))


def _after(problem: PlanProblem, taken: Solution) -> PlanProblem:
    """Returns what a tier leaves to the next."""
    spent = float(problem.costs(taken.customer, taken.offer).sum()) / MICROS
    return replace(
        problem,
        room=_room(problem, taken.customer, taken.offer, taken.channel),
        most=_most(problem, taken.customer),
        total_budget=problem.total_budget - spent,
    )


def _as_planned(problem: PlanProblem, found: Solution) -> tuple[Numbers, Numbers, Numbers]:
    """Returns what customers would take at the prices of a solution."""
    picks = take_best(problem, found.prices)
    channels = assigned(problem, picks)
    rows, turns = np.nonzero(picks != NONE)
    offer, channel = picks[rows, turns], channels[rows, turns]
    return rows.astype(np.int64), offer.astype(np.int64), channel.astype(np.int64)


def _room(problem: PlanProblem, customer: Numbers, _: Numbers, channel: Numbers) -> CodeArray:
    room = problem.room.astype(np.int64)
    np.subtract.at(room, (customer, channel), 1)
    return room.astype(np.uint8)


def _most(problem: PlanProblem, customer: Numbers) -> CodeArray:
    return (problem.most - np.bincount(customer, minlength=problem.customers)).astype(np.uint8)
