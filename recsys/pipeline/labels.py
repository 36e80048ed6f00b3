"""Answers with labels of the catalogue: whose items a list would be full of."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from recsys.data.item_labels import ItemLabels
from recsys.live.placement_settings import LabelsOf
from recsys.pipeline.answers import LabelRecommendations, RecommendedLabel
from recsys.pipeline.placements import PlacementConfig, placement_that
from recsys.pipeline.query import Query, Reason
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.request import Request
from recsys.pipeline.source import CandidateSource, said_by
from recsys.types import FloatArray, NumArray, Tier


def recommend_labels(
    recommender: Recommender, queries: Sequence[Query]
) -> list[LabelRecommendations]:
    """Answers queries for placements that answer with labels, in their order.

    A label's score is the sum of the scores of its items among the blend's candidates. Labels of
    what fill sources give follow, so that a list is as long as its query's limit unless fewer
    labels have an item that may be shown.

    Raises:
        UnknownPlacementError: a query names a placement that is not configured.
        InvalidQueryError: it answers with something else, or a field is out of range.
        InvalidFilterError: a filter cannot be compiled.
    """
    return [_answer(recommender, query) for query in queries]


def _answer(recommender: Recommender, query: Query) -> LabelRecommendations:
    config = placement_that(recommender.placement_configs, query.placement, "labels")
    if config.labels is None:
        raise AssertionError("what answers with labels names them")
    request, _, ranked = recommender.first_stage(query)
    labels = _labels_of(recommender, config.labels)
    told = _Told(recommender, request, labels, query.limit)
    main = np.argmax(ranked.parts, axis=1) if len(ranked.parts) else np.zeros(0, np.intp)
    used = [recommender.sources[use.name] for use in config.sources]
    told.add(ranked.item_nums, ranked.scores, [used[column] for column in main.tolist()])
    for asked, source in _fill(recommender, request, config):
        if told.full:
            break
        nums, _ = said_by(source, asked).best(len(asked.allowed))
        told.add(nums, np.zeros(len(nums), np.float32), [source] * len(nums))
    return LabelRecommendations(
        placement=query.placement,
        column=config.labels.column,
        labels=tuple(told.labels),
        tier=min(told.tiers, default=Tier.POPULAR),
        bundle_version=recommender.bundle_version,
        trained_until=recommender.trained_until,
    )


def _labels_of(recommender: Recommender, wanted: LabelsOf) -> ItemLabels:
    return recommender.catalogue.labels(wanted.column, wanted.depth)


def _fill(
    recommender: Recommender, request: Request, config: PlacementConfig
) -> Iterator[tuple[Request, CandidateSource]]:
    """Yields the fill sources in their order, each with what it is asked."""
    wider = [] if request.wider is None else [request.wider]
    for asked in (request, *wider):
        for name in config.fill:
            yield asked, recommender.sources[name]


class _Told:
    """The labels of one answer so far."""

    def __init__(
        self, recommender: Recommender, request: Request, labels: ItemLabels, limit: int
    ) -> None:
        self._recommender = recommender
        self._request = request
        self._of = labels
        self._limit = limit
        self._listed: set[int] = set()
        self.labels: list[RecommendedLabel] = []
        self.tiers: list[Tier] = []

    @property
    def full(self) -> bool:
        """Whether there is no place left, or no label."""
        return len(self.labels) >= min(self._limit, len(self._of.labels))

    def add(
        self, item_nums: NumArray, scores: FloatArray, sources: Sequence[CandidateSource]
    ) -> None:
        """Adds the labels of items that are not listed yet, the largest sums first.

        Args:
            item_nums: best first, shape (items,).
            scores: at least 0, shape (items,); where sums are alike the best item decides.
            sources: who gave each item.
        """
        numbers = self._of.label_nums[item_nums]
        places = np.flatnonzero(numbers >= 0)
        distinct, firsts, owners = np.unique(
            numbers[places], return_index=True, return_inverse=True
        )
        sums = np.bincount(owners, weights=scores[places], minlength=len(distinct))
        for each in np.lexsort((firsts, -sums)).tolist():
            if len(self.labels) >= self._limit:
                return
            number, best = int(distinct[each]), int(places[firsts[each]])
            if number not in self._listed:
                self._listed.add(number)
                self._add(number, float(sums[each]), int(item_nums[best]), sources[best])

    def _add(self, number: int, score: float, item_num: int, source: CandidateSource) -> None:
        label, rank = self._of.labels[number], len(self.labels) + 1
        reason = self._reason(item_num, source)
        self.labels.append(RecommendedLabel(label, score, rank, reason))
        self.tiers.append(source.tier(self._request))

    def _reason(self, item_num: int, source: CandidateSource) -> Reason:
        """Returns why the label's best item is there; it names the item if it names none."""
        [reason] = source.explain(self._request, np.array([item_num], dtype=np.int32))
        own = (self._recommender.catalogue.items.id(item_num),)
        return reason if reason.item_ids else replace(reason, item_ids=own)
