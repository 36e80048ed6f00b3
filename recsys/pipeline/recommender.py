"""The one path: every list that is served, mailed or evaluated is made here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.errors import UnknownPlacementError
from recsys.live.deployment import Exploration
from recsys.pipeline.blend import Pool, blend, boost_factors, pool
from recsys.pipeline.exploration import EXPLORED, Drawn, draw
from recsys.pipeline.new_items import NewItems
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.query import Query, Ranked, Reason, Recommendations, RecommendedItem
from recsys.pipeline.ranker import Ranker, rerank
from recsys.pipeline.request import Request
from recsys.pipeline.resolve import Resolver
from recsys.pipeline.source import CandidateSource, Explaining
from recsys.types import FloatArray, LogPosition, NumArray, Tier

FEWEST_ANCHORS = 50
"""Ranked items below which new ones are judged by what would be ranked without a filter."""


@dataclass(frozen=True, slots=True, eq=False)
class Recommender:
    """Answers queries from one bundle; immutable, and safe to share between threads.

    Lists are equal item for item whether queries come one by one or in batches of any size.
    """

    bundle_version: str
    trained_until: int
    """Unix seconds, UTC: the bundle knows no event at or after this."""
    resolver: Resolver
    sources: Mapping[str, CandidateSource]
    placement_configs: Mapping[str, PlacementConfig]
    rankers: Mapping[str, Ranker]
    """By placement; one without a ranker keeps the blend's order."""
    item_table: FloatArray
    """Shape (items, features): what rankers know of items; no rows where there is no ranker."""
    log_position: LogPosition | None = None
    """How far the event log was read for the bundle; None: it was fitted on files alone."""
    new_items: NewItems | None = None
    """Items after the bundle's; None: there are none."""
    laid_over: "Recommender | None" = None
    """As the bundle was loaded, where its catalogue has changed since; None: it has not."""

    @property
    def placements(self) -> tuple[str, ...]:
        """Returns the names of the placements, in the configuration's order."""
        return tuple(self.placement_configs)

    @property
    def catalogue(self) -> Catalogue:
        """Returns the items that lists are made of."""
        return self.resolver.catalogue

    def recommend(self, queries: Sequence[Query]) -> list[Recommendations]:
        """Answers queries in their order; they may mix placements.

        A list is as long as its query's limit unless fewer items are allowed.

        Raises:
            UnknownPlacementError: a query names a placement that is not configured.
            InvalidQueryError: a field is out of range.
            InvalidFilterError: a filter cannot be compiled.
        """
        for query in queries:
            if query.placement not in self.placement_configs:
                raise UnknownPlacementError(query.placement, self.placements)
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Recommendations:
        config = self.placement_configs[query.placement]
        request, candidates, ranked = self.first_stage(query)
        ranker = self.rankers.get(query.placement)
        if ranker is not None:
            ranked = rerank(ranker, request, ranked, candidates, self.item_table)
        anchors = None
        if self.new_items is not None and not config.only_bought:
            anchors = self._anchors(request, ranked, config)
            ranked = self.new_items.placed(request, ranked, anchors)
        told = self._fill(request, self._chosen(request, ranked, config), config, anchors)
        if query.exploration is not None and told.items:
            return self._explored(request, ranked, told, query.exploration)
        return told

    def first_stage(self, query: Query) -> tuple[Request, Pool, Ranked]:
        """Returns the request of a query, its candidates, and them by the blend, best first."""
        config = self.placement_configs[query.placement]
        request = self.resolver.resolve(query, config)
        return request, *self._blended(request, config)

    def _blended(self, request: Request, config: PlacementConfig) -> tuple[Pool, Ranked]:
        candidates = self.candidates(request, config)
        factors = None
        if config.boost is not None:
            source = self.sources[config.boost.name].scores(request)
            factors = boost_factors(source, candidates.item_nums, config.boost.power)
        weights = [use.weight for use in config.sources]
        return candidates, blend(candidates, weights, factors)

    def candidates(self, request: Request, config: PlacementConfig) -> Pool:
        """Returns the items that any source of a placement gives, scored by all of them."""
        answers = [self.sources[use.name].scores(request) for use in config.sources]
        return pool(answers, max(config.candidates, request.query.limit))

    def _anchors(self, request: Request, ranked: Ranked, config: PlacementConfig) -> Ranked:
        """Returns what new items are judged by: the ranked, or all where a filter left few."""
        if len(ranked.item_nums) >= FEWEST_ANCHORS:
            return ranked
        _, found = self._blended(request.unrestricted(), config)
        if not (len(ranked.scores) and len(found.scores)):
            return found
        return replace(found, scores=found.scores * (ranked.scores[0] / found.scores[0]))

    def _used(self, config: PlacementConfig) -> list[Explaining]:
        """Returns what the columns of a ranked item's parts stand for."""
        used: list[Explaining] = [self.sources[use.name] for use in config.sources]
        return used if self.new_items is None else [*used, self.new_items]

    def _chosen(
        self, request: Request, ranked: Ranked, config: PlacementConfig
    ) -> list[RecommendedItem]:
        """Returns the best items, one of each product, as far as the blend reaches."""
        used = self._used(config)
        _, firsts = np.unique(self.catalogue.group_nums[ranked.item_nums], return_index=True)
        rows = np.sort(firsts)[: request.query.limit]
        main = np.argmax(ranked.parts[rows], axis=1)
        items: list[RecommendedItem | None] = [None] * len(rows)
        for column in np.unique(main).tolist():
            places = np.flatnonzero(main == column)
            nums, scores = ranked.item_nums[rows[places]], ranked.scores[rows[places]]
            listed = self._items(request, used[column], nums, scores, places + 1)
            for place, item in zip(places.tolist(), listed, strict=True):
                items[place] = item
        return [item for item in items if item is not None]

    def _fill(
        self,
        request: Request,
        items: list[RecommendedItem],
        config: PlacementConfig,
        anchors: Ranked | None,
    ) -> Recommendations:
        """Asks the fill sources in order until the list is full, then takes any new item."""
        for name in config.fill:
            if len(items) >= request.query.limit:
                break
            source, wanted = self.sources[name], request.query.limit
            found = source.scores(request)
            while len(items) < request.query.limit:
                wanted *= 2
                nums, _ = found.best(wanted)
                fresh = self._unlisted(nums, items)[: request.query.limit - len(items)]
                ranks = np.arange(len(fresh)) + len(items) + 1
                items += self._items(request, source, fresh, np.zeros(len(fresh)), ranks)
                if len(nums) < wanted:
                    break
        if self.new_items is not None and anchors is not None:
            left = request.query.limit - len(items)
            if left > 0:
                fresh = self._unlisted(self.new_items.rest(request, anchors), items)[:left]
                ranks = np.arange(len(fresh)) + len(items) + 1
                items += self._items(request, self.new_items, fresh, np.zeros(len(fresh)), ranks)
        return Recommendations(
            placement=request.query.placement,
            items=tuple(items),
            tier=self._tier(request, items),
            bundle_version=self.bundle_version,
            trained_until=self.trained_until,
            missing_item_ids=self.resolver.missing(request.query),
        )

    def _explored(
        self, request: Request, ranked: Ranked, told: Recommendations, settings: Exploration
    ) -> Recommendations:
        """Draws one place, after which nothing moves: its probability stays what it was."""
        kept = told.items[:-1]
        drawn = draw(
            settings,
            request,
            ranked,
            self.catalogue,
            unlisted=lambda nums: self._unlisted(nums, kept),
        )
        if drawn is None:
            return told
        place = max(0, len(kept) + 1 - settings.place_from_end)
        item = self._drawn(request, ranked, drawn, place + 1)
        later = [replace(each, rank=each.rank + 1) for each in kept[place:]]
        items = (*kept[:place], item, *later)
        return replace(told, items=items, tier=self._tier(request, items))

    def _drawn(self, request: Request, ranked: Ranked, drawn: Drawn, rank: int) -> RecommendedItem:
        """Returns the explored place, explained by the source that gave most to its item."""
        if drawn.row is None:
            item_id = self.catalogue.items.id(drawn.item_num)
            reason = Reason("new-in-catalogue")
            item = RecommendedItem(item_id, drawn.item_num, 0.0, rank, EXPLORED, reason)
        else:
            config = self.placement_configs[request.query.placement]
            source = self._used(config)[int(np.argmax(ranked.parts[drawn.row]))]
            nums = ranked.item_nums[drawn.row : drawn.row + 1]
            [item] = self._items(request, source, nums, np.array([drawn.score]), np.array([rank]))
        return replace(item, propensity=drawn.propensity)

    def _unlisted(self, nums: NumArray, items: Sequence[RecommendedItem]) -> NumArray:
        """Returns one item of each product that the list does not show yet, in order."""
        groups = self.catalogue.group_nums
        _, firsts = np.unique(groups[nums], return_index=True)
        nums = nums[np.sort(firsts)]
        shown = groups[[item.item_num for item in items]] if items else groups[:0]
        return nums[~np.isin(groups[nums], shown)]

    def _tier(self, request: Request, items: Sequence[RecommendedItem]) -> Tier:
        given = {item.source for item in items if item.source in self.sources}
        if items and not given and (request.use_context or len(request.rows.item_nums)):
            # New items alone: they stand where the placement's sources would have them.
            config = self.placement_configs[request.query.placement]
            given = {use.name for use in config.sources}
        return min((self.sources[name].tier(request) for name in given), default=Tier.POPULAR)

    def _items(
        self,
        request: Request,
        source: Explaining,
        nums: NumArray,
        scores: NDArray[np.floating],
        ranks: NDArray[np.intp],
    ) -> list[RecommendedItem]:
        """Returns the places of a list that one source answers for."""
        reasons = source.explain(request, nums) if len(nums) else []
        columns = zip(nums.tolist(), scores.tolist(), ranks.tolist(), reasons, strict=True)
        return [
            RecommendedItem(self.catalogue.items.id(num), num, score, rank, source.name, reason)
            for num, score, rank, reason in columns
        ]
