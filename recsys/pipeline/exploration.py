"""One place of a list, drawn from the next best items with a probability that is known.

A list that only ever shows what models already like teaches nothing about the rest. The draw is a
softmax over scores (Luce: Individual Choice Behavior, 1959), so the propensity that is logged is
exact, and estimates weighted with its inverse are unbiased (Horvitz, Thompson 1952).
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.live.deployment import Exploration
from recsys.pipeline.query import Ranked
from recsys.pipeline.request import Request
from recsys.types import DAY_S, BoolArray, FloatArray, NumArray

EXPLORED = "exploration"
"""Source of a drawn item that no source of the placement gave."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What was drawn for the explored place."""

    item_num: int
    score: float
    """0 for an item that no source gave."""
    propensity: float
    """Probability of this draw, above 0 and at most 1."""
    row: int | None
    """Where it stands among the ranked; None: not there."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What may be drawn, at most one of each product."""

    item_nums: NumArray
    """Shape (candidates,)."""
    scores: FloatArray
    """Shape (candidates,), from 0."""
    new: BoolArray
    """Shape (candidates,): which are new to the catalogue."""
    ranked_rows: NDArray[np.intp]
    """Rows among the ranked of the first candidates; the others are not among them."""


Unlisted = Callable[[NumArray], NumArray]
"""Keeps, in order, one item of each product that the list does not show."""


def draw(
    settings: Exploration,
    request: Request,
    ranked: Ranked,
    catalogue: Catalogue,
    *,
    unlisted: Unlisted,
) -> Drawn | None:
    """Returns what the explored place shows; None where there are not two to draw from.

    The query's seed decides, so that a query draws the same again.

    Args:
        settings: of the placement.
        request: the query in numbers.
        ranked: all that sources gave, best first.
        catalogue: tells what is new.
        unlisted: knows the list without the explored place.
    """
    found = candidates(settings, request, ranked, catalogue, unlisted=unlisted)
    if len(found.item_nums) < 2:  # noqa: PLR2004  one has no probability but 1
        return None
    chances = propensities(settings, found)
    sums = np.cumsum(chances)  # the last may miss 1 by a rounding
    point = uniform(request.query.seed) * sums[-1]
    place = int(np.searchsorted(sums, point, side="right"))
    in_ranked = place < len(found.ranked_rows)
    return Drawn(
        item_num=int(found.item_nums[place]),
        score=float(found.scores[place]),
        propensity=float(chances[place]),
        row=int(found.ranked_rows[place]) if in_ranked else None,
    )


def candidates(
    settings: Exploration,
    request: Request,
    ranked: Ranked,
    catalogue: Catalogue,
    *,
    unlisted: Unlisted,
) -> Candidates:
    """Returns the best ranked items outside the list, then new ones that were not among them."""
    best = unlisted(ranked.item_nums)[: settings.candidates]
    rows = _rows_of(best, ranked.item_nums)
    since = _new_since(settings, request)
    if since is None:
        return Candidates(best, ranked.scores[rows], np.zeros(len(best), np.bool_), rows)
    fresh = unlisted(_newest(catalogue, request.allowed, since))
    groups = catalogue.group_nums
    fresh = fresh[~np.isin(groups[fresh], groups[best])][: settings.candidates]
    nums = np.concatenate([best, fresh])
    scores = np.concatenate([ranked.scores[rows], np.zeros(len(fresh), np.float32)])
    return Candidates(nums, scores, catalogue.created_times[nums] >= since, rows)


def propensities(settings: Exploration, found: Candidates) -> NDArray[np.float64]:
    """Returns the probability of each candidate, shape (candidates,), float64, summing to 1.

    The softmax of score / (best score * temperature), plus the boost of what is new.
    """
    scores = found.scores.astype(np.float64)
    top = scores.max()
    logits = scores / top / settings.temperature if top > 0 else scores
    logits = logits + settings.new_item_boost * found.new
    odds = np.exp(logits - logits.max())
    chances: NDArray[np.float64] = odds / odds.sum()
    return chances


def uniform(seed: str) -> float:
    """Returns a number from 0 and below 1 that a text alone decides."""
    return (int.from_bytes(blake2b(seed.encode(), digest_size=8).digest()) >> 11) / 2**53


def _new_since(settings: Exploration, request: Request) -> int | None:
    if settings.new_item_days is None:
        return None
    # Never below 0, so that items of which nobody knows the time do not count.
    return max(0, int(request.query.query_time - settings.new_item_days * DAY_S))


def _newest(catalogue: Catalogue, allowed: BoolArray, since: int) -> NumArray:
    """Returns the allowed items that came since then, newest first; ties by item number."""
    nums = np.flatnonzero(allowed & (catalogue.created_times >= since)).astype(np.int32)
    return nums[np.argsort(-catalogue.created_times[nums], kind="stable")]


def _rows_of(nums: NumArray, item_nums: NumArray) -> NDArray[np.intp]:
    """Returns the first row of each number, all of which are there in this order."""
    return np.flatnonzero(np.isin(item_nums, nums))
