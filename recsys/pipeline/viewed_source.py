"""What the customer looked at lately, as the log and the query have it."""

from dataclasses import dataclass

import numpy as np

from recsys.data.state import type_weight_array
from recsys.models.latest import latest_first
from recsys.models.viewed import ViewedModel
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import ListedScores
from recsys.types import NumArray, Tier


@dataclass(frozen=True, slots=True, eq=False)
class ViewedSource:
    """The customer's own views, the latest first."""

    name: str
    model: ViewedModel

    def scores(self, request: Request) -> ListedScores:
        """Returns 1 / place of each item that was looked at, the latest in the first place."""
        config = self.model.config
        weights = type_weight_array(config.event_weights)
        nums, _, _ = latest_first(request.rows, weights, config.history_limit)
        places = np.arange(1, len(nums) + 1)
        order = np.argsort(nums)
        return ListedScores(nums[order], (1 / places)[order].astype(np.float32), request.allowed)

    def tier(self, request: Request) -> Tier:
        """Returns the tier of the history."""
        return request.history_tier

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Says when each item was last looked at."""
        weights = type_weight_array(self.model.config.event_weights)
        counted = weights[request.rows.event_types] > 0
        nums, times = request.rows.item_nums[counted], request.rows.last_times[counted]
        last = [int(times[nums == num].max()) for num in item_nums.tolist()]
        return [Reason("viewed-before", date=time) for time in last]
