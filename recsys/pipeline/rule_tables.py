"""What rules say of each item of a catalogue: made once for a file, a catalogue and a market."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.state import CustomerStates
from recsys.live.eligibility import Eligibility
from recsys.live.filter_parameters import to_parameters
from recsys.live.rules import (
    AtLeast,
    AtMost,
    Boost,
    Bury,
    Exclude,
    HideBought,
    Hiding,
    Include,
    ItemSet,
    Margin,
    Pin,
    PriceBand,
    Rule,
    RuleSet,
    StockCover,
    Tune,
)
from recsys.pipeline.request import BOUGHT
from recsys.pipeline.rule_parts import Cap, Factor, Hider, Pinned, Quota, RuleTables
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray

REACH = 4.0
"""Factor of the newest or most popular item at a level of 1; one over it for the other end."""


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """The items as rules see them."""

    catalogue: Catalogue
    eligibility: Eligibility
    states: CustomerStates

    def tables(self, rules: RuleSet, time: int, market: str | None) -> RuleTables:
        """Returns what the rules that hold at a time, Unix seconds, say of the items."""
        names = tuple(name for name, rule in rules.rules.items() if rule.holds_at(time))
        return self.eligibility.table(
            ("rules", rules, names, market), lambda: self._tables(rules, names, market)
        )

    def _tables(self, rules: RuleSet, names: Sequence[str], market: str | None) -> RuleTables:
        hiders: list[Hider] = []
        factors: list[Factor] = []
        caps: list[Cap] = []
        quotas: list[Quota] = []
        pins: list[Pinned] = []
        tunes: list[tuple[str, Tune]] = []
        for name in names:
            rule: Rule = rules.rules[name]
            match rule:
                case Boost() | Bury():
                    members = self.members(rule, rules, market)
                    factor = rule.factor if isinstance(rule, Boost) else 1.0 / rule.factor
                    values = np.where(members, np.float32(factor), np.float32(1.0))
                    factors.append(Factor(name, values))
                case AtMost():
                    caps.append(Cap(name, rule, self._cap_codes(rule, rules, market)))
                case AtLeast():
                    quotas.append(Quota(name, rule, self.members(rule, rules, market)))
                case Pin():
                    number = self.catalogue.items.number(rule.item_id)
                    if number is not None:
                        pins.append(Pinned(name, rule.position, number))
                case Tune():
                    tunes.append((name, rule))
                case _:
                    hiders.append(Hider(name, rule, self._shown(rule, rules, market)))
        fixed = [hider.shown for hider in hiders if hider.shown is not None]
        return RuleTables(
            hiders=tuple(hiders),
            shown=np.logical_and.reduce(fixed) if fixed else np.ones(len(self.catalogue), bool),
            factors=tuple(factors),
            caps=tuple(caps),
            quotas=tuple(quotas),
            pins=tuple(sorted(pins, key=lambda pin: pin.position)),
            tunes=tuple(tunes),
        )

    def members(self, items: ItemSet, rules: RuleSet, market: str | None) -> BoolArray:
        """Returns which available items are in a set, shape (items,)."""
        if items.item_ids:
            found = np.zeros(len(self.catalogue), dtype=np.bool_)
            found[self.catalogue.present(items.item_ids)] = True
            return found
        parameters = to_parameters(items.parameters)
        found = self.eligibility.mask(items.filter, market, parameters)
        if items.filter_name:
            named = rules.filters[items.filter_name].sql
            found = found & self.eligibility.mask(named, market, parameters)
        return found

    def _shown(self, rule: Hiding, rules: RuleSet, market: str | None) -> BoolArray | None:
        match rule:
            case Include():
                return self.members(rule, rules, market)
            case Exclude():
                return ~self.members(rule, rules, market)
            case Margin():
                return self._earning(rule, market)
            case StockCover():
                return self._covered(rule, market)
            case HideBought() | PriceBand():
                return None

    def _earning(self, rule: Margin, market: str | None) -> BoolArray:
        price = self.prices(market)
        cost = self._numbers("cost", market)
        left = price - cost
        with np.errstate(divide="ignore", invalid="ignore"):
            enough = np.ones(len(price), dtype=np.bool_)
            if rule.least_amount is not None:
                enough &= left >= rule.least_amount
            if rule.least_share is not None:
                enough &= (price > 0) & (left / price >= rule.least_share)
        known = ~np.isnan(left)
        return np.where(known, enough, rule.unknown == "show")

    def _covered(self, rule: StockCover, market: str | None) -> BoolArray:
        stock = self._numbers(rule.stock_column, market)
        sales = self._numbers(rule.sales_column, market)
        needed = np.where(sales > 0, sales, 0.0) * rule.days
        return np.where(np.isnan(stock), rule.unknown == "show", (stock > 0) & (stock >= needed))

    def _cap_codes(self, rule: AtMost, rules: RuleSet, market: str | None) -> NumArray:
        codes = np.zeros(len(self.catalogue), dtype=np.int32)
        if rule.column:
            codes = self.codes(rule.column, rule.depth, market)
        if not rule.is_given:
            return codes
        return np.where(self.members(rule, rules, market), codes, np.int32(UNKNOWN))

    def prices(self, market: str | None) -> NDArray[np.float64]:
        """Returns the prices in a market, shape (items,); NaN: none."""
        return self.eligibility.table(
            ("numbers", "price", market), lambda: self._numbers("price", market)
        )

    def _numbers(self, column: str, market: str | None) -> NDArray[np.float64]:
        values = self.eligibility.frame(market)[column].cast(pl.Float64)
        return values.fill_null(np.nan).to_numpy()

    def codes(self, column: str, depth: int | None, market: str | None) -> NumArray:
        """Returns a number for each value of a column, shape (items,); `UNKNOWN`: none.

        Args:
            column: any of the catalogue.
            depth: of a column of lists, how many of its first words count; None: all.
            market: where prices and availability are taken from.
        """
        key = ("codes", column, depth, market)
        return self.eligibility.table(key, lambda: self._coded(column, depth, market))

    def _coded(self, column: str, depth: int | None, market: str | None) -> NumArray:
        values = self.eligibility.frame(market)[column]
        if isinstance(values.dtype, pl.List):
            path = values.list.head(depth) if depth else values
            empty = path.list.len() == 0
            joined = path.list.eval(pl.element().fill_null("")).list.join("\x1f")
            values = joined.to_frame("x").select(
                pl.when(~empty.fill_null(value=True)).then(pl.col("x"))
            )["x"]
        ranks = values.rank("dense").cast(pl.Int32) - 1
        return ranks.fill_null(UNKNOWN).to_numpy()

    @property
    def has_variants(self) -> bool:
        """Whether any product has more items than one."""
        return self._by_product()[1] is not None

    def _by_product(self) -> tuple[NumArray, NDArray[np.int64] | None]:
        groups = self.catalogue.group_nums
        return self.eligibility.table(("variants",), lambda: _grouped(groups))

    def variants(self, item_nums: NumArray) -> NumArray:
        """Returns all items of the same products."""
        groups = self.catalogue.group_nums
        order, starts = self._by_product()
        if starts is None:
            return item_nums
        wanted = np.unique(groups[item_nums])
        return np.concatenate(
            [order[:0], *(order[starts[each] : starts[each + 1]] for each in wanted.tolist())]
        )

    def leaning(self, what: str, level: float) -> FloatArray:
        """Returns the factors of a level of freshness or popularity, shape (items,)."""
        return self.eligibility.table(("leaning", what, level), lambda: self._lean(what, level))

    def _lean(self, what: str, level: float) -> FloatArray:
        if what == "freshness":
            known = self.catalogue.created_times != UNKNOWN
            values = self.catalogue.created_times
        else:
            known = np.ones(len(self.catalogue), dtype=np.bool_)
            rows = self.states.rows
            nums = rows.item_nums[BOUGHT[rows.event_types] > 0]
            values = np.bincount(nums, minlength=len(self.catalogue)).astype(np.int64)
        shares = np.full(len(values), 0.5)
        shares[known] = middle_ranks(values[known])
        factors: FloatArray = (REACH ** (level * (2 * shares - 1))).astype(np.float32)
        return factors


def middle_ranks(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the share of values below each and half of those equal to it, shape (values,)."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    until = np.searchsorted(ordered, values, side="right")
    return (below + until) / (2.0 * max(len(values), 1))


def _grouped(groups: NumArray) -> tuple[NumArray, NDArray[np.int64] | None]:
    """Returns the items by group and where each group begins; None where all are alone."""
    order = np.argsort(groups, kind="stable").astype(np.int32)
    sizes = np.bincount(groups)
    if len(sizes) == 0 or sizes.max() <= 1:
        return order, None
    return order, np.concatenate([[0], np.cumsum(sizes)])
