"""The sources that personalise: taste vectors, neighbours, repurchase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.state import type_weight_array
from recsys.data.vocabulary import Vocabulary
from recsys.index.protocol import VectorIndex
from recsys.models.als import AlsModel
from recsys.models.item_item import ItemItem
from recsys.models.linear import LinearConfig, LinearModel
from recsys.models.repurchase import RepurchaseModel
from recsys.pipeline.query import Candidates, Reason
from recsys.pipeline.request import Request
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

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that customers with this taste choose the items."""
        return [Reason("matches-your-taste")] * len(item_nums)


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourSource:
    """Adds up what every seed says of other items."""

    name: str
    config: ItemItem | LinearConfig
    model: LinearModel
    items: Vocabulary[ItemId]

    def retrieve(self, requests: Sequence[Request], limit: int) -> Candidates:
        """Returns the items with the largest sums over the seeds."""
        return flatten(
            best(*self.model.scores(*self._seeds(request)), request.allowed, limit)
            for request in requests
        )

    def _seeds(self, request: Request) -> tuple[NumArray, FloatArray]:
        weights = type_weight_array(self.config.event_weights)
        return self.config.history(*request.seeds(weights, self.config.half_life_days))

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the seeds."""
        return request.seed_tier

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Names for each item the seed that it owes most to."""
        bought = request.bought()
        return [
            Reason(self._code(request, seed, bought), (self.items.id(seed),))
            for seed in self.model.strongest_seeds(*self._seeds(request), item_nums).tolist()
        ]

    def _code(self, request: Request, seed: int, bought: NumArray) -> str:
        if request.use_context:
            over_baskets = isinstance(self.config, ItemItem) and self.config.over == "baskets"
            return "often-bought-with" if over_baskets else "similar-to"
        return "because-you-bought" if seed in bought else "because-you-viewed"


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

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Counts the days on which the customer bought each item."""
        weights = type_weight_array(self.model.config.event_weights)
        counted = weights[request.rows.event_types] > 0
        nums, days = request.rows.item_nums[counted], request.rows.days[counted]
        found = days[np.searchsorted(nums, item_nums)].tolist()
        return [Reason("bought-before", count=int(count)) for count in found]
