"""Sources that look at the order of a history: what comes next."""

from dataclasses import dataclass

import numpy as np

from recsys.data.vocabulary import Vocabulary
from recsys.models.known_items import places_of
from recsys.models.markov import MarkovModel
from recsys.models.sequence import SequenceModel
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import ListedScores
from recsys.types import FloatArray, ItemId, NumArray, Tier

MOST = 80.0
"""Largest exponent of a score: e^80 is still a float32."""


@dataclass(frozen=True, slots=True, eq=False)
class NextItemSource:
    """Adds up what is chosen after each of the latest items."""

    name: str
    model: MarkovModel
    items: Vocabulary[ItemId]

    def scores(self, request: Request) -> ListedScores:
        """Returns the sums over the latest items."""
        return ListedScores(*self.model.scores(*self._seeds(request)), request.allowed)

    def _seeds(self, request: Request) -> tuple[NumArray, FloatArray]:
        """Returns the latest items with their weights; the items of a page count alike."""
        if request.use_context:
            return request.context_nums, np.ones(len(request.context_nums), dtype=np.float32)
        return self.model.config.history(request.rows)

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the seeds."""
        return request.seed_tier

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Names for each item the earlier one that it owes most to."""
        seeds, weights = self._seeds(request)
        found = self.model.strongest_seeds(seeds, weights, item_nums).tolist()
        return [Reason("chosen-after", (self.items.id(seed),)) for seed in found]


@dataclass(frozen=True, slots=True, eq=False)
class SequenceSource:
    """Reads the latest items in their order and scores what a network expects next."""

    name: str
    model: SequenceModel
    items: Vocabulary[ItemId]

    def scores(self, request: Request) -> ListedScores:
        """Returns exp(product / temperature) of all items that have a vector."""
        model = self.model
        vector = model.vector(self._history(request))
        if vector is None:
            return ListedScores(model.item_nums[:0], model.vectors[:0, 0], request.allowed)
        products = model.vectors @ vector / np.float32(model.config.temperature)
        chances = np.exp(np.clip(products, -MOST, MOST))
        return ListedScores(model.item_nums, chances, request.allowed)

    def _history(self, request: Request) -> NumArray:
        """Returns the items to read, the newest last; the items of a page stand by number."""
        return request.context_nums if request.use_context else self.model.history(request.rows)

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the seeds."""
        return request.seed_tier

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Names the latest item that was read: what is next depends on it most."""
        history = self._history(request)
        _, known = places_of(self.model.item_nums, history)
        latest = self.items.id(int(history[known][-1]))
        return [Reason("chosen-after", (latest,))] * len(item_nums)
