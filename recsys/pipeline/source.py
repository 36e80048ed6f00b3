"""Where candidates come from: the contract of a source, and what sources share."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from recsys.pipeline.query import Candidates, Reason
from recsys.pipeline.request import Request
from recsys.types import BoolArray, FloatArray, NumArray, Tier

Scored = tuple[NumArray, FloatArray]
"""Item numbers and scores of one query, both shape (rows,), best first."""


class CandidateSource(Protocol):
    """Finds items for a batch of requests.

    For each request `retrieve` gives at most `limit` distinct, allowed items, best first, with
    finite scores above 0; it gives fewer, or none, where it has nothing to go on. What it gives
    for a request does not depend on the other requests of the batch.
    """

    @property
    def name(self) -> str:
        """Returns the name that placements use."""
        ...

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the best items of each request."""
        ...

    def tier(self, request: Request) -> Tier:
        """Returns how much the items of this source know about this request's customer."""
        ...

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Returns why this source gives each of these items."""
        ...


def flatten(lists: Iterable[Scored]) -> Candidates:
    """Puts the lists of several queries behind each other."""
    kept = list(lists)
    counts = [len(nums) for nums, _ in kept]
    return Candidates(
        offsets=np.cumsum([0, *counts]).astype(np.int32),
        item_nums=np.concatenate([np.zeros(0, np.int32), *(nums for nums, _ in kept)]),
        scores=np.concatenate([np.zeros(0, np.float32), *(scores for _, scores in kept)]),
    )


def best(nums: NumArray, scores: FloatArray, allowed: BoolArray, limit: int) -> Scored:
    """Returns the best allowed items with a score above 0; ties by item number.

    Args:
        nums: distinct item numbers, shape (rows,).
        scores: shape (rows,).
        allowed: shape (items,).
        limit: items at most.
    """
    kept = allowed[nums] & (scores > 0)
    nums, scores = nums[kept], scores[kept]
    if len(nums) > 4 * limit:
        # Everything tied with the last place stays, so that ties go by item number.
        bar = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        near = scores >= bar
        nums, scores = nums[near], scores[near]
    order = np.lexsort((nums, -scores))[:limit]
    return nums[order], scores[order]
