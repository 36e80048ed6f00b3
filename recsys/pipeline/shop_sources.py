"""Sources that look at the shop itself: what is new in it, and what rises."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.models.arrivals import ArrivalsModel
from recsys.models.popularity import PopularityModel
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import ListedScores
from recsys.types import DAY_S, UNKNOWN, NumArray, Tier, TimeArray

AS_EVER = np.float32(1.0)
"""Lift of an item that is chosen as often as its own past lets one expect."""


@dataclass(frozen=True, slots=True, eq=False)
class NewSource:
    """What came lately, the newest first."""

    name: str
    model: ArrivalsModel
    arrival_times: TimeArray
    """Shape (items,): when each came, `UNKNOWN` where nobody knows."""

    @classmethod
    def of(cls, name: str, model: ArrivalsModel, catalogue: Catalogue) -> Self:
        """Returns the source over the bundle's items: what the catalogue says, else the log."""
        said = catalogue.created_times
        return cls(name, model, np.where(said == UNKNOWN, model.first_times, said))

    def over(self, catalogue: Catalogue, end_time: int) -> Self:
        """Returns the source over a catalogue that has changed and may have more items.

        Args:
            catalogue: of now; its first items are the bundle's.
            end_time: Unix seconds: what the bundle does not have has come since then.
        """
        more = np.full(len(catalogue) - len(self.model.first_times), end_time, dtype=np.int64)
        said, log = catalogue.created_times, np.concatenate([self.model.first_times, more])
        return replace(self, arrival_times=np.where(said == UNKNOWN, log, said))

    def scores(self, request: Request) -> ListedScores:
        """Returns how new each item is that is new at all: 1 now, half after each half-life."""
        config, now = self.model.config, request.query.query_time
        since = now - int(config.days * DAY_S)
        nums = np.flatnonzero(self.arrival_times > max(since, UNKNOWN)).astype(np.int32)
        ages = np.maximum(now - self.arrival_times[nums], 0) / DAY_S
        newness = np.exp2(-ages / config.newness_half_life_days).astype(np.float32)
        return ListedScores(nums, newness, request.allowed)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns popular: nobody's own."""
        return Tier.POPULAR

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says since when each item is there."""
        times = self.arrival_times[item_nums].tolist()
        return [Reason("new-in-catalogue", date=time) for time in times]


@dataclass(frozen=True, slots=True, eq=False)
class RisingSource:
    """What more customers choose than its own past lets one expect, and nothing else."""

    name: str
    model: PopularityModel

    def scores(self, request: Request) -> ListedScores:
        """Returns by what factor each rising item rises."""
        order = self.model.order
        # Best first: those that rise are the first ones.
        rising = order[: int(np.searchsorted(-self.model.scores[order], -AS_EVER, side="left"))]
        nums = np.sort(rising)
        return ListedScores(nums, self.model.scores[nums], request.allowed)

    def tier(self, request: Request) -> Tier:  # noqa: ARG002  # the same for everybody
        """Returns popular."""
        return Tier.POPULAR

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the items are on the rise."""
        return [Reason("rising")] * len(item_nums)
