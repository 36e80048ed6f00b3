"""Says of the items of a finished list how their scores came about.

The list's request is made again, so that a list that nobody wants explained costs nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.pipeline.blend import Pool
from recsys.pipeline.explanation import Contribution, Explanation, HistoryContribution
from recsys.pipeline.given import for_ranker
from recsys.pipeline.new_items import NEW_ITEMS
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.query import Ranked, Reason, Recommendations, RecommendedItem
from recsys.pipeline.ranker import Ranker, ranker_rows
from recsys.pipeline.request import Request
from recsys.pipeline.source import Adding, CandidateSource, said_by
from recsys.types import FloatArray, ItemId, NumArray

TASTE = "matches-your-taste"
"""Reason that says more with an explanation: what of the history speaks for the item."""
NAMED = 3
"""Items of the history that such a reason names at most."""


class Stages(Protocol):
    """The parts of a recommender that a list's scores come from."""

    @property
    def catalogue(self) -> Catalogue:
        """Returns the items that lists are made of."""
        ...

    @property
    def sources(self) -> Mapping[str, CandidateSource]:
        """Returns the sources by name."""
        ...

    @property
    def placement_configs(self) -> Mapping[str, PlacementConfig]:
        """Returns the placements by name."""
        ...

    @property
    def rankers(self) -> Mapping[str, Ranker]:
        """Returns the rankers by placement."""
        ...

    @property
    def item_table(self) -> FloatArray:
        """Returns what rankers know of items."""
        ...

    def first_stage_of(self, resolved: Request) -> tuple[Request, Pool, Ranked]:
        """Returns a query's request, its candidates, and them by the blend, best first."""
        ...


class _Trees(NamedTuple):
    """What a ranker says of its items, one row each."""

    names: Sequence[str]
    item_nums: NumArray
    inputs: NDArray[np.floating]
    parts: NDArray[np.float64]
    bases: NDArray[np.float64]
    scores: NDArray[np.float64]


class _Taste(NamedTuple):
    """What the history says of a list's items, one row each."""

    ids: Sequence[ItemId]
    parts: NDArray[np.float64]
    scores: NDArray[np.floating]


def explained(recommender: Stages, resolved: Request, told: Recommendations) -> Recommendations:
    """Returns a list with the explanation of each item.

    Args:
        recommender: that made the list.
        resolved: the query that it made the list for.
        told: the list.
    """
    if not told.items:
        return told
    request, candidates, ranked = recommender.first_stage_of(resolved)
    config = recommender.placement_configs[resolved.query.placement]
    nums = np.array([item.item_num for item in told.items], dtype=np.int32)
    trees = None
    ranker = recommender.rankers.get(resolved.query.placement)
    if ranker is not None and len(ranked.item_nums):
        asked = for_ranker(request, candidates)
        best, rows = ranker_rows(ranker.config, asked, ranked, candidates, recommender.item_table)
        kept = np.flatnonzero(np.isin(best.item_nums, nums))
        inputs, seen = rows[kept], best.item_nums[kept]
        parts, bases = ranker.contributions(inputs)
        raw = ranker.raw_scores(inputs) if len(inputs) else bases
        trees = _Trees(ranker.names, seen, inputs, parts, bases, raw)
    taste = _taste(recommender, request, config, nums)
    names = [use.name for use in config.sources]
    items = tuple(
        _with_explanation(item, place, _blend_of(item, names, ranked), trees, taste)
        for place, item in enumerate(told.items)
    )
    return replace(told, items=items)


def _with_explanation(
    item: RecommendedItem,
    place: int,
    blend: Explanation,
    trees: _Trees | None,
    taste: _Taste | None,
) -> RecommendedItem:
    told = blend if trees is None else _with_trees(blend, item, trees)
    if taste is None:
        return replace(item, explanation=told)
    parts = taste.parts[place]
    history = tuple(
        HistoryContribution(taste.ids[at], float(parts[at])) for at in _largest_first(parts)
    )
    told = replace(told, history=history, taste_score=float(taste.scores[place]))
    return replace(item, explanation=told, reason=_named(item.reason, history))


def _blend_of(item: RecommendedItem, names: Sequence[str], ranked: Ranked) -> Explanation:
    """Returns the sum of the sources, which an item that they did not give has none of."""
    if item.source == NEW_ITEMS:
        own = [Contribution(NEW_ITEMS, item.score)] if item.score else []
        return Explanation(sources=tuple(own), blend_score=item.score)
    rows = np.flatnonzero(ranked.item_nums == item.item_num)
    if len(rows) == 0:
        return Explanation()
    parts = ranked.parts[rows[0]].astype(np.float64)
    sources = tuple(Contribution(names[at], float(parts[at])) for at in _largest_first(parts))
    return Explanation(sources=sources, blend_score=float(ranked.scores[rows[0]]))


def _with_trees(told: Explanation, item: RecommendedItem, trees: _Trees) -> Explanation:
    rows = np.flatnonzero(trees.item_nums == item.item_num)
    if len(rows) == 0:
        return told
    row = rows[0]
    parts, inputs = trees.parts[row], trees.inputs[row]
    features = tuple(
        Contribution(trees.names[at], float(parts[at]), _given(float(inputs[at])))
        for at in _largest_first(parts)
    )
    base, score = float(trees.bases[row]), float(trees.scores[row])
    return replace(told, features=features, ranker_base=base, ranker_score=score)


def _taste(
    recommender: Stages, request: Request, config: PlacementConfig, nums: NumArray
) -> _Taste | None:
    """Returns what the placement's heaviest source of taste vectors says."""
    for use in sorted(config.sources, key=lambda use: -use.weight):
        source = recommender.sources[use.name]
        found = source.history_parts(request, nums) if isinstance(source, Adding) else None
        if found is not None:
            scores = said_by(source, request).of(nums)
            learned = request.learned or request
            ids = [
                learned.stands_for.get(item_id, item_id)
                for item_id in recommender.catalogue.items.ids(found.seeds)
            ]
            return _Taste(*_summed(ids, found.parts), scores)
    return None


def _summed(
    ids: Sequence[ItemId], parts: NDArray[np.float64]
) -> tuple[Sequence[ItemId], NDArray[np.float64]]:
    """Returns one column for each id: several items may stand in for the same one."""
    distinct = list(dict.fromkeys(ids))
    if len(distinct) == len(ids):
        return ids, parts
    places = {item_id: place for place, item_id in enumerate(distinct)}
    sums = np.zeros((len(parts), len(distinct)))
    for column, item_id in enumerate(ids):
        sums[:, places[item_id]] += parts[:, column]
    return distinct, sums


def _named(reason: Reason, history: Sequence[HistoryContribution]) -> Reason:
    if reason.code != TASTE:
        return reason
    return replace(
        reason, item_ids=tuple(part.item_id for part in history[:NAMED] if part.value > 0)
    )


def _largest_first(parts: NDArray[np.float64]) -> Iterator[int]:
    """Yields the places of what is not 0, the largest first."""
    return (at for at in np.argsort(-parts, kind="stable").tolist() if parts[at])


def _given(value: float) -> float | None:
    return None if np.isnan(value) else value
