"""The one path: every list that is served, mailed or evaluated is made here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.live.deployment import Exploration
from recsys.live.rules import RuleMove
from recsys.models.replenishment_model import ReplenishmentModel
from recsys.pipeline.anchor import title_of
from recsys.pipeline.blend import Pool, blend, boost_factors, pool
from recsys.pipeline.catalogue_state import AS_FITTED, CatalogueState
from recsys.pipeline.diversity import likenesses
from recsys.pipeline.explain import explained
from recsys.pipeline.exploration import EXPLORED, Drawn, draw
from recsys.pipeline.filling import Chunk, filling
from recsys.pipeline.given import GIVEN, for_ranker, only_given
from recsys.pipeline.narrowing import narrowed
from recsys.pipeline.new_items import NewItems
from recsys.pipeline.placements import PlacementConfig, placement_that
from recsys.pipeline.query import Query, Ranked, Reason, Recommendations, RecommendedItem
from recsys.pipeline.ranker import Ranker, rerank
from recsys.pipeline.replenish import with_forecasts
from recsys.pipeline.request import Request
from recsys.pipeline.resolve import Resolver
from recsys.pipeline.rule_parts import Ruling
from recsys.pipeline.ruled_list import Made, Maker, Pick
from recsys.pipeline.source import CandidateSource, Explaining, said_by
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
    forecasters: Mapping[str, ReplenishmentModel] = field(default_factory=dict)
    """By the names that placements give; of an older bundle there are none."""
    laid_over: "Recommender | None" = None
    """As the bundle was loaded, where its catalogue has changed since; None: it has not."""
    catalogue_state: CatalogueState = AS_FITTED
    """How far the catalogue's changes are laid over the bundle."""

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

        A list is as long as its query's limit unless fewer items are allowed. A query that gives
        the items to order gets every one of them that is allowed, up to its limit.

        Raises:
            UnknownPlacementError: a query names a placement that is not configured.
            InvalidQueryError: a field is out of range, or a placement does not answer with items.
            InvalidFilterError: a filter cannot be compiled.
        """
        for query in queries:
            placement_that(self.placement_configs, query.placement, "items")
        return [self._answer(self._resolved(query)) for query in queries]

    def recommend_within(
        self, query: Query, scopes: Sequence[NumArray | None]
    ) -> list[Recommendations]:
        """Answers one query for each of some sets of items, as if nothing else could be shown.

        Each list is the one that a filter gives which only these items pass. What is known of
        the customer, and what sources say of the items, is found once for all of them.

        Args:
            query: of a placement that answers with items.
            scopes: item numbers of each set; None: all items.

        Raises:
            UnknownPlacementError: the query names a placement that is not configured.
            InvalidQueryError: a field is out of range, or the placement does not answer with
                items.
            InvalidFilterError: a filter cannot be compiled.
        """
        placement_that(self.placement_configs, query.placement, "items")
        resolved = self._resolved(query)
        return [
            self._answer(resolved if nums is None else self.resolver.within(resolved, nums))
            for nums in scopes
        ]

    def _resolved(self, query: Query) -> Request:
        return self.resolver.resolve(query, self.placement_configs[query.placement])

    def _answer(self, resolved: Request) -> Recommendations:
        query = resolved.query
        request, ranked, anchors = self._ordered(*self.first_stage_of(resolved))
        if request.ruling is not None:
            told = self._by_rules(resolved, request, request.ruling, ranked, anchors)
        else:
            items = self._chosen(request, ranked)
            items += self._filled(request, items, anchors)
            told = self._told(request, items)
            if query.exploration is not None and told.items:
                told = self._explored(request, ranked, told, query.exploration)
        return explained(self, resolved, told) if query.explain else told

    def _ordered(
        self, request: Request, candidates: Pool, ranked: Ranked
    ) -> tuple[Request, Ranked, Ranked | None]:
        """Returns the ranked items, new ones among them, and what new ones were judged by."""
        config = self._config(request)
        ranker = self.rankers.get(request.query.placement)
        if ranker is not None:
            asked = for_ranker(request, candidates)
            ranked = rerank(ranker, asked, ranked, candidates, self.item_table)
        anchors = None
        if self.new_items is not None and config.takes_new_items:
            anchors = self._anchors(request, ranked, config)
        request, ranked = only_given(request, ranked)
        if self.new_items is not None and anchors is not None:
            ranked = self.new_items.placed(request, ranked, anchors)
        return request, ranked, anchors

    def first_stage(self, query: Query) -> tuple[Request, Pool, Ranked]:
        """Returns the request of a query, its candidates, and them by the blend, best first."""
        return self.first_stage_of(self._resolved(query))

    def first_stage_of(self, resolved: Request) -> tuple[Request, Pool, Ranked]:
        """Returns the same of a query that is resolved already."""
        config = self._config(resolved)
        request = narrowed(resolved, config, self.sources, self.resolver)
        return request, *self._blended(request, config)

    def _config(self, request: Request) -> PlacementConfig:
        return self.placement_configs[request.query.placement]

    def _blended(self, request: Request, config: PlacementConfig) -> tuple[Pool, Ranked]:
        candidates = self.candidates(request, config)
        factors = None
        if config.boost is not None:
            source = said_by(self.sources[config.boost.name], request)
            factors = boost_factors(source, candidates.item_nums, config.boost.power)
        weights = [use.weight for use in config.sources]
        return candidates, blend(candidates, weights, factors)

    def candidates(self, request: Request, config: PlacementConfig) -> Pool:
        """Returns the items that any source of a placement gives, scored by all of them."""
        answers = [said_by(self.sources[use.name], request) for use in config.sources]
        most = max(config.candidates, request.query.limit)
        return pool(answers, most, also=request.given_nums)

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

    def _chosen(self, request: Request, ranked: Ranked) -> list[RecommendedItem]:
        """Returns the best items, one of each product, as far as the blend reaches."""
        used = self._used(self._config(request))
        _, firsts = np.unique(self._products(request)[ranked.item_nums], return_index=True)
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

    def _filled(
        self, request: Request, listed: Sequence[RecommendedItem], anchors: Ranked | None
    ) -> list[RecommendedItem]:
        """Returns what is listed after the best until the list is full, if it can be."""
        items, limit = list(listed), request.query.limit
        if len(items) >= limit:
            return []
        for chunk in self._filling(request, anchors):
            nums = self._unlisted(request, chunk.nums, items)[: limit - len(items)]
            ranks = np.arange(len(nums)) + len(items) + 1
            items += self._items(chunk.request, chunk.givers[0], nums, np.zeros(len(nums)), ranks)
            if len(items) >= limit:
                break
        return items[len(listed) :]

    def _filling(self, request: Request, anchors: Ranked | None) -> Iterator[Chunk]:
        sources = [self.sources[name] for name in self._config(request).fill]
        return filling(request, sources, self.new_items, anchors)

    def _told(self, request: Request, items: Sequence[RecommendedItem]) -> Recommendations:
        return Recommendations(
            placement=request.query.placement,
            items=tuple(items),
            tier=self._tier(request, items),
            bundle_version=self.bundle_version,
            trained_until=self.trained_until,
            missing_item_ids=self.resolver.missing(request.query),
            title=title_of(request),
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
            unlisted=lambda nums: self._unlisted(request, nums, kept),
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
            source = self._used(self._config(request))[int(np.argmax(ranked.parts[drawn.row]))]
            nums = ranked.item_nums[drawn.row : drawn.row + 1]
            [item] = self._items(request, source, nums, np.array([drawn.score]), np.array([rank]))
        return replace(item, propensity=drawn.propensity)

    def _by_rules(
        self,
        resolved: Request,
        request: Request,
        ruling: Ruling,
        ranked: Ranked,
        anchors: Ranked | None,
    ) -> Recommendations:
        """Makes the list that the rules of the query ask for."""
        first = [use.name for use in self._config(request).sources]
        maker = Maker(
            request,
            ruling,
            lambda allowed: self._supply(self.resolver.allowing(resolved, allowed)),
            products=self._products(request),
            alone=request.given_nums is not None or not self.resolver.has_variants,
            likenesses=likenesses(self.catalogue, self.sources, first)
            if ruling.diversity[1]
            else None,
        )
        made = maker.made(self._ranked_chunk(request, ranked), self._filling(request, anchors))
        exploration = request.query.exploration
        if exploration is None or not made.picks or request.given_nums is not None:
            items = self._listed(made.listed())
        else:
            items = self._explored_by_rules(request, made, exploration)
        return replace(self._told(request, items), relaxed_rules=tuple(made.relaxed))

    def _supply(self, resolved: Request) -> Iterator[Chunk]:
        """Yields what a request's placement gives: first the ranked, then what fills."""
        request, ranked, anchors = self._ordered(*self.first_stage_of(resolved))
        yield self._ranked_chunk(request, ranked)
        yield from self._filling(request, anchors)

    def _ranked_chunk(self, request: Request, ranked: Ranked) -> Chunk:
        used = self._used(self._config(request))
        return Chunk(request, ranked.item_nums, ranked.scores, used, ranked.parts)

    def _listed(self, picks: Sequence[Pick]) -> list[RecommendedItem]:
        """Returns what was picked, each with the reason of who gave it."""
        owners: dict[tuple[int, int], list[int]] = {}
        for place, pick in enumerate(picks):
            owners.setdefault((id(pick.giver), id(pick.request)), []).append(place)
        found: dict[int, RecommendedItem] = {}
        for places in owners.values():
            nums = np.array([picks[place].num for place in places], dtype=np.int32)
            scores = np.array([picks[place].score for place in places])
            moves = [tuple(picks[place].moves) for place in places]
            one, ranks = picks[places[0]], np.array(places) + 1
            items = self._items(one.request, one.giver, nums, scores, ranks, moves=moves)
            found.update(zip(places, items, strict=True))
        return [found[place] for place in range(len(picks))]

    def _explored_by_rules(
        self, request: Request, made: Made, settings: Exploration
    ) -> list[RecommendedItem]:
        """Draws one place of those that are not pinned, from what keeps every rule."""
        items = self._listed(made.picks)
        last = made.picks[-1].num
        nums = [pick.num for pick in made.picks[:-1]] + [pick.num for _, pick in made.pinned]
        shown = self._products(request)[nums]
        quotas = request.ruling.quotas if request.ruling else ()

        def unlisted(asked: NumArray) -> NumArray:
            groups = self._products(request)[asked]
            asked = asked[made.picker.fits(asked, quotas, nums, last) & ~np.isin(groups, shown)]
            return self._unlisted(request, asked, ())

        drawn = draw(settings, request, made.ranked, self.catalogue, unlisted=unlisted)
        if drawn is not None:
            place = max(0, len(items) - settings.place_from_end)
            item = self._drawn(request, made.ranked, drawn, place + 1)
            items = [*items[:place], item, *items[place:-1]]
        pinned = self._listed([pick for _, pick in made.pinned])
        for (pin, _), item in zip(made.pinned, pinned, strict=True):
            items.insert(pin.position - 1, item)
        return [replace(item, rank=rank) for rank, item in enumerate(items, start=1)]

    def _products(self, request: Request) -> NumArray:
        """Returns numbers of which a list has every one once, shape (items,).

        Those of products; of items where the items are given, because all of them are wanted.
        """
        groups = self.catalogue.group_nums
        return groups if request.given_nums is None else np.arange(len(groups), dtype=np.int32)

    def _unlisted(
        self, request: Request, nums: NumArray, items: Sequence[RecommendedItem]
    ) -> NumArray:
        """Returns one item of each product that the list does not show yet, in order."""
        groups = self._products(request)
        _, firsts = np.unique(groups[nums], return_index=True)
        nums = nums[np.sort(firsts)]
        shown = groups[[item.item_num for item in items]] if items else groups[:0]
        return nums[~np.isin(groups[nums], shown)]

    def _tier(self, request: Request, items: Sequence[RecommendedItem]) -> Tier:
        given = {item.source for item in items if item.source in self.sources}
        told = any(item.source != GIVEN for item in items)
        if told and not given and (request.use_context or len(request.rows.item_nums)):
            # New items alone: they stand where the placement's sources would have them.
            given = {use.name for use in self._config(request).sources}
        return min((self.sources[name].tier(request) for name in given), default=Tier.POPULAR)

    def _items(
        self,
        request: Request,
        source: Explaining,
        nums: NumArray,
        scores: NDArray[np.floating],
        ranks: NDArray[np.intp],
        *,
        moves: Sequence[tuple[RuleMove, ...]] = (),
    ) -> list[RecommendedItem]:
        """Returns the places of a list that one source answers for."""
        reasons = source.explain(request, nums) if len(nums) else []
        columns = zip(nums.tolist(), scores.tolist(), ranks.tolist(), reasons, strict=True)
        name, id_of = source.name, self.catalogue.items.id
        items = [
            RecommendedItem(id_of(num), num, score, rank, name, reason)
            if not moves
            else RecommendedItem(id_of(num), num, score, rank, name, reason, moves=moves[place])
            for place, (num, score, rank, reason) in enumerate(columns)
        ]
        forecaster = self.forecasters.get(self._config(request).replenishment)
        return items if forecaster is None else with_forecasts(forecaster, request, items)
