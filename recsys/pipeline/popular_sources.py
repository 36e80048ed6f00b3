"""The sources that need nobody's history: popular, popular in a segment, in a category."""

from dataclasses import dataclass, replace

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.data.vocabulary import Vocabulary
from recsys.models.popularity import PopularityModel
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import ListedScores, Scored
from recsys.types import BoolArray, FloatArray, NumArray, Tier

LEAST = np.float32(1e-9)
"""Score of an item nobody chose: last, but in the list."""


@dataclass(frozen=True, slots=True, eq=False)
class PopularScores:
    """The popularity of all items, read along an order that is known beforehand."""

    model: PopularityModel
    allowed: BoolArray

    def best(self, limit: int) -> Scored:
        """Returns the most popular allowed items, those that nobody chose last."""
        order, window = self.model.order, 4 * limit
        nums = order[:window][self.allowed[order[:window]]]
        while len(nums) < limit and window < len(order):
            window *= 4
            nums = order[:window][self.allowed[order[:window]]]
        nums = nums[:limit]
        return nums, self.of(nums)

    def of(self, item_nums: NumArray) -> FloatArray:
        """Returns the popularity of items."""
        return np.maximum(self.model.scores[item_nums], LEAST)

    def allowing(self, allowed: BoolArray) -> "PopularScores":
        """Returns the same scores under another mask."""
        return replace(self, allowed=allowed)


@dataclass(frozen=True, slots=True, eq=False)
class PopularSource:
    """Ranks every allowed item by popularity, so that a list it fills is never short."""

    name: str
    model: PopularityModel
    reason: str = "popular"

    def scores(self, request: Request) -> "PopularScores":
        """Returns the popularity of all items."""
        return PopularScores(self.model, request.allowed)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns popular."""
        return Tier.POPULAR

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items are popular, or rising."""
        return [Reason(self.reason)] * len(item_nums)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPopularSource:
    """Ranks by popularity among customers who share a segment label."""

    name: str
    model: PopularityModel
    labels: Vocabulary[str]
    """Of the segments, as `model` numbers them."""
    reason: str = "popular"

    def scores(self, request: Request) -> ListedScores:
        """Returns how much the customer's segments choose each item."""
        return ListedScores(*self.model.of_segments(request.label_nums), request.allowed)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns segment."""
        return Tier.SEGMENT

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Says that the items are popular, or rising, in the segment that likes each most."""
        strongest = self.model.strongest_labels(request.label_nums, item_nums)
        code = f"{self.reason}-in-segment"
        return [Reason(code, label=self.labels.id(label)) for label in strongest.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class CategoryPopularSource:
    """Ranks the items of the context's categories by popularity."""

    name: str
    model: PopularityModel
    catalogue: Catalogue

    def scores(self, request: Request) -> ListedScores:
        """Returns the popularity of the items that share a category with a context item."""
        nums = self.catalogue.same_category(request.context_nums)
        return ListedScores(nums, np.maximum(self.model.scores[nums], LEAST), request.allowed)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns session: the page's context decides."""
        return Tier.SESSION

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items are popular in their category."""
        paths = self.catalogue.frame["category"].gather(item_nums).list.join(" > ")
        return [Reason("popular-in-category", label=path or "") for path in paths.to_list()]
