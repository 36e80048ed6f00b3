"""Items that came after the bundle: shown for what they are like, until a bundle knows them.

A new item gets the mean of the scores of the learned items that it is most like, weighted by how
much, and drawn towards nothing (Gantner et al., Learning attribute-to-feature mappings for
cold-start recommendations, ICDM 2010, find such means of neighbours hard to beat).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.state import StateRows
from recsys.data.vocabulary import Vocabulary
from recsys.live.likeness import Nearest
from recsys.pipeline.query import Ranked, Reason
from recsys.pipeline.request import Request
from recsys.types import UNKNOWN, FloatArray, ItemId, NumArray

NEW_ITEMS = "new-items"
"""Source of items that the bundle has not learned."""


@dataclass(frozen=True, slots=True)
class NewItemRules:
    """How items are treated that the bundle does not know."""

    neighbours: int = 10
    """Learned items that speak for a new one, those that it is most like."""
    shrinkage: float = 1.0
    """Similarity's worth of doubt: draws the mean of few or distant neighbours towards 0."""
    share: float = 0.2
    """Of a list's places that new items may take, at least one."""
    stand_ins: int = 5
    """Learned items that stand in for a new one in a history or as context."""


@dataclass(frozen=True, slots=True, eq=False)
class NewItems:
    """The items after the bundle's, in number order."""

    rules: NewItemRules
    first: int
    """Number of the first of them: how many items the bundle has."""
    items: Vocabulary[ItemId]
    """Of all items."""
    nearest: Nearest
    """Learned items that each is like, shape (new items, neighbours)."""
    named: NumArray
    """Shape (new items,): the most alike item that was not removed, `UNKNOWN` for none."""

    @property
    def name(self) -> str:
        """Returns the name that stands in answers."""
        return NEW_ITEMS

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Names the item that each is most like."""
        likes = self.named[item_nums - self.first].tolist()
        return [
            Reason("similar-to", () if like == UNKNOWN else (self.items.id(like),))
            for like in likes
        ]

    def placed(self, request: Request, ranked: Ranked, anchors: Ranked) -> Ranked:
        """Returns the ranked items and the best new ones among them, each at its score's place.

        Where there is a tie the learned item stands first.

        Args:
            request: the query in numbers.
            ranked: what sources gave, best first.
            anchors: scored items, best first, that say what new ones are worth: the same, or more.

        Returns:
            One more column of parts: what a new item has for itself.
        """
        nums, scores = self._best(request, anchors)
        most = max(1, int(self.rules.share * request.query.limit))
        if request.given_nums is not None:  # of what is to be ordered nothing is left out
            most = len(request.given_nums)
        there = ranked.item_nums[ranked.item_nums >= self.first]  # bought before they were learned
        if len(there):
            fresh = ~np.isin(nums, there)
            nums, scores = nums[fresh], scores[fresh]
        nums, scores = nums[:most], scores[:most]
        rows, columns = ranked.parts.shape
        parts = np.zeros((rows + len(nums), columns + 1), np.float32)
        parts[:rows, :-1] = ranked.parts
        parts[rows:, -1] = scores
        both = np.concatenate([ranked.scores, scores])
        order = np.argsort(-both, kind="stable")
        item_nums = np.concatenate([ranked.item_nums, nums])
        return Ranked(item_nums[order], both[order], parts[order])

    def rest(self, request: Request, anchors: Ranked) -> NumArray:
        """Returns all new items that may be shown, best first, those without a score last."""
        nums, _ = self._best(request, anchors)
        others = np.flatnonzero(request.allowed[self.first :]).astype(np.int32) + self.first
        return np.concatenate([nums, others[~np.isin(others, nums)]])

    def _best(self, request: Request, anchors: Ranked) -> tuple[NumArray, FloatArray]:
        scores = self.scores(request, anchors)
        shown = np.flatnonzero(request.allowed[self.first :] & (scores > 0))
        order = shown[np.argsort(-scores[shown], kind="stable")]
        return (order + self.first).astype(np.int32), scores[order]

    def scores(self, request: Request, anchors: Ranked) -> FloatArray:
        """Returns the score of each new item, shape (new items,), on the anchors' scale.

        On a page about some items the likeness to one of them is a score, too: what is the same
        in all words stands beside the best anchor.
        """
        worth = np.zeros(self.first, dtype=np.float32)
        learned = anchors.item_nums < self.first
        worth[anchors.item_nums[learned]] = anchors.scores[learned]
        alike = self.nearest.similarities
        sums = (worth[self.nearest.item_nums] * alike).sum(axis=1)
        means: FloatArray = sums / (alike.sum(axis=1) + np.float32(self.rules.shrinkage))
        if not request.use_context:
            return means
        top = anchors.scores[0] if len(anchors.scores) else np.float32(1.0)
        shown = np.isin(self.nearest.item_nums, self.learned(request.context_nums))
        likest: FloatArray = np.maximum(means, top * (alike * shown).max(axis=1))
        return likest

    def learned(self, item_nums: NumArray) -> NumArray:
        """Returns items of the bundle: stand-ins where an item is new; distinct, ascending."""
        known = item_nums[item_nums < self.first]
        fresh = item_nums[item_nums >= self.first] - self.first
        alike, weights = self._stand_ins(fresh)
        return np.union1d(known, alike[weights > 0]).astype(np.int32)

    def stand_ins_for(self, item_num: int) -> tuple[list[int], list[float]]:
        """Returns who stands in for one new item, and with what share each."""
        nums, shares = self._stand_ins(np.array([item_num - self.first]))
        return nums[0].tolist(), shares[0].tolist()

    def learned_request(self, request: Request) -> Request:
        """Returns the request as those see it who know the bundle's items alone."""
        numbers = (request.rows.item_nums, request.context_nums)  # both ascending
        if all(len(nums) == 0 or nums[-1] < self.first for nums in numbers):
            return replace(request, allowed=request.allowed[: self.first])
        context = self.learned(request.context_nums)
        return replace(
            request,
            rows=self._learned_rows(request.rows),
            context_nums=context,
            use_context=request.use_context and len(context) > 0,
            allowed=request.allowed[: self.first],
            said={},
            stands_for=self._stands_for(request),
        )

    def _stand_ins(self, places: NDArray[np.integer]) -> tuple[NumArray, FloatArray]:
        """Returns who stands in for some new items, and with what share, shape (items, n)."""
        count = self.rules.stand_ins
        weights = self.nearest.similarities[places, :count]
        shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-12))
        return self.nearest.item_nums[places, :count], shares

    def _learned_rows(self, rows: StateRows) -> StateRows:
        """Returns a history in which stand-ins share what was done with a new item."""
        fresh = np.flatnonzero(rows.item_nums >= self.first)
        if len(fresh) == 0:
            return rows
        alike, shares = self._stand_ins(rows.item_nums[fresh] - self.first)
        owner, place = np.nonzero(shares > 0)
        share = shares[owner, place]
        lent = rows.take(fresh[owner])._replace(item_nums=alike[owner, place])
        lent = lent._replace(days=lent.days * share, decayed=lent.decayed * share[:, None])
        kept = rows.take(np.flatnonzero(rows.item_nums < self.first))
        both = kept.followed_by(lent)
        return _summed(both)

    def _stands_for(self, request: Request) -> Mapping[ItemId, ItemId]:
        """Returns for each stand-in that the request itself does not have the item it is for."""
        touched = np.union1d(request.rows.item_nums, request.context_nums)
        fresh = touched[touched >= self.first]
        alike, shares = self._stand_ins(fresh - self.first)
        found: dict[ItemId, ItemId] = {}
        for owner, place in np.argwhere((shares > 0) & ~np.isin(alike, touched)).tolist():
            stand_in = self.items.id(int(alike[owner, place]))
            found.setdefault(stand_in, self.items.id(int(fresh[owner])))
        return found


def _summed(rows: StateRows) -> StateRows:
    """Returns one row of each item and event type, in order."""
    if len(rows.item_nums) == 0:
        return rows
    rows = rows.take(np.lexsort((rows.event_types, rows.item_nums)))
    items, kinds = rows.item_nums, rows.event_types
    fresh = (items[1:] != items[:-1]) | (kinds[1:] != kinds[:-1])
    starts = np.flatnonzero(np.append(True, fresh))
    return StateRows(
        item_nums=items[starts],
        event_types=kinds[starts],
        days=np.add.reduceat(rows.days, starts),
        first_times=np.minimum.reduceat(rows.first_times, starts),
        last_times=np.maximum.reduceat(rows.last_times, starts),
        decayed=np.add.reduceat(rows.decayed, starts, axis=0),
    )
