"""What lists by rules must be: found item by item in plain Python, over the whole catalogue.

Nothing of `recsys.pipeline`'s rules is used. What sources and rankers say under a mask is asked of
the recommender without rules: the same query with all other items excluded.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import ceil
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from recsys.live.rules import (
    AtLeast,
    AtMost,
    Boost,
    Bury,
    Exclude,
    HideBought,
    Include,
    ItemSet,
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
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.sources import VectorSource

Row = dict[str, Any]
Says = Callable[[Row], bool]
"""What a filter says of an item: true, or not."""
DAY_S = 86_400
GIVE_WAY = (PriceBand, AtMost, HideBought, StockCover, Margin, Include, Exclude)


@dataclass
class Ground:
    """A shop as the oracle sees it."""

    recommender: Recommender
    events: pl.DataFrame
    """Of all customers, up to the time of the queries."""
    filters: Mapping[str, Says]
    """By the text of a filter, or by a name and its parameters' texts."""

    @cached_property
    def rows(self) -> list[Row]:
        rows = self.recommender.catalogue.frame.to_dicts()
        for number, row in enumerate(rows):
            row["number"] = number
            row["product"] = f"g/{row['group_id']}" if row["group_id"] else f"i/{row['item_id']}"
        return rows

    def in_market(self, market: str | None) -> list[Row]:
        if market is None:
            return self.rows
        found = []
        for row in self.rows:
            named = [each for each in row["markets"] or () if each["market"] == market]
            if named:
                there = named[0]["available"] is not False
                found.append({**row, "available": there, "price": named[0]["price"]})
            else:
                found.append({**row, "available": False, "price": None})
        return found

    @cached_property
    def number(self) -> dict[str, int]:
        return {row["item_id"]: row["number"] for row in self.rows}

    @cached_property
    def purchases(self) -> Mapping[str, list[tuple[int, int]]]:
        """By customer: item numbers and times."""
        found = defaultdict(list)
        bought = self.events.filter(pl.col("event_type") == "purchase")
        columns = bought.select("customer_id", "item_id", pl.col("event_time").dt.epoch("s"))
        for customer, item, time in columns.iter_rows():
            if item in self.number:
                found[customer].append((self.number[item], time))
        return found

    @cached_property
    def buyers(self) -> list[int]:
        owners = defaultdict(set)
        for customer, bought in self.purchases.items():
            for number, _ in bought:
                owners[number].add(customer)
        return [len(owners[number]) for number in range(len(self.rows))]

    @cached_property
    def vectors(self) -> dict[int, Any]:
        for source in self.recommender.sources.values():
            if isinstance(source, VectorSource):
                found = {}
                for number, vector in zip(
                    source.model.item_nums.tolist(), source.model.vectors, strict=True
                ):
                    length = float(np.sqrt((vector.astype(np.float64) ** 2).sum()))
                    if length > 0:
                        found[number] = vector.astype(np.float64) / length
                return found
        return {}


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
        now = self.query.query_time
        self.active = {n: r for n, r in self.rules.items() if self._holds(r, now)}
        self.rows = self.ground.in_market(self.query.market)
        self.hidden = {
            name: {row["number"] for row in self.rows if not self._shows(rule, row)}
            for name, rule in self.active.items()
            if isinstance(rule, Include | Exclude | HideBought | Margin | StockCover | PriceBand)
        }
        self.members = {
            name: {row["number"] for row in self.rows if self._in(rule, row)}
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

    @staticmethod
    def _holds(rule: Rule, now: int) -> bool:
        return (rule.start_time is None or rule.start_time.timestamp() <= now) and (
            rule.end_time is None or now < rule.end_time.timestamp()
        )

    def _in(self, items: ItemSet, row: Row) -> bool:
        if items.item_ids:
            return row["item_id"] in items.item_ids
        said = True
        if items.filter:
            said = self.ground.filters[items.filter](row)
        if items.filter_name:
            key = f"{items.filter_name} {dict(items.parameters)}"
            said = said and self.ground.filters[key](row)
        return said

    def _shows(self, rule: Rule, row: Row) -> bool:  # noqa: PLR0911  one for each kind
        match rule:
            case Include():
                return self._in(rule, row)
            case Exclude():
                return not self._in(rule, row)
            case Margin():
                if row["price"] is None or row["cost"] is None:
                    return rule.unknown == "show"
                left = row["price"] - row["cost"]
                enough = rule.least_amount is None or left >= rule.least_amount
                if rule.least_share is not None:
                    enough = enough and row["price"] > 0
                    enough = enough and left / row["price"] >= rule.least_share
                return enough
            case StockCover():
                stock, sales = row[rule.stock_column], row[rule.sales_column]
                if stock is None:
                    return rule.unknown == "show"
                return stock > 0 and stock >= max(sales or 0, 0) * rule.days
            case HideBought():
                return row["product"] not in self._bought_lately(rule)
            case PriceBand():
                return self._near(rule, row)
        raise TypeError(rule)

    @property
    def _own(self) -> list[tuple[int, int]]:
        return self.ground.purchases.get(str(self.query.customer_id), [])

    def _bought_lately(self, rule: HideBought) -> set[str]:
        key = f"bought {id(rule)}"
        if key not in self.__dict__:
            since = self.query.query_time - rule.days * DAY_S
            last: dict[int, int] = {}
            for number, time in self._own:
                last[number] = max(time, last.get(number, 0))
            self.__dict__[key] = {
                self.rows[number]["product"]
                for number, time in last.items()
                if time >= since
                and not (rule.unless.is_given and self._in_available(rule.unless, number))
            }
        found: set[str] = self.__dict__[key]
        return found

    def _in_available(self, items: ItemSet, number: int) -> bool:
        row = self.rows[number]
        return self._in(items, row) and (bool(items.item_ids) or row["available"])

    def _near(self, rule: PriceBand, row: Row) -> bool:
        key = f"prices {id(rule)}"
        if key not in self.__dict__:
            prices = defaultdict(list)
            for number in {number for number, _ in self._own}:
                own = self.rows[number]
                value = self._value(rule.column, rule.depth, own) if rule.column else "all"
                if own["price"] is not None and value is not None:
                    prices[value].append(own["price"])
            self.__dict__[key] = {
                value: median(own) for value, own in prices.items() if len(own) >= rule.fewest
            }
        value = self._value(rule.column, rule.depth, row) if rule.column else "all"
        middle = self.__dict__[key].get(value)
        if middle is None or row["price"] is None:
            return True
        return bool(rule.least * middle <= row["price"] <= rule.most * middle)

    @staticmethod
    def _value(column: str, depth: int | None, row: Row) -> Any:
        value = row[column]
        if isinstance(value, list):
            return tuple(value[:depth] if depth else value) or None
        return value

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
        request, ranked, _ = recommender._ordered(query, *recommender.first_stage(query))
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
        return self._value(rule.column, rule.depth, self.rows[number]) if rule.column else "all"

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
