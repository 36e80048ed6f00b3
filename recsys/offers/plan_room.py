"""How many contacts customers may still have, by the contacts that they had."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.live.contact_limits import ContactCap, ContactLimits
from recsys.offers.offer import MICROS, Offer
from recsys.offers.values import PastContacts
from recsys.types import DAY_S, BoolArray, CodeArray, NumArray, TimeArray


class Past(NamedTuple):
    """Contacts of customers of a bundle, in no order; all arrays have one value for each."""

    customer_nums: NumArray
    offers: NumArray
    """Places among the offers that are planned; `UNKNOWN` for others."""
    channels: NumArray
    """Places in the names of channels that `names` has."""
    times: TimeArray
    """Microseconds since 1970, UTC."""
    held_out: BoolArray
    redeemed_times: TimeArray
    """`UNKNOWN` where there was no redemption."""
    names: Sequence[str]


class Room(NamedTuple):
    """What caps leave."""

    room: CodeArray
    """Shape (customers, channels) uint8."""
    most: CodeArray
    """Shape (customers,) uint8."""


def room_at(
    limits: ContactLimits,
    past: Past,
    customers: int,
    *,
    channels: Sequence[str],
    time: int,
    most: int,
) -> Room:
    """Returns how many contacts customers may have at a time.

    A contact counts for a cap if it lies within the cap's days before the time or after it, so
    that no stretch of that length has too many. A cap on several channels, but not on all of the
    plan's, is taken to be one on all of them: nobody gets too many, some might have got more.

    Args:
        limits: of the deployment file.
        past: contacts so far.
        customers: their number.
        channels: of the plan.
        time: microseconds since 1970, UTC.
        most: contacts of one customer in the plan.
    """
    room = np.full((customers, len(channels)), most, dtype=np.int64)
    overall = np.full(customers, most, dtype=np.int64)
    for cap in limits.caps:
        inside = [place for place, name in enumerate(channels) if _counts(cap, name)]
        if not inside:
            continue
        left = np.maximum(cap.most - _had(cap, past, customers, time), 0)
        if len(inside) == 1:
            room[:, inside[0]] = np.minimum(room[:, inside[0]], left)
        if len(inside) > 1 or len(channels) == 1:
            overall = np.minimum(overall, left)
    return Room(room.astype(np.uint8), overall.astype(np.uint8))


def cooling(
    offers: Sequence[Offer], past: Past, time: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns customers and places of offers that they had too lately to get them again."""
    spans = np.array([offer.cooldown_days * DAY_S * MICROS for offer in offers] + [0.0])
    found = np.flatnonzero(np.abs(time - past.times) < spans[past.offers])
    return past.customer_nums[found].astype(np.int64), past.offers[found].astype(np.int64)


def contacts_of(past: Past, customers: int, time: int) -> PastContacts:
    """Returns what customers were given before a time, microseconds since 1970, UTC."""
    real = ~past.held_out & (past.times < time)
    redeemed = real & (past.redeemed_times >= 0) & (past.redeemed_times < time)
    return PastContacts(
        np.bincount(past.customer_nums[real], minlength=customers).astype(np.int32),
        np.bincount(past.customer_nums[redeemed], minlength=customers).astype(np.int32),
        _latest(past.customer_nums[real], past.times[real], customers),
        _latest(past.customer_nums[redeemed], past.redeemed_times[redeemed], customers),
    )


def purposes(limits: ContactLimits, channels: Sequence[str]) -> Mapping[str, str]:
    """Returns which field of `Consent` each channel needs."""
    emails = limits.email_channels
    return {name: "use_in_email" if name in emails else "recommend_on_site" for name in channels}


def _counts(cap: ContactCap, channel: str) -> bool:
    return not cap.channels or channel in cap.channels


def _had(cap: ContactCap, past: Past, customers: int, time: int) -> NDArray[np.int64]:
    counted = np.array([_counts(cap, name) for name in past.names] or [False])
    window = cap.days * DAY_S * MICROS
    inside = counted[past.channels] & (np.abs(time - past.times) < window)
    return np.bincount(past.customer_nums[inside], minlength=customers)


def _latest(nums: NumArray, times: TimeArray, customers: int) -> TimeArray:
    latest = np.full(customers, -1, dtype=np.int64)
    np.maximum.at(latest, nums, times // MICROS)
    return latest
