"""The sources that need nobody's history: popular, popular in a segment, in a category."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.models.popularity import PopularityModel
from recsys.pipeline.query import Candidates, Reason
from recsys.pipeline.request import Request
from recsys.pipeline.source import Scored, best, flatten
from recsys.types import NumArray, Tier

LEAST = np.float32(1e-9)
"""Score of an item nobody chose: last, but in the list."""


@dataclass(frozen=True, slots=True, eq=False)
class PopularSource:
    """Ranks every allowed item by popularity, so that a list it fills is never short."""

    name: str
    model: PopularityModel

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the most popular allowed items."""
        return flatten(self._best(request, limit) for request in requests)

    def _best(self, request: Request, limit: int) -> Scored:
        order, window = self.model.order, 4 * limit
        nums = order[:window][request.allowed[order[:window]]]
        while len(nums) < limit and window < len(order):
            window *= 4
            nums = order[:window][request.allowed[order[:window]]]
        nums = nums[:limit]
        return nums, np.maximum(self.model.scores[nums], LEAST)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns popular."""
        return Tier.POPULAR

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items are popular."""
        return [Reason("popular")] * len(item_nums)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPopularSource:
    """Ranks by popularity among customers who share a segment label."""

    name: str
    model: PopularityModel

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the items that the customer's segments choose most."""
        return flatten(
            best(*self.model.of_segments(request.label_nums), request.allowed, limit)
            for request in requests
        )

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns segment."""
        return Tier.SEGMENT

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items are popular in the customer's segments."""
        return [Reason("popular-in-segment")] * len(item_nums)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryPopularSource:
    """Ranks the items of the context's categories by popularity."""

    name: str
    model: PopularityModel
    catalogue: Catalogue

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the most popular items that share a category with a context item."""
        return flatten(self._best(request, limit) for request in requests)

    def _best(self, request: Request, limit: int) -> Scored:
        nums = self.catalogue.same_category(request.context_nums)
        return best(nums, np.maximum(self.model.scores[nums], LEAST), request.allowed, limit)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns session: the page's context decides."""
        return Tier.SESSION

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items are popular in their category."""
        return [Reason("popular-in-category")] * len(item_nums)
