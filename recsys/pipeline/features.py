"""What a ranker sees of a candidate: one function, for fitting and for serving.

Nothing here reads more than a request and a table made from states, so a row of a past cut-off
is made by the very lines that make a row of a live request.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.state import CustomerStates
from recsys.pipeline.query import Ranked
from recsys.pipeline.request import BOUGHT, Request
from recsys.types import DAY_S, FloatArray, NumArray

RECENT_DAYS = (7, 28, 91)
"""Windows in which the customers of an item are counted."""
SHRINKAGE = 5.0
"""Buyers' worth of the shop's mean in an item's share of repeaters."""

ITEM_FEATURES = (
    "item_buyers",
    *(f"item_buyers_{days}d" for days in RECENT_DAYS),
    "item_trend",
    "item_repeaters",
    "item_gap_days",
    "item_age_days",
    "item_price",
)
CUSTOMER_FEATURES = (
    "customer_items",
    "customer_repeaters",
    "customer_days_since",
    "customer_span_days",
)
PAIR_FEATURES = (
    "bought_days",
    "bought_share",
    "bought_since",
    "bought_span",
    "bought_gap",
    "bought_due",
    "touched_days",
    "touched_since",
)


def feature_names(sources: Sequence[str], half_lives_days: Sequence[float]) -> tuple[str, ...]:
    """Returns the names of the columns, in order."""
    return (
        "blend",
        "blend_rank",
        *(f"share:{name}" for name in sources),
        *PAIR_FEATURES,
        *(f"bought_decayed_{days:g}d" for days in half_lives_days),
        *CUSTOMER_FEATURES,
        *ITEM_FEATURES,
    )


def schema_hash(names: Sequence[str]) -> str:
    """Returns SHA-256 in hex over names, order and type: equal where a ranker may be used."""
    return hashlib.sha256("\n".join(["float32", *names]).encode()).hexdigest()


def item_table(states: CustomerStates, catalogue: Catalogue) -> FloatArray:
    """Returns `ITEM_FEATURES` of all items, shape (items, features) float32, row-major.

    Ages are counted from the states' reference time; NaN says that there is nothing to count.
    """
    price = catalogue.frame["price"].to_numpy().astype(np.float64)
    return _item_rows(states, price)


def unseen_items(states: CustomerStates, count: int) -> FloatArray:
    """Returns `ITEM_FEATURES` of items that no event is of, without a price.

    Shape (count, features) float32, row-major.
    """
    rows = states.rows.item_nums
    known = int(rows.max(initial=-1)) + 1
    return _item_rows(states, np.full(known + count, np.nan))[known:]


def with_prices(table: FloatArray, catalogue: Catalogue) -> FloatArray:
    """Returns the table with the prices of a catalogue of as many items."""
    table = table.copy()
    price = catalogue.frame["price"].to_numpy().astype(np.float64)
    table[:, ITEM_FEATURES.index("item_price")] = _log_prices(price)
    return table


def _log_prices(price: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.log1p(np.maximum(price, 0.0))


def _item_rows(states: CustomerStates, price: NDArray[np.float64]) -> FloatArray:
    rows, items, now = states.rows, len(price), states.scale.reference_time
    bought = BOUGHT[rows.event_types] > 0
    nums, days = rows.item_nums[bought], rows.days[bought]
    last, first = rows.last_times[bought], rows.first_times[bought]
    buyers = np.bincount(nums, minlength=items).astype(np.float64)
    recent = [
        np.bincount(nums[last >= now - window * DAY_S], minlength=items).astype(np.float64)
        for window in RECENT_DAYS
    ]
    again = days > 1
    repeaters = np.bincount(nums[again], minlength=items).astype(np.float64)
    mean_share = repeaters.sum() / max(buyers.sum(), 1.0)
    share = (repeaters + SHRINKAGE * mean_share) / (buyers + SHRINKAGE)
    gaps = (last[again] - first[again]) / DAY_S / (days[again] - 1)
    gap_sums = np.bincount(nums[again], weights=gaps, minlength=items)
    earliest = np.full(items, now, dtype=np.int64)
    np.minimum.at(earliest, rows.item_nums, rows.first_times)
    seen = np.bincount(rows.item_nums, minlength=items) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(repeaters > 0, gap_sums / repeaters, np.nan)
        trend = (recent[1] + 1.0) / (buyers - recent[1] + 1.0)
        columns = [
            np.log1p(buyers),
            *(np.log1p(counts) for counts in recent),
            np.log(trend),
            share,
            gap,
            np.where(seen, (now - earliest) / DAY_S, np.nan),
            _log_prices(price),
        ]
    return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float32)


def features(
    request: Request,
    ranked: Ranked,
    shares: FloatArray,
    table: FloatArray,
    half_lives_days: Sequence[float],
) -> FloatArray:
    """Returns one row for each candidate, columns as `feature_names` has them.

    Args:
        request: the query in numbers.
        ranked: the candidates by the blend, best first.
        shares: of the same candidates, shape (rows, sources).
        table: what `item_table` gave.
        half_lives_days: of the scale's, those with a column.

    Returns:
        Shape (rows, features) float32; NaN where there is nothing to say.
    """
    rows, sources = shares.shape
    pairs = _pairs(request, ranked.item_nums, half_lives_days)
    # One array, written block by block: stacking thirty columns takes longer.
    found = np.empty(
        (rows, 2 + sources + len(pairs) + len(CUSTOMER_FEATURES) + table.shape[1]), np.float32
    )
    if rows:
        found[:, 0] = ranked.scores / max(float(ranked.scores[0]), 1e-12)
    found[:, 1] = np.arange(rows)
    found[:, 2 : 2 + sources] = shares
    for place, column in enumerate(pairs, start=2 + sources):
        found[:, place] = column
    rest = 2 + sources + len(pairs)
    found[:, rest : rest + len(CUSTOMER_FEATURES)] = _customer(request)
    found[:, rest + len(CUSTOMER_FEATURES) :] = table[ranked.item_nums]
    return found


def _pairs(
    request: Request, item_nums: NumArray, half_lives_days: Sequence[float]
) -> list[NDArray[np.floating]]:
    """Returns what the customer did with each candidate: `PAIR_FEATURES`, and faded counts."""
    rows, now = request.rows, request.query.query_time
    bought = np.flatnonzero(BOUGHT[rows.event_types] > 0)
    places, known = _find(rows.item_nums[bought], item_nums)
    own = bought[places[known]]
    days = np.zeros(len(item_nums), dtype=np.float64)
    days[known] = rows.days[own]
    total = float(rows.days[bought].sum())
    since, span = _nothing(item_nums), _nothing(item_nums)
    since[known] = (now - rows.last_times[own]) / DAY_S
    span[known] = (rows.last_times[own] - rows.first_times[own]) / DAY_S
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(days > 1, span / (days - 1), np.nan)
        due = since / np.maximum(gap, 1.0)
    touched = np.flatnonzero(BOUGHT[rows.event_types] == 0)
    touched_days, touched_since = np.zeros(len(item_nums)), _nothing(item_nums)
    if len(touched):
        nums, owners = np.unique(rows.item_nums[touched], return_inverse=True)
        counts = np.bincount(owners, weights=rows.days[touched])
        latest = np.zeros(len(nums), dtype=np.int64)
        np.maximum.at(latest, owners, rows.last_times[touched])
        places, found = _find(nums, item_nums)
        touched_days[found] = counts[places[found]]
        touched_since[found] = (now - latest[places[found]]) / DAY_S
    decayed = []
    for half_life in half_lives_days:
        weights, column = np.zeros(len(item_nums)), request.scale.column(half_life)
        weights[known] = rows.decayed[own, column] * request.scale.seen_from(now, half_life)
        decayed.append(weights)
    share = days / max(total, 1.0)
    return [days, share, since, span, gap, due, touched_days, touched_since, *decayed]


def _customer(request: Request) -> tuple[float, ...]:
    """Returns what is known of the customer, in the order of `CUSTOMER_FEATURES`."""
    rows, now = request.rows, request.query.query_time
    bought = BOUGHT[rows.event_types] > 0
    days = rows.days[bought]
    if len(days) == 0:
        return 0.0, np.nan, np.nan, np.nan
    last, first = int(rows.last_times[bought].max()), int(rows.first_times[bought].min())
    return (
        float(np.log1p(len(days))),
        float(np.mean(days > 1)),
        (now - last) / DAY_S,
        (last - first) / DAY_S,
    )


def _find(nums: NumArray, wanted: NumArray) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Returns where each wanted number stands among ascending ones, and whether it does."""
    places = np.searchsorted(nums, wanted)
    if len(nums) == 0:
        return places, np.zeros(len(wanted), dtype=bool)
    places[places == len(nums)] = 0
    return places, nums[places] == wanted


def _nothing(item_nums: NumArray) -> NDArray[np.float64]:
    return np.full(len(item_nums), np.nan)
