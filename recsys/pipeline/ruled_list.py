"""Makes a list by rules: what is picked of the ranked, what gives way, what is pinned.

The order is that of `docs/rules.md`: what may be shown, scores, picking (bounds, parts of the
list, diversity), rules that give way, pins. Exploration comes after, elsewhere.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recsys.live.rules import RuleMove, gives_way
from recsys.pipeline.diversity import Likenesses, Spread
from recsys.pipeline.filling import Chunk
from recsys.pipeline.picking import Picker, Taken, places_of
from recsys.pipeline.query import Ranked, Reason
from recsys.pipeline.request import Request
from recsys.pipeline.rule_parts import Cap, Pinned, Quota, Ruling
from recsys.pipeline.ruling import pins_of, turns
from recsys.pipeline.source import Explaining
from recsys.types import BoolArray, FloatArray, NumArray

RULES = "rules"
"""Source of a pinned item that no source of the placement gave."""


Supply = Callable[[BoolArray], Iterator[Chunk]]
"""Gives the items of a placement under another mask: first the ranked, then what fills."""


@dataclass(slots=True)
class Pick:
    """One place of a list in the making."""

    num: int
    score: float
    giver: Explaining
    request: Request
    moves: list[RuleMove] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shopkeeper:
    """Explains what was pinned and no source gave."""

    name: str = RULES

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:  # noqa: ARG002
        """Says that the shop chose the items."""
        return [Reason("chosen-by-shop")] * len(item_nums)


@dataclass(slots=True)
class Made:
    """A list that rules made, before exploration."""

    picks: list[Pick]
    """In order, without the pinned."""
    pinned: list[tuple[Pinned, Pick]]
    relaxed: list[str]
    ranked: Ranked
    """With the scores that rules gave."""
    picker: Picker

    def listed(self) -> list[Pick]:
        """Returns the whole list: pinned items at their places, or last where it is short."""
        found = list(self.picks)
        for pin, pick in self.pinned:
            found.insert(pin.position - 1, pick)
        return found


def reweighed(ranked: Ranked, ruling: Ruling) -> tuple[Ranked, NDArray[np.intp]]:
    """Returns the ranked items with the scores of rules, best first; ties as they stood.

    Beside them, the row that each had before.
    """
    if not ruling.factors:
        return ranked, np.arange(len(ranked.scores))
    scores = ranked.scores
    for factor in ruling.factors:
        scores = scores * factor.values[ranked.item_nums]
    order = np.argsort(-scores, kind="stable")
    return Ranked(ranked.item_nums[order], scores[order], ranked.parts[order]), order


class Maker:
    """Makes one list."""

    def __init__(
        self,
        request: Request,
        ruling: Ruling,
        supply: Supply,
        *,
        products: NumArray,
        alone: bool,
        likenesses: Likenesses | None,
    ) -> None:
        """Takes what the list is made of.

        Args:
            request: narrowed to what rules let be shown.
            ruling: what the rules ask.
            supply: gives items under any mask.
            products: shape (items,): of each number, one item is shown.
            alone: whether every item has a number of its own.
            likenesses: of items; None: the list need not be varied.
        """
        self._request = request
        self._ruling = ruling
        self._supply = supply
        self._products = products
        self._alone = alone
        self._likenesses = likenesses
        self._limit = request.query.limit
        self._pins = pins_of(ruling, request, products)
        held = [pin.item_num for pin in self._pins]
        self._picker = Picker(self._limit, products, ruling.caps, ruling.quotas, held, alone=alone)
        self._picks: list[Pick] = []
        self._relaxed: list[str] = []

    def made(self, plain: Chunk, further: Iterator[Chunk]) -> Made:
        """Returns the list.

        Args:
            plain: the ranked items as they were before rules gave them scores.
            further: what fills, under the request's own mask.
        """
        before = Ranked(plain.nums, plain.scores, _parts(plain))
        ranked, rows = reweighed(before, self._ruling)
        first = replace(plain, nums=ranked.item_nums, scores=ranked.scores, parts=ranked.parts)
        places = _in_order if self._alone else self._first_of_each
        journey = Journey(before, rows, self._ruling, self._limit, places)
        self._pick(first, journey)
        for chunk in further if not self._picker.is_full else ():
            self._pick(chunk, None)
            if self._picker.is_full:
                break
        self._give_way()
        self._keep_shares()
        pinned = [(pin, self._pinned(pin, first, journey)) for pin in self._pins]
        return Made(self._picks, pinned, self._relaxed, ranked, self._picker)

    def _pick(self, chunk: Chunk, journey: "Journey | None") -> None:
        """Picks of a chunk until it has no more; quotas are served from elsewhere meanwhile."""
        while True:
            order = None if journey is None else self._spread(chunk)
            taken = self._picker.take(chunk.nums, order=order)
            places = self._add(chunk, taken.rows)
            if journey is not None:
                journey.tell(taken, places, self._picks, by_order=order is not None)
            if taken.waits_for is None:
                return
            self._serve(taken.waits_for)

    def _first_of_each(self, nums: NumArray) -> NDArray[np.int64]:
        """Returns the place of each item, from 1, where only the first of a product has one."""
        _, firsts = np.unique(self._products[nums], return_index=True)
        leads = np.zeros(len(nums), dtype=np.int64)
        leads[firsts] = 1
        return np.cumsum(leads)

    def _spread(self, chunk: Chunk) -> Spread | None:
        if self._likenesses is None or len(chunk.nums) == 0:
            return None
        return Spread(
            chunk.nums,
            chunk.scores,
            self._likenesses,
            diversity=self._ruling.diversity[1],
            limit=self._limit,
            listed=[pick.num for pick in self._picks],
        )

    def _add(self, chunk: Chunk, rows: Sequence[int], *, scored: bool = True) -> list[int]:
        """Adds picked rows to the list and returns their places, from 1."""
        first, at = len(self._picks) + 1, list(rows)
        scores = chunk.scores[at].tolist() if scored else [0.0] * len(at)
        found = zip(chunk.nums[at].tolist(), scores, chunk.givers_of(at), strict=True)
        self._picks += [Pick(num, score, giver, chunk.request) for num, score, giver in found]
        return list(range(first, first + len(rows)))

    def _serve(self, quota: Quota) -> None:
        """Picks what a quota needs among its own items, or finds that there are none left."""
        for chunk in self._supply(self._ruling.shown() & quota.members):
            taken = self._picker.take(chunk.nums, only_for=quota)
            for place in self._add(chunk, taken.rows, scored=False):
                self._picks[place - 1].moves.append(RuleMove(quota.name, 0, place))
            if self._picker.is_full or not self._picker.waits_for(quota):
                return
        self._picker.give_up(quota)

    def _give_way(self) -> None:
        """Fills a short list with what rules kept out, the least of them first."""
        if self._picker.is_full:
            return
        self._picker.stop_waiting()
        without: set[str] = set()
        for rule in turns(self._ruling, self._request):
            if isinstance(rule, Cap):
                self._picker.lift(rule)
            else:
                without.add(rule.name)
            allowed = self._ruling.shown(frozenset(without))
            left = np.flatnonzero(allowed).astype(np.int32)
            if not self._picker.open(left).any():
                continue
            before = len(self._picks)
            for chunk in self._supply(allowed):
                taken = self._picker.take(chunk.nums)
                for place in self._add(chunk, taken.rows, scored=False):
                    self._picks[place - 1].moves.append(RuleMove(rule.name, 0, place))
                if self._picker.is_full:
                    break
            if len(self._picks) > before:
                self._relaxed.append(rule.name)
            if self._picker.is_full:
                return

    def _keep_shares(self) -> None:
        """Cuts the list where a quota does not give way, and tells which others did."""
        strictness = self._request.query.strictness
        soft = [each for each in self._ruling.quotas if gives_way(each.rule, strictness)]
        firm = [each for each in self._ruling.quotas if each not in soft]
        while unmet := [each for each in firm if not self._is_met(each)]:
            others = [
                place
                for place, pick in enumerate(self._picks)
                if not any(quota.members[pick.num] for quota in unmet)
            ]
            if not others:
                break
            del self._picks[others[-1]]
        self._relaxed += [each.name for each in soft if not self._is_met(each)]

    def _is_met(self, quota: Quota) -> bool:
        listed = [pick.num for pick in self._picks] + [pin.item_num for pin in self._pins]
        return int(quota.members[listed].sum()) >= places_of(quota, len(listed))

    def _pinned(self, pin: Pinned, first: Chunk, journey: "Journey") -> Pick:
        rows = np.flatnonzero(first.nums == pin.item_num)
        pick = Pick(pin.item_num, 0.0, Shopkeeper(), self._request)
        if len(rows):
            row = int(rows[0])
            [giver] = first.givers_of([row])
            pick = Pick(pin.item_num, float(first.scores[row]), giver, first.request)
        place = journey.place(pin.item_num)
        if place != pin.position:
            pick.moves.append(RuleMove(pin.name, place, pin.position))
        return pick


class Journey:
    """Where items of the ranked stood before and after each rule."""

    def __init__(
        self,
        before: Ranked,
        rows: NDArray[np.intp],
        ruling: Ruling,
        limit: int,
        places: Callable[[NumArray], NDArray[np.int64]],
    ) -> None:
        """Takes the ranked items, and what rules about scores did to their order.

        Args:
            before: as they were.
            rows: which of them stands where after those rules.
            ruling: what the rules ask.
            limit: places of the list.
            places: gives the place of each of some items in order.
        """
        self._before = before
        self._rows = rows
        self._ruling = ruling
        self._limit = limit
        self._places_of = places
        self._steps: list[NDArray[np.int64]] | None = None
        self._after: NDArray[np.int64] | None = None
        self._killed: dict[str, list[NDArray[np.intp]]] = {}

    def place(self, num: int) -> int:
        """Returns the place of an item by its score, 0 where the list has no such place."""
        rows = np.flatnonzero(self._before.item_nums[self._rows] == num)
        return self._shown(int(self._places()[rows[0]])) if len(rows) else 0

    def tell(
        self, taken: Taken, places: Sequence[int], picks: list[Pick], *, by_order: bool
    ) -> None:
        """Adds to picked items what moved them there.

        Args:
            taken: which rows of the ranked items.
            places: of each in the list, from 1.
            picks: the list.
            by_order: whether diversity had a word.
        """
        for name, rows in taken.killed.items():
            self._killed.setdefault(name, []).extend(rows)
        if not (self._ruling.factors or self._killed or by_order or any(taken.out_of_turn)):
            return
        stands = self._places()[taken.rows].tolist()
        ahead = [
            (name, np.searchsorted(np.sort(np.concatenate(killed)), taken.rows).tolist())
            for name, killed in self._killed.items()
        ]
        factors = self._by_factors(self._rows[taken.rows])
        for at, (place, called) in enumerate(zip(places, taken.out_of_turn, strict=True)):
            moves, stood = factors[at], stands[at]
            for name, gone in ahead:
                self._add(moves, name, stood, stood - gone[at])
                stood -= gone[at]
            if called:
                self._add(moves, called, stood, place)
            elif by_order and place < stood:
                self._add(moves, self._ruling.diversity[0], stood, place)
            picks[place - 1].moves += moves

    def _add(self, moves: list[RuleMove], name: str, was: int, now: int) -> None:
        if was != now:
            moves.append(RuleMove(name, self._shown(was), now))

    def _shown(self, place: int) -> int:
        return place if 0 < place <= self._limit else 0

    def _places(self) -> NDArray[np.int64]:
        """Returns each row's place by its score, from 1."""
        if self._after is None:
            self._after = self._places_of(self._before.item_nums[self._rows])
        return self._after

    def _by_factors(self, rows: NDArray[np.intp]) -> list[list[RuleMove]]:
        """Returns what rules about scores did to items that they are about.

        Args:
            rows: where the items were before all of them.
        """
        found: list[list[RuleMove]] = [[] for _ in rows]
        nums, steps = self._before.item_nums[rows], self._score_steps()
        for number, factor in enumerate(self._ruling.factors):
            was, now = steps[number][rows], steps[number + 1][rows]
            moved = np.flatnonzero((factor.values[nums] != 1) & (was != now))
            for at, before, after in zip(moved, was[moved], now[moved], strict=True):
                found[at].append(RuleMove(factor.name, self._shown(int(before)), int(after)))
        return found

    def _score_steps(self) -> list[NDArray[np.int64]]:
        """Returns the places of the rows of `before`: at first, and after each rule."""
        if self._steps is None:
            nums, scores = self._before.item_nums, self._before.scores
            orders = [np.arange(len(nums))]
            for factor in self._ruling.factors[:-1]:
                scores = scores * factor.values[nums]
                orders.append(np.argsort(-scores, kind="stable"))
            orders += [self._rows] * bool(self._ruling.factors)
            self._steps = [np.empty(len(nums), dtype=np.int64) for _ in orders]
            for step, order in zip(self._steps, orders, strict=True):
                step[order] = self._places_of(nums[order])
        return self._steps


def _in_order(nums: NumArray) -> NDArray[np.int64]:
    return np.arange(1, len(nums) + 1)


def _parts(chunk: Chunk) -> FloatArray:
    return np.zeros((len(chunk.nums), 1), np.float32) if chunk.parts is None else chunk.parts
