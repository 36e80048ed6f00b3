"""Sources that know the bundle's items alone, in a catalogue that has more."""

from dataclasses import dataclass, replace

import numpy as np

from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import Scored, Scores
from recsys.pipeline.source import Adding, CandidateSource, HistoryParts
from recsys.pipeline.worth import Backward, Worth
from recsys.types import BoolArray, FloatArray, NumArray, Tier


@dataclass(frozen=True, slots=True, eq=False)
class LearnedScores:
    """What a source says of the bundle's items, and 0 of all that came later."""

    scores: Scores
    first: int

    def best(self, limit: int) -> Scored:
        """Returns the source's best."""
        return self.scores.best(limit)

    def of(self, item_nums: NumArray) -> FloatArray:
        """Returns the source's scores, 0 for new items."""
        known: BoolArray = item_nums < self.first
        if known.all():
            return self.scores.of(item_nums)
        found = np.zeros(len(item_nums), dtype=np.float32)
        found[known] = self.scores.of(item_nums[known])
        return found

    def allowing(self, allowed: BoolArray) -> "LearnedScores":
        """Returns the same scores under another mask over all items."""
        return replace(self, scores=self.scores.allowing(allowed[: self.first]))


@dataclass(frozen=True, slots=True, eq=False)
class LearnedSource:
    """A source whose arrays go by the bundle's items; it never meets another number."""

    source: CandidateSource
    first: int

    @property
    def name(self) -> str:
        """Returns the source's name."""
        return self.source.name

    def scores(self, request: Request) -> LearnedScores:
        """Returns what the source says, with stand-ins for new items of the request."""
        return LearnedScores(self.source.scores(_learned(request)), self.first)

    def tier(self, request: Request) -> Tier:
        """Returns the source's tier."""
        return self.source.tier(_learned(request))

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Returns the source's reasons; they name the new item, not who stood in for it."""
        learned = _learned(request)
        reasons = self.source.explain(learned, item_nums)
        if not learned.stands_for:
            return reasons
        return [
            replace(reason, item_ids=tuple(learned.stands_for.get(i, i) for i in reason.item_ids))
            for reason in reasons
        ]

    def worth_of(self, item_num: int) -> Worth | None:
        """Returns what speaks for an item of the bundle."""
        return self.source.worth_of(item_num) if isinstance(self.source, Backward) else None

    def history_parts(self, request: Request, item_nums: NumArray) -> HistoryParts | None:
        """Returns the source's parts, with stand-ins among the seeds; 0 for new items."""
        if not isinstance(self.source, Adding):
            return None
        known = np.flatnonzero(item_nums < self.first)
        found = self.source.history_parts(_learned(request), item_nums[known])
        if found is None or len(known) == len(item_nums):
            return found
        parts = np.zeros((len(item_nums), len(found.seeds)))
        parts[known] = found.parts
        return HistoryParts(found.seeds, parts)


def can_be_asked_backwards(source: CandidateSource) -> bool:
    """Says whether a source can tell who speaks for an item."""
    return isinstance(source.source if isinstance(source, LearnedSource) else source, Backward)


def _learned(request: Request) -> Request:
    return request if request.learned is None else request.learned
