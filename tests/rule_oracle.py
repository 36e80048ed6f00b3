"""What lists by rules must be: found item by item in plain Python, over the whole catalogue.

Nothing of `recsys.pipeline`'s rules is used. What sources and rankers say under a mask is asked of
the recommender without rules: the same query with all other items excluded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from math import ceil
from typing import Any

import numpy as np

from recsys.live.rules import (
    AtLeast,
    AtMost,
    Boost,
    Bury,
    Exclude,
    HideBought,
    Include,
    Margin,
    Pin,
    PriceBand,
    Rule,
    StockCover,
    Strictness,
    Tune,
    Tuning,
)
from recsys.pipeline.query import Query
from tests.rule_ground import Ground
from tests.rule_sayings import Sayings

GIVE_WAY = (PriceBand, AtMost, HideBought, StockCover, Margin, Include, Exclude)


@dataclass
class Expected:
    """What a list must be."""

    item_ids: list[str]
    relaxed: list[str]


@dataclass
class Oracle:
    """Makes one list."""

    ground: Ground
    query: Query
    """Without rules."""
    rules: Mapping[str, Rule]
    strictness: Strictness = Strictness.AS_RULES
    tuning: Tuning = field(default_factory=Tuning)
    picks: list[int] = field(default_factory=list)
    lifted: set[str] = field(default_factory=set)
    served: dict[str, int] = field(default_factory=dict)

    def expected(self) -> Expected:
        self.rows = self.ground.in_market(self.query.market)
        self.says = Sayings(self.ground, self.query, self.rows)
        self.active = {n: r for n, r in self.rules.items() if self.says.holds(r)}
        self.hidden = {
            name: {row["number"] for row in self.rows if not self.says.shows(rule, row)}
            for name, rule in self.active.items()
            if isinstance(rule, Include | Exclude | HideBought | Margin | StockCover | PriceBand)
        }
        self.members = {
            name: {row["number"] for row in self.rows if self.says.includes(rule, row)}
            for name, rule in self.active.items()
            if isinstance(rule, AtLeast | Boost | Bury)
            or (isinstance(rule, AtMost) and rule.is_given)
        }
        self.quotas = [n for n, r in self.active.items() if isinstance(r, AtLeast)]
        self.pins = self._pins()
        self.room = self.query.limit - len(self.pins)
        self.forcing = True
        allowed = self._allowed(set())
        ranked, fill = self._supply(allowed)
        self._pick(self._reweighed(ranked), varied=True)
        for chunk in fill:
            self._pick([(number, 0.0) for number in chunk])
        relaxed = self._give_way()
        relaxed += self._shares()
        numbers = list(self.picks)
        for _, position, number in self.pins:
            numbers.insert(position - 1, number)
        ids = [self.ground.rows[number]["item_id"] for number in numbers]
        return Expected(ids, relaxed)

    def _allowed(self, without: set[str]) -> set[int]:
        plain = replace(self.query, limit=1)
        config = self.ground.recommender.placement_configs[plain.placement]
        request = self.ground.recommender.resolver.resolve(plain, config)
        found = set(np.flatnonzero(request.allowed).tolist())
        for name, hidden in self.hidden.items():
            if name not in without:
                found -= hidden
        return found

    def _supply(self, allowed: set[int]) -> tuple[list[tuple[int, Any]], list[list[int]]]:
        """Returns what is ranked with scores, and what each fill source would add."""
        recommender = self.ground.recommender
        rows = self.ground.rows
        others = tuple(row["item_id"] for row in rows if row["number"] not in allowed)
        query = replace(self.query, exclude_item_ids=(*self.query.exclude_item_ids, *others))
        request, ranked, _ = recommender._ordered(*recommender.first_stage(query))
        config = recommender.placement_configs[query.placement]
        fill = [
            recommender.sources[name].scores(request).best(len(rows))[0].tolist()
            for name in config.fill
        ]
        return list(zip(ranked.item_nums.tolist(), ranked.scores, strict=True)), fill

    def _reweighed(self, ranked: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
        found = [(number, np.float32(score)) for number, score in ranked]
        for name, rule in self.active.items():
            if isinstance(rule, Boost | Bury):
                factor = rule.factor if isinstance(rule, Boost) else 1 / rule.factor
                found = [
                    (n, s * np.float32(factor) if n in self.members[name] else s) for n, s in found
                ]
        for what in ("freshness", "popularity"):
            level = self._level(what)
            if level:
                found = [
                    (n, s * np.float32(4.0 ** (level * self._leaning(what, n)))) for n, s in found
                ]
        return sorted(found, key=lambda each: -each[1])

    def _level(self, what: str) -> float:
        asked = getattr(self.tuning, what)
        said = [
            getattr(rule, what)
            for rule in self.active.values()
            if isinstance(rule, Tune) and getattr(rule, what) is not None
        ]
        return float(asked if asked is not None else said[-1] if said else 0)

    def _leaning(self, what: str, number: int) -> float:
        """From -1 for the oldest or least popular to 1 for the newest or most."""
        if what not in self.__dict__:
            own = self.ground.buyers
            times = [row["created_at"] for row in self.rows if row["created_at"] is not None]
            self.__dict__[what] = sorted(own if what == "popularity" else times)
        values: list[Any] = self.__dict__[what]
        buyers, created = self.ground.buyers[number], self.rows[number]["created_at"]
        own_value = buyers if what == "popularity" else created
        if own_value is None:
            return 0.0
        below, until = bisect_left(values, own_value), bisect_right(values, own_value)
        return (below + until) / len(values) - 1

    def _pins(self) -> list[tuple[str, int, int]]:
        allowed = self._allowed(set())
        found: list[tuple[str, int, int]] = []
        pins = [(n, r) for n, r in self.active.items() if isinstance(r, Pin)]
        for name, rule in sorted(pins, key=lambda pin: pin[1].position):
            number = self.ground.number.get(rule.item_id)
            if number is None or number not in allowed or rule.position > self.query.limit:
                continue
            products = {self.rows[other]["product"] for _, _, other in found}
            if rule.position in {position for _, position, _ in found}:
                continue
            if self.rows[number]["product"] not in products:
                found.append((name, rule.position, number))
        return found

    @property
    def _listed(self) -> list[int]:
        return self.picks + [number for _, _, number in self.pins]

    def _may(self, number: int) -> bool:
        product = self.rows[number]["product"]
        if product in {self.rows[other]["product"] for other in self._listed}:
            return False
        for name, rule in self.active.items():
            if isinstance(rule, AtMost) and name not in self.lifted:
                value = self._counted(name, rule, number)
                same = [o for o in self._listed if self._counted(name, rule, o) == value]
                if value is not None and len(same) >= rule.count:
                    return False
        return True

    def _counted(self, name: str, rule: AtMost, number: int) -> Any:
        if rule.is_given and number not in self.members[name]:
            return None
        return (
            self.says.value(rule.column, rule.depth, self.rows[number]) if rule.column else "all"
        )

    def _needs(self, name: str) -> int:
        rule = self.active[name]
        assert isinstance(rule, AtLeast)
        wanted = ceil(rule.share * self.query.limit - 1e-9)
        return max(0, wanted - sum(number in self.members[name] for number in self._listed))

    def _pressing(self) -> list[str]:
        waiting = [n for n in self.quotas if n not in self.served and self._needs(n)]
        if not self.forcing or sum(self._needs(name) for name in waiting) < self.room:
            return []
        return waiting

    def _pick(
        self,
        chunk: Sequence[tuple[int, Any]],
        *,
        varied: bool = False,
        only: str | None = None,
    ) -> None:
        while self.room > 0:
            unmet = self._pressing()
            if only is not None and only not in unmet:
                return
            diversity = self._level("diversity") if varied else 0
            window = max(50, 5 * self.query.limit) if diversity else 1
            may = (
                each
                for each in chunk
                if (not unmet or any(each[0] in self.members[name] for name in unmet))
                and self._may(each[0])
            )
            eligible = list(islice(may, window))
            if not eligible:
                if not unmet or only is not None:
                    return
                self._serve(unmet[0])
                continue
            number = eligible[0][0]
            if diversity:
                number = self._varied(eligible, float(chunk[0][1]), diversity)
            self.picks.append(number)
            self.room -= 1

    def _varied(self, eligible: list[tuple[int, Any]], best: float, diversity: float) -> int:
        def worth(each: tuple[int, Any]) -> float:
            alike = max((self._alike(each[0], other) for other in self.picks), default=0.0)
            return (1 - diversity) * (float(each[1]) / best) - diversity * alike

        return max(eligible, key=worth)[0]

    def _alike(self, one: int, other: int) -> float:
        vectors = self.ground.vectors
        if one in vectors and other in vectors:
            return max(0.0, float(vectors[one] @ vectors[other]))
        mine, theirs = self.rows[one]["category"], self.rows[other]["category"]
        return float(mine is not None and mine == theirs)

    def _serve(self, name: str) -> None:
        ranked, fill = self._supply(self._allowed(set()) & self.members[name])
        for chunk in [[number for number, _ in ranked], *fill]:
            self._pick([(number, 0.0) for number in chunk], only=name)
        if name in self._pressing():
            self.served[name] = 0

    def _gives_way(self, rule: Any) -> bool:
        if self.strictness is Strictness.STRICT:
            return False
        soft = isinstance(rule, PriceBand | AtMost | HideBought | AtLeast)
        return not rule.strict or (self.strictness is Strictness.FILL and soft)

    def _give_way(self) -> list[str]:
        self.forcing = False
        relaxed: list[str] = []
        without: set[str] = set()
        for kind in GIVE_WAY:
            for name, rule in reversed(list(self.active.items())):
                if not isinstance(rule, kind) or not self._gives_way(rule) or self.room <= 0:
                    continue
                (self.lifted if kind is AtMost else without).add(name)
                before = len(self.picks)
                ranked, fill = self._supply(self._allowed(without))
                for chunk in [[number for number, _ in ranked], *fill]:
                    self._pick([(number, 0.0) for number in chunk])
                if len(self.picks) > before:
                    relaxed.append(name)
        return relaxed

    def _short(self, name: str) -> bool:
        rule = self.active[name]
        assert isinstance(rule, AtLeast)
        there = sum(number in self.members[name] for number in self._listed)
        return there < ceil(rule.share * len(self._listed) - 1e-9)

    def _shares(self) -> list[str]:
        firm = [name for name in self.quotas if not self._gives_way(self.active[name])]
        while unmet := [name for name in firm if self._short(name)]:
            others = [
                place
                for place, number in enumerate(self.picks)
                if not any(number in self.members[name] for name in unmet)
            ]
            if not others:
                break
            del self.picks[others[-1]]
        return [name for name in self.quotas if name not in firm and self._short(name)]
