"""The sources that personalise: taste vectors, neighbours, repurchase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.state import type_weight_array
from recsys.data.vocabulary import Vocabulary
from recsys.index.protocol import VectorIndex
from recsys.models.als import AlsModel
from recsys.models.item_item import ItemItem, ItemItemModel
from recsys.models.repurchase import RepurchaseModel
from recsys.pipeline.query import Candidates, Reason
from recsys.pipeline.request import BOUGHT, Request
from recsys.pipeline.source import Scored, best, flatten
from recsys.types import FloatArray, ItemId, NumArray, Tier

NOTHING: Scored = (np.zeros(0, np.int32), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class VectorSource:
    """Folds the seeds into a taste vector and searches the index for the closest items."""

    name: str
    model: AlsModel
    index: VectorIndex

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the items with the largest inner products."""
        vectors = [self._vector(request) for request in requests]
        found = [place for place, vector in enumerate(vectors) if vector is not None]
        lists = [NOTHING] * len(requests)
        if found:
            nums, scores = self.index.search(
                np.stack([vector for vector in vectors if vector is not None]),
                limit,
                [requests[place].allowed for place in found],
            )
            for row, place in enumerate(found):
                positive = (nums[row] >= 0) & (scores[row] > 0)
                lists[place] = (nums[row][positive], scores[row][positive])
        return flatten(lists)

    def _vector(self, request: Request) -> FloatArray | None:
        config = self.model.config
        weights = type_weight_array(config.event_weights)
        return self.model.fold_in(*request.seeds(weights, config.half_life_days))

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the seeds."""
        return request.seed_tier

    def explain(self, request: Request, item_num: int) -> Reason:  # noqa: ARG002  # one taste for all
        """Says that customers with this taste choose the item."""
        return Reason("matches-your-taste")


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourSource:
    """Adds up the similar items of all seeds."""

    name: str
    config: ItemItem
    model: ItemItemModel
    items: Vocabulary[ItemId]

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the items with the largest sums of weight times similarity."""
        return flatten(
            best(*self.model.scores(*self._seeds(request)), request.allowed, limit)
            for request in requests
        )

    def _seeds(self, request: Request) -> tuple[NumArray, FloatArray]:
        weights = type_weight_array(self.config.event_weights)
        nums, seed_weights = request.seeds(weights, self.config.half_life_days)
        seed_weights = np.log1p(seed_weights)  # as in fitting
        limit = self.config.history_limit
        if len(nums) > limit:
            heaviest = np.sort(np.argsort(-seed_weights, kind="stable")[:limit])
            return nums[heaviest], seed_weights[heaviest]
        return nums, seed_weights

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the seeds."""
        return request.seed_tier

    def explain(self, request: Request, item_num: int) -> Reason:
        """Names the seed that the item owes most to."""
        seed = self.model.strongest_seed(*self._seeds(request), item_num)
        if seed is None:
            return Reason("matches-your-taste")
        item_ids = (self.items.id(seed),)
        if request.use_context:
            code = "often-bought-with" if self.config.over == "baskets" else "similar-to"
        else:
            mine = request.rows.item_nums == seed
            bought = bool((BOUGHT[request.rows.event_types[mine]] > 0).any())
            code = "because-you-bought" if bought else "because-you-viewed"
        return Reason(code, item_ids)


@dataclass(frozen=True, slots=True, eq=False)
class RepurchaseSource:
    """What the customer bought before, most and latest first."""

    name: str
    model: RepurchaseModel

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the items that the customer is most likely to buy again."""
        return flatten(
            best(
                *self.model.scores(request.rows, request.scale, request.query.query_time),
                request.allowed,
                limit,
            )
            for request in requests
        )

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the history."""
        return request.history_tier

    def explain(self, request: Request, item_num: int) -> Reason:
        """Counts the days on which the customer bought the item."""
        mine = (request.rows.item_nums == item_num) & (BOUGHT[request.rows.event_types] > 0)
        return Reason("bought-before", count=int(request.rows.days[mine].sum()))
