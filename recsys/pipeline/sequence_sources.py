"""Sources that look at the order of a history: what comes next."""

from dataclasses import dataclass

import numpy as np

from recsys.data.vocabulary import Vocabulary
from recsys.models.markov import MarkovModel
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.source import ListedScores
from recsys.types import FloatArray, ItemId, NumArray, Tier


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
