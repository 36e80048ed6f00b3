"""Rules of one request: what they let be shown to this customer, and what else they ask."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.errors import InvalidQueryError
from recsys.live.rules import (
    UNTUNED,
    YIELD_ORDER,
    HideBought,
    PriceBand,
    RuleSet,
    gives_way,
)
from recsys.pipeline.request import BOUGHT, Request
from recsys.pipeline.rule_parts import Cap, Factor, Hider, Pinned, RuleTables, Ruling
from recsys.pipeline.rule_tables import Shop
from recsys.types import DAY_S, UNKNOWN, BoolArray

NO_RULES = RuleSet({}, {})
_LEAST = {"diversity": 0.0, "freshness": -1.0, "popularity": -1.0}


def ruled(request: Request, shop: Shop, time: int) -> Request:
    """Returns a request that allows only what rules let be shown, with all that they ask.

    Args:
        request: with what is allowed but for rules.
        shop: the items.
        time: Unix seconds, at which rules must hold.

    Raises:
        InvalidQueryError: the query's tuning is out of range.
    """
    query = request.query
    tables = shop.tables(query.rules or NO_RULES, time, query.market)
    factors, diversity = _tuned(request, shop, tables)
    hiders = tuple(
        (hider, _shown(hider, request, shop) if hider.shown is None else hider.shown)
        for hider in tables.hiders
    )
    if not (hiders or factors or tables.caps or tables.quotas or tables.pins or diversity[1]):
        return request
    ruling = Ruling(
        before=request.allowed,
        hiders=hiders,
        factors=factors,
        caps=tables.caps,
        quotas=tables.quotas,
        pins=tables.pins,
        diversity=diversity,
    )
    allowed = request.allowed & tables.shown
    for hider, mask in hiders:
        if hider.shown is None:
            allowed &= mask
    return replace(request, allowed=allowed, ruling=ruling)


def turns(ruling: Ruling, request: Request) -> list[Hider | Cap]:
    """Returns the rules that give way when the list would be short, in the order in which."""
    strictness = request.query.strictness
    able: list[Hider | Cap] = [*(hider for hider, _ in ruling.hiders), *ruling.caps]
    return [
        each
        for kind in YIELD_ORDER
        for each in reversed(able)
        if isinstance(each.rule, kind) and gives_way(each.rule, strictness)
    ]


def _tuned(
    request: Request, shop: Shop, tables: RuleTables
) -> tuple[tuple[Factor, ...], tuple[str, float]]:
    """Returns the factors of all rules and of the query's tuning, and how varied the list is."""
    levels: dict[str, tuple[str, float]] = {}
    for name, rule in tables.tunes:
        for what in _LEAST:
            level = getattr(rule, what)
            if level is not None:
                levels[what] = (name, level)
    if request.query.tuning != UNTUNED:
        for what, least in _LEAST.items():
            level = getattr(request.query.tuning, what)
            if level is not None and not least <= level <= 1:
                raise InvalidQueryError(f"tuning.{what}", f"must be {least:g} to 1")
            if level is not None:
                levels[what] = (what, level)
    leanings = [
        Factor(name, shop.leaning(what, level))
        for what, (name, level) in levels.items()
        if what != "diversity" and level
    ]
    return (*tables.factors, *leanings), levels.get("diversity", ("diversity", 0.0))


def _shown(hider: Hider, request: Request, shop: Shop) -> BoolArray:
    match hider.rule:
        case HideBought() as rule:
            return _not_bought(rule, request, shop)
        case PriceBand() as rule:
            return _near(rule, request, shop)
        case _:
            raise AssertionError(hider.name)


def _not_bought(rule: HideBought, request: Request, shop: Shop) -> BoolArray:
    """Marks what was not bought lately, in any variant, shape (items,)."""
    rows = request.rows
    since = request.query.query_time - rule.days * DAY_S
    nums = rows.item_nums[(BOUGHT[rows.event_types] > 0) & (rows.last_times >= since)]
    if rule.unless.is_given:
        rules = request.query.rules or NO_RULES
        used_up = shop.members(rule.unless, rules, request.query.market)
        nums = nums[~used_up[nums]]
    shown = np.ones(len(request.allowed), dtype=np.bool_)
    shown[shop.variants(nums)] = False
    return shown


def _near(rule: PriceBand, request: Request, shop: Shop) -> BoolArray:
    """Marks what costs about as much as what the customer buys, shape (items,)."""
    price = shop.prices(request.query.market)
    own = request.bought()
    own = own[~np.isnan(price[own])]
    if not rule.column:
        if len(own) < rule.fewest:
            return np.ones(len(price), dtype=np.bool_)
        middle = float(np.median(price[own]))
        return ~((price < rule.least * middle) | (price > rule.most * middle))
    codes = shop.codes(rule.column, rule.depth, request.query.market)
    own = own[codes[own] != UNKNOWN]
    middles = np.full(int(codes.max(initial=UNKNOWN)) + 2, np.nan)
    found, values = _medians(codes[own], price[own], rule.fewest)
    middles[found] = values
    own_middle = middles[codes]  # UNKNOWN is the last one, which has none
    return ~((price < rule.least * own_middle) | (price > rule.most * own_middle))


def _medians(
    codes: NDArray[np.int32], values: NDArray[np.float64], fewest: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Returns the codes of at least so many values, and the median of each."""
    order = np.lexsort((values, codes))
    codes, values = codes[order], values[order]
    found, starts, counts = np.unique(codes, return_index=True, return_counts=True)
    middles = (values[starts + (counts - 1) // 2] + values[starts + counts // 2]) / 2
    enough = counts >= fewest
    return found[enough], middles[enough]


def pins_of(ruling: Ruling, request: Request, products: NDArray[np.int32]) -> list[Pinned]:
    """Returns the pins that hold: of items that may be shown, at places that the list has.

    Of two that want one place, or one product twice, the first in the file holds.
    """
    found: list[Pinned] = []
    allowed = (request.wider or request).allowed
    for pin in ruling.pins:
        fits = pin.position <= request.query.limit and allowed[pin.item_num]
        taken = any(
            pin.position == other.position or products[pin.item_num] == products[other.item_num]
            for other in found
        )
        if fits and not taken:
            found.append(pin)
    return found
