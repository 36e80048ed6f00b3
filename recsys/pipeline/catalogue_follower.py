"""A recommender that follows the catalogue: changes in, another recommender out."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from recsys.live.likeness import Likeness, Nearest
from recsys.live.overlay import Overlay
from recsys.models.item_words import word_columns
from recsys.pipeline.catalogue_state import CatalogueState
from recsys.pipeline.features import unseen_items, with_prices
from recsys.pipeline.learned_source import LearnedSource
from recsys.pipeline.new_items import NewItemRules, NewItems
from recsys.pipeline.popular_sources import CategoryPopularSource
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.shop_sources import NewSource
from recsys.pipeline.source import CandidateSource
from recsys.pipeline.sources import RepurchaseSource
from recsys.pipeline.viewed_source import ViewedSource
from recsys.store.catalogue import ItemRow
from recsys.types import UNKNOWN, FloatArray, NumArray

AT_ONCE = 100
"""New items whose like are sought in one step, so that changes of others need not wait long."""

_Liked = tuple[object, NumArray, FloatArray]
"""What an item says of itself, and the learned items that it is like."""


class CatalogueFollower:
    """Lays changes over one bundle's recommender, each time over what is there already.

    For one thread at a time; the recommenders it returns are immutable, as all are.
    """

    def __init__(
        self,
        recommender: Recommender,
        rules: NewItemRules | None = None,
        *,
        likeness: Likeness | None = None,
        left_out: Collection[str] = (),
    ) -> None:
        """Takes the recommender of a bundle as it was loaded.

        Args:
            recommender: of the bundle.
            rules: how new items are treated.
            likeness: of another follower of the same bundle, which is `prepared`.
            left_out: new items whose like is never sought.
        """
        self.bundle = recommender
        self.recommender = recommender
        """What answers now; the bundle's own as long as nothing has changed."""
        self._rules = rules or NewItemRules()
        resolver = recommender.resolver
        self._overlay = Overlay.over(resolver.catalogue, resolver.eligibility)
        self._columns = word_columns(recommender.catalogue.frame, None)
        self.likeness = likeness
        """None: not `prepared`."""
        self._left_out = frozenset(left_out)
        self._number = 0
        self._unseen: FloatArray | None = None
        self._liked: dict[str, _Liked] = {}
        self._waiting: list[str] = []

    @property
    def waits(self) -> bool:
        """Whether there are new items whose like are not known yet."""
        return bool(self._waiting)

    @property
    def prepared(self) -> bool:
        """Whether the like of a new item can be found at once."""
        return self.likeness is not None

    def prepare(self) -> None:
        """Does beforehand what the first new item needs: seconds for 100,000 items.

        May be called in another thread than all else.
        """
        if self.likeness is None:
            nums = np.unique(self.bundle.resolver.states.rows.item_nums)
            self.likeness = Likeness.of(self.bundle.catalogue.frame, nums)

    def follow(self, rows: Sequence[ItemRow], *, seek: bool = True) -> Recommender:
        """Lays changes over what is there and returns what answers from now on.

        Items that are new are shown as soon as it is known what they are like, at most `AT_ONCE`
        of them in one call; call again, with or without changes, while `waits`.

        Args:
            rows: of the store, each item once.
            seek: whether to look now for what new items are like.
        """
        self._change(rows)
        fresh = self._overlay.new_rows
        self._seek(fresh, AT_ONCE if seek else 0)
        if rows or self.recommender is not self.bundle:
            self.recommender = self._laid(fresh)
        return self.recommender

    def settle(self, rows: Sequence[ItemRow]) -> Recommender:
        """Does as `follow`, and knows what all new items are like when it returns."""
        self._change(rows)
        fresh = self._overlay.new_rows
        self._seek(fresh, len(fresh))
        if self._number:
            self.recommender = self._laid(fresh)
        return self.recommender

    def _change(self, rows: Sequence[ItemRow]) -> None:
        if rows:
            self._overlay = self._overlay.changed(rows)
            self._number = max(self._number, *(row.change_number for row in rows))

    def _seek(self, fresh: pl.DataFrame, most: int) -> None:
        """Finds the like of new items, and of those that say something else of themselves."""
        ids = fresh["item_id"].to_list()
        said = fresh.select(self._columns).rows() if self._columns else [()] * len(ids)
        self._liked = {item_id: self._liked[item_id] for item_id in ids if item_id in self._liked}
        open_places = [
            place
            for place, item_id in enumerate(ids)
            if item_id not in self._left_out
            and (item_id not in self._liked or self._liked[item_id][0] != said[place])
        ]
        now = open_places[:most]
        self._waiting = [ids[place] for place in open_places[most:]]
        for item_id in self._waiting:  # what it was like before it changed is no state to go by
            self._liked.pop(item_id, None)
        if now:
            self.prepare()
        if now and self.likeness is not None:
            nearest = self.likeness.nearest(fresh[now], self._rules.neighbours)
            for place, nums, similarities in zip(now, *nearest, strict=True):
                self._liked[ids[place]] = (said[place], nums, similarities)

    def _laid(self, fresh: pl.DataFrame) -> Recommender:
        overlay, bundle = self._overlay, self.bundle
        new_items = self._new_items(fresh) if len(fresh) else None
        return replace(
            bundle,
            resolver=replace(
                bundle.resolver,
                catalogue=overlay.catalogue,
                eligibility=overlay.eligibility,
                new_items=new_items,
            ),
            sources={
                name: _laid_source(source, overlay, bundle.trained_until)
                for name, source in bundle.sources.items()
            },
            item_table=self._item_table(len(fresh)),
            new_items=new_items,
            laid_over=bundle,
            catalogue_state=CatalogueState(self._number, tuple(self._waiting)),
        )

    def _new_items(self, fresh: pl.DataFrame) -> NewItems:
        nearest = Nearest.none(len(fresh), self._rules.neighbours)
        for place, item_id in enumerate(fresh["item_id"].to_list()):
            if item_id in self._liked:
                _, nearest.item_nums[place], nearest.similarities[place] = self._liked[item_id]
        catalogue = self._overlay.catalogue
        named = (nearest.similarities > 0) & ~np.isin(nearest.item_nums, list(catalogue.removed))
        first = np.argmax(named, axis=1)
        rows = np.arange(len(fresh))
        return NewItems(
            self._rules,
            len(self._overlay.bundle),
            catalogue.items,
            nearest,
            np.where(named[rows, first], nearest.item_nums[rows, first], UNKNOWN),
        )

    def _item_table(self, count: int) -> FloatArray:
        """Returns what rankers know of items: prices of now, and new items as unseen ones."""
        table = self.bundle.item_table
        if len(table) == 0:
            return table
        if self._unseen is None:
            self._unseen = unseen_items(self.bundle.resolver.states, 1)
        longer = np.concatenate([table, np.repeat(self._unseen, count, axis=0)])
        return with_prices(longer, self._overlay.catalogue)


def _laid_source(source: CandidateSource, overlay: Overlay, end_time: int) -> CandidateSource:
    """Returns a source in the catalogue of now, which may have more items than the bundle's."""
    count = len(overlay.catalogue) - len(overlay.bundle)
    if isinstance(source, NewSource):
        return source.over(overlay.catalogue, end_time)
    if isinstance(source, ViewedSource):  # whatever was looked at, known to the bundle or not
        return source
    if isinstance(source, CategoryPopularSource):
        source = replace(source, catalogue=overlay.bundle_part)
    if count == 0:
        return source
    if isinstance(source, RepurchaseSource):
        # It scores what a customer bought, known to the bundle or not.
        ties = np.concatenate([source.model.ties, np.zeros(count, np.float32)])
        return replace(source, model=replace(source.model, ties=ties))
    return LearnedSource(source, len(overlay.bundle))
