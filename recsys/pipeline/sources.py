"""The sources that personalise: taste vectors, neighbours, repurchase."""

from dataclasses import dataclass

import numpy as np

from recsys.data.state import type_weight_array
from recsys.data.vocabulary import Vocabulary
from recsys.index.protocol import VectorIndex
from recsys.models.als import AlsModel
from recsys.models.content import Content
from recsys.models.customer_neighbours import CustomerNeighbours
from recsys.models.item_item import ItemItem
from recsys.models.linear import LinearConfig, LinearModel
from recsys.models.repurchase import RepurchaseModel
from recsys.models.sparse_rows import SparseRows
from recsys.models.taste_sums import AdditiveModel
from recsys.models.vectors import VectorModel
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import ListedScores, VectorScores
from recsys.pipeline.source import HistoryParts
from recsys.pipeline.worth import Worth, plain
from recsys.types import EventType, FloatArray, ItemId, NumArray, Tier


@dataclass(frozen=True, slots=True, eq=False)
class VectorSource:
    """Folds the seeds into a taste vector and searches the index for the closest items."""

    name: str
    model: VectorModel
    index: VectorIndex

    def scores(self, request: Request) -> VectorScores:
        """Returns inner products with the vector of the seeds."""
        model = self.model
        vector = model.fold_in(*self._seeds(request))
        return VectorScores(vector, self.index, model.item_nums, model.vectors, request.allowed)

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the seeds."""
        return request.seed_tier

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that customers with this taste choose the items."""
        return [Reason("matches-your-taste")] * len(item_nums)

    def history_parts(self, request: Request, item_nums: NumArray) -> HistoryParts | None:
        """Returns what the seeds add, where the model's vectors come from least squares."""
        if not isinstance(self.model, AdditiveModel):
            return None
        return HistoryParts(*self.model.contributions(*self._seeds(request), item_nums))

    def worth_of(self, item_num: int) -> Worth | None:
        """Returns what speaks for an item, where the vectors are those of `Als`."""
        if not isinstance(self.model, AlsModel):
            return None
        model, config = self.model, self.model.config
        added = model.towards(item_num)
        if added is None:
            return None
        towards = np.zeros(int(model.item_nums[-1]) + 1, dtype=np.float32)
        towards[model.item_nums] = added
        return Worth(towards, config.event_weights, config.half_life_days, config.confidence_of)

    def _seeds(self, request: Request) -> tuple[NumArray, FloatArray]:
        config = self.model.config
        return request.seeds(type_weight_array(config.event_weights), config.half_life_days)


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourSource:
    """Adds up what every seed says of other items."""

    name: str
    config: LinearConfig | Content | CustomerNeighbours
    model: LinearModel
    items: Vocabulary[ItemId]

    def scores(self, request: Request) -> ListedScores:
        """Returns the sums over the seeds."""
        return ListedScores(*self.model.scores(*self._seeds(request)), request.allowed)

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

    def worth_of(self, item_num: int) -> Worth | None:
        """Returns what speaks for an item, where the model is rows of weights between items."""
        if not isinstance(self.model, SparseRows):
            return None
        config = self.config
        towards = np.maximum(self.model.towards(item_num), 0)
        return Worth(towards, config.event_weights, config.half_life_days, self._entries)

    def _entries(self, weights: FloatArray) -> FloatArray:
        return self.config.counts(weights) if isinstance(self.config, LinearConfig) else weights

    def _code(self, request: Request, seed: int, bought: NumArray) -> str:
        if request.use_context and request.anchor is None:
            if not (isinstance(self.config, ItemItem) and self.config.over == "baskets"):
                return "similar-to"
            of_purchases = EventType.PURCHASE in self.config.event_weights
            return "often-bought-with" if of_purchases else "often-viewed-with"
        return "because-you-bought" if seed in bought else "because-you-viewed"


@dataclass(frozen=True, slots=True, eq=False)
class RepurchaseSource:
    """What the customer bought before, most and latest first."""

    name: str
    model: RepurchaseModel

    def scores(self, request: Request) -> ListedScores:
        """Returns how likely the customer is to buy each of the own items again."""
        nums, values = self.model.scores(request.rows, request.scale, request.query.query_time)
        return ListedScores(nums, values, request.allowed)

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

    def worth_of(self, item_num: int) -> Worth:
        """Says that purchases of an item speak for it."""
        config = self.model.config
        own = np.zeros(len(self.model.ties), dtype=np.float32)
        own[item_num] = 1.0
        return Worth(own, config.event_weights, config.half_life_days, plain)
