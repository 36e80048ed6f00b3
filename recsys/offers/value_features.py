"""What is seen of a customer and an offer: one function, for learning values and for asking them.

A row says nothing but what was known at the customer's time: states and past contacts end there.
All of it is sums over rows of a customer's state: a million customers are counted as one is.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data.state import CustomerStates
from recsys.models.known_items import places_of
from recsys.offers.offer import OfferKind
from recsys.offers.values import PastContacts, ScopedOffer
from recsys.types import (
    DAY_S,
    EVENT_CODES,
    UNKNOWN,
    EventType,
    FloatArray,
    NumArray,
    TimeArray,
)

RECENT_DAYS = (28, 91)
CUSTOMER_FEATURES = (
    "days since purchase",
    "items bought",
    "items bought, 28 days",
    "items bought, 91 days",
    "item-days bought",
    "items bought again",
    "days as a customer",
    "items looked at, 28 days",
    "contacts so far",
    "redemptions so far",
    "redemptions of contacts",
    "days since contact",
    "days since redemption",
)
OFFER_FEATURES = ("offer kind", "discount", "items in the offer", "days valid")
PAIR_FEATURES = (
    "items of the offer bought",
    "item-days of the offer bought",
    "part of the offer in item-days",
    "items of the offer bought, 28 days",
    "items of the offer bought, 91 days",
    "items of the offer looked at",
)
FEATURES = (*CUSTOMER_FEATURES, *OFFER_FEATURES, *PAIR_FEATURES)
CATEGORIES = (FEATURES.index("offer kind"),)
"""Columns whose numbers are names of something."""
SHRINKAGE = (1.0, 10.0)
"""Redemptions and contacts that everybody is taken to have had, in the share of redemptions."""
FEW_ROWS = 20_000
"""Up to so many rows are looked up in the offers one by one: one customer asks for another
selection of offers than the next, and a table of all their items would have to be made anew."""
_PURCHASE = EVENT_CODES[EventType.PURCHASE]
_KINDS = tuple(OfferKind)
_OFFER = len(CUSTOMER_FEATURES)
_PAIR = _OFFER + len(OFFER_FEATURES)


def feature_rows(
    states: CustomerStates, past: PastContacts, times: TimeArray, offers: Sequence[ScopedOffer]
) -> FloatArray:
    """Returns what is seen of every customer with every offer.

    Args:
        states: row i is the history of customer i before `times[i]`.
        past: what customer i was given before it.
        times: shape (customers,), Unix seconds.
        offers: any number.

    Returns:
        Shape (customers, offers, features) float32, features as `FEATURES` has them; NaN where
        there is nothing to say.
    """
    found = np.empty((len(states), len(offers), len(FEATURES)), dtype=np.float32)
    found[:, :, :_OFFER] = _customers(states, past, times)[:, None, :]
    found[:, :, _OFFER:_PAIR] = _offers(offers)[None, :, :]
    found[:, :, _PAIR:] = _pairs(states, times, offers, None)
    return found


def own_rows(
    states: CustomerStates,
    past: PastContacts,
    times: TimeArray,
    offers: Sequence[ScopedOffer],
    own: NDArray[np.intp],
) -> FloatArray:
    """Returns what is seen of every customer with one offer each: rows of `feature_rows`.

    Args:
        states: as for `feature_rows`.
        past: likewise.
        times: likewise.
        offers: at least one.
        own: shape (customers,): the place of each customer's offer.

    Returns:
        Shape (customers, features) float32.
    """
    found = np.empty((len(states), len(FEATURES)), dtype=np.float32)
    found[:, :_OFFER] = _customers(states, past, times)
    found[:, _OFFER:_PAIR] = _offers(offers)[own]
    found[:, _PAIR:] = _pairs(states, times, offers, own)[:, 0]
    return found


def _customers(
    states: CustomerStates, past: PastContacts, times: TimeArray
) -> NDArray[np.float64]:
    rows = states.rows
    bought = rows.event_types == _PURCHASE
    ages = (np.repeat(times, np.diff(states.offsets)) - rows.last_times) / DAY_S
    items = _summed(states, bought)
    recent = [_summed(states, bought & (ages < window)) for window in RECENT_DAYS]
    looked = _summed(states, ~bought & (ages < RECENT_DAYS[0]))
    prior = SHRINKAGE
    return np.stack(
        [
            (times - _latest(states, rows.last_times, bought)) / DAY_S,
            np.log1p(items),
            *(np.log1p(counts) for counts in recent),
            np.log1p(_summed(states, rows.days * bought)),
            _summed(states, bought & (rows.days > 1)) / np.maximum(items, 1.0),
            (times + _latest(states, -rows.first_times, bought)) / DAY_S,
            np.log1p(looked),
            np.log1p(past.contacts),
            np.log1p(past.redemptions),
            (past.redemptions + prior[0]) / (past.contacts + prior[1]),
            _since(times, past.last_contact_times),
            _since(times, past.last_redemption_times),
        ],
        axis=1,
    )


def _offers(offers: Sequence[ScopedOffer]) -> NDArray[np.float64]:
    rows = []
    for each in offers:
        offer, start, end = each.offer, each.offer.start_time, each.offer.end_time
        rows.append(
            (
                _KINDS.index(offer.kind),
                offer.discount,
                np.nan if each.item_nums is None else np.log1p(len(each.item_nums)),
                (end - start).total_seconds() / DAY_S if start and end else np.nan,
            )
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(OFFER_FEATURES))


def _pairs(
    states: CustomerStates,
    times: TimeArray,
    offers: Sequence[ScopedOffer],
    own: NDArray[np.intp] | None,
) -> NDArray[np.float64]:
    """Returns `PAIR_FEATURES`, shape (customers, offers, features), or (customers, 1, features).

    Only rows of items that an offer is about are looked at, once for each such offer.
    """
    rows, customers = states.rows, len(states)
    row, offer = _touching(rows.item_nums, offers)
    customer = states.customer_nums()[row]
    width = len(offers)
    if own is not None:
        mine = offer == own[customer]
        row, customer, offer, width = row[mine], customer[mine], np.zeros_like(offer[mine]), 1
    bought = rows.event_types[row] == _PURCHASE
    days = rows.days[row] * bought
    ages = (times[customer] - rows.last_times[row]) / DAY_S
    cells = customer.astype(np.int64) * width + offer

    def summed(values: NDArray[np.generic]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.bincount(
            cells, weights=values.astype(np.float64), minlength=customers * width
        ).astype(np.float64)
        return sums.reshape(customers, width)

    item_days = summed(days)
    total = _summed(states, rows.days * (rows.event_types == _PURCHASE))
    columns = [
        np.log1p(summed(bought)),
        np.log1p(item_days),
        item_days / np.maximum(total, 1.0)[:, None],
        *(np.log1p(summed(bought & (ages < window))) for window in RECENT_DAYS),
        np.log1p(summed(~bought)),
    ]
    return np.stack(columns, axis=2)


def _touching(
    item_nums: NumArray, offers: Sequence[ScopedOffer]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Returns each row with each offer that is about its item: places of rows, and of offers."""
    if len(item_nums) <= FEW_ROWS:
        found = [
            np.arange(len(item_nums))
            if each.item_nums is None
            else np.flatnonzero(places_of(each.item_nums, item_nums)[1])
            for each in offers
        ]
        offer = np.repeat(np.arange(len(offers)), [len(rows) for rows in found])
        return np.concatenate([np.empty(0, np.intp), *found]), offer
    members = _members(tuple(offers))
    # Items past the last that any offer names are in offers on the whole basket alone.
    items = np.minimum(item_nums, len(members.starts) - 2)
    counts = members.starts[items + 1] - members.starts[items]
    row = np.repeat(np.arange(len(items)), counts)
    firsts = np.cumsum(counts) - counts
    return row, members.offers[members.starts[items][row] + np.arange(len(row)) - firsts[row]]


class _Members(NamedTuple):
    """Which offers are about an item: `offers[starts[item]:starts[item + 1]]`."""

    starts: NDArray[np.int64]
    """Shape (items + 2,): the last entry stands for all items that no offer names."""
    offers: NDArray[np.int64]


@lru_cache(maxsize=8)
def _members(offers: tuple[ScopedOffer, ...]) -> _Members:
    named = [np.empty(0, np.int64) if e.item_nums is None else e.item_nums for e in offers]
    count = max((int(nums.max(initial=-1)) for nums in named), default=-1) + 2
    everything = np.arange(count)
    about = [everything if e.item_nums is None else e.item_nums for e in offers]
    items = np.concatenate([np.empty(0, np.int64), *about]).astype(np.int64)
    places = np.repeat(np.arange(len(offers)), [len(nums) for nums in about])
    order = np.lexsort((places, items))
    starts = np.concatenate([[0], np.cumsum(np.bincount(items, minlength=count))])
    return _Members(starts.astype(np.int64), places[order].astype(np.int64))


def _summed(states: CustomerStates, values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Sums values of rows by customer; shape (customers, ...)."""
    sums = np.zeros((len(states), *values.shape[1:]))
    filled = np.flatnonzero(np.diff(states.offsets))
    if len(filled):
        starts = states.offsets[filled] - states.offsets[0]
        # reduceat, not a running sum: a customer's sum must not hang on who stands before.
        sums[filled] = np.add.reduceat(values.astype(np.float64), starts, axis=0)
    return sums


def _latest(
    states: CustomerStates, values: TimeArray, chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Returns the largest value of each customer's chosen rows; NaN without any."""
    lowest = np.iinfo(np.int64).min
    found = np.full(len(states), lowest, dtype=np.int64)
    filled = np.flatnonzero(np.diff(states.offsets))
    if len(filled):
        kept = np.where(chosen, values, lowest)
        found[filled] = np.maximum.reduceat(kept, states.offsets[filled] - states.offsets[0])
    return np.where(found == lowest, np.nan, found.astype(np.float64))


def _since(times: TimeArray, then: TimeArray) -> NDArray[np.float64]:
    return np.where(then == UNKNOWN, np.nan, (times - then) / DAY_S)
