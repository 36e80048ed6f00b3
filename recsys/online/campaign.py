"""The result of a campaign: what its contacts brought beyond what held-out customers did anyway.

Customers are compared as they were drawn (intention to treat): whether a mail was sent, opened or
its offer redeemed decides nothing, because only one side can have done so. Everything is counted
within one window from the draw, which is fixed before anybody looks.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from recsys.errors import DataError
from recsys.online.campaign_effects import Effect, Side, effects, side, smallest
from recsys.online.campaign_reading import Ledger, outcomes, read_ledger
from recsys.online.sample_ratio import SampleRatio, sample_ratio
from recsys.store.offers import Offers
from recsys.store.plans import Plans
from recsys.store.store import Store
from recsys.types import DAY_S

DAY_US = DAY_S * 1_000_000
DEFAULT_WINDOW_DAYS = 14.0
WINDOW_DAYS = "result_window_days"
"""Key of a plan's details: the window that was fixed when it was made."""
LEAST_SIDE = 100
LEAST_BUYERS = 20
"""Customers, and buyers, of a side below which intervals of revenue are too narrow
(`docs/campaigns.md` has the simulation)."""
CONTACTED, HELD_OUT = "contacted", "held out"


class Verdict(StrEnum):
    """Whether the sides of a campaign may be compared."""

    NO_HOLD_OUT = "no hold-out: no statement"
    SAMPLE_RATIO = "sizes belie the assignment"
    TOO_EARLY = "too early"
    TOO_FEW = "too few"
    COMPARABLE = "comparable"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the contacts, as far as the ledger was told: no figure depends on it."""

    contacts: int
    sent: int
    shown: int
    opened: int
    redeemed: int
    cancelled: int
    median_delay: int | None
    """From the draw to the sending, in microseconds; None: nothing is said to be sent."""


@dataclass(frozen=True, slots=True)
class CampaignResult:
    """Everything that is reported of a campaign. Times are microseconds since 1970, UTC."""

    plan_id: str
    """Empty: it is of an offer."""
    offer_id: str
    now: int
    window: int
    """How long from the draw on purchases count, in microseconds."""
    registered_window: int | None
    """The window that the plan was made with; None: none was."""
    margin: float
    verdict: Verdict
    contacted: Side
    held_out: Side
    open_share: float
    """Part of the contacted whose window has not run out."""
    ready_time: int
    """When the window of the last one runs out."""
    sample_ratio: SampleRatio
    effects: list[Effect]
    """Empty unless the verdict is `COMPARABLE`."""
    smallest: dict[str, float]
    """By metric: the difference that four of five such campaigns would show. Empty where a side
    has nobody whose window has run out."""
    deliveries: Deliveries
    undrawn: int
    """Contacts that no draw decided; they count nowhere."""
    crossed: int
    """Customers who were drawn again with another result; the first draw counts."""
    unpriced_purchases: int


def campaign(
    store: Store,
    *,
    plan_id: str = "",
    offer_id: str = "",
    now: int,
    window: int | None = None,
    since: int = 0,
    until: int | None = None,
    margin: float = 1.0,
) -> CampaignResult:
    """Compares the contacted of a plan or an offer with those who were held out of it.

    Args:
        store: with contacts and events; it is only read.
        plan_id: of a finished plan.
        offer_id: instead: of an offer, over all plans and live calls.
        now: time of the report, in microseconds.
        window: how long from the draw on purchases count, in microseconds; None: what the plan
            was made with, else `DEFAULT_WINDOW_DAYS`.
        since: first time of draws, in microseconds.
        until: first time after the last draw; None: `now`.
        margin: the part of revenue that is gain.

    Raises:
        ValueError: not exactly one of plan and offer, or the window is not above 0.
        DataError: there is no such plan or offer, or it has no contact in that time.
    """
    if bool(plan_id) == bool(offer_id):
        message = "name a plan or an offer, and not both"
        raise ValueError(message)
    registered = _registered(store, plan_id, offer_id)
    if window is None:
        window = registered or int(DEFAULT_WINDOW_DAYS * DAY_US)
    if window <= 0:
        message = "the window must be above 0"
        raise ValueError(message)
    ledger = read_ledger(store, plan_id=plan_id, offer_id=offer_id)
    if ledger.contacts.is_empty():
        message = f"{plan_id or offer_id}: has no contacts: nothing was offered yet"
        raise DataError(message)
    end = now if until is None else until
    assigned = ledger.assigned.filter(pl.col("time").is_between(since, end, closed="left"))
    is_open = pl.col("time") + window > now
    rows, unpriced = outcomes(store, ledger, assigned.filter(~is_open), window)
    open_rows = assigned.filter(is_open)
    contacted, held_out = (
        side(
            name,
            rows.filter(pl.col("held_out") == is_held),
            int((open_rows["held_out"] == is_held).sum()),
            margin,
        )
        for name, is_held in ((CONTACTED, False), (HELD_OUT, True))
    )
    ratio = _sample_ratio(plan_id or offer_id, assigned)
    verdict = _verdict(contacted, held_out, ratio)
    comparable = verdict is Verdict.COMPARABLE
    last = assigned["time"].max()
    return CampaignResult(
        plan_id=plan_id,
        offer_id=offer_id,
        now=now,
        window=window,
        registered_window=registered,
        margin=margin,
        verdict=verdict,
        contacted=contacted,
        held_out=held_out,
        open_share=contacted.open / contacted.customers if contacted.customers else 0.0,
        ready_time=(last if isinstance(last, int) else now) + window,
        sample_ratio=ratio,
        effects=effects(rows, margin) if comparable else [],
        smallest=smallest(rows, margin) if rows["held_out"].n_unique() > 1 else {},
        deliveries=_deliveries(ledger),
        undrawn=ledger.undrawn,
        crossed=ledger.crossed,
        unpriced_purchases=unpriced,
    )


def _registered(store: Store, plan_id: str, offer_id: str) -> int | None:
    """Returns the window that a plan was made with, after a look whether there is such a thing."""
    if plan_id:
        note = Plans(store).find(plan_id)
        if note is None:
            message = f"there is no finished plan {plan_id!r}: recsys plans list URL"
            raise DataError(message, plan_id=plan_id)
        days = json.loads(note.details).get(WINDOW_DAYS)
        return None if days is None else int(days * DAY_US)
    if offer_id not in Offers(store).of([offer_id]):
        message = f"there is no offer {offer_id!r}: recsys serving offers list"
        raise DataError(message, offer_id=offer_id)
    return None


def _sample_ratio(name: str, assigned: pl.DataFrame) -> SampleRatio:
    held_out = float(assigned["share"].sum())
    counts = {True: 0, False: 0, **dict(assigned["held_out"].value_counts().iter_rows())}
    return sample_ratio(
        name,
        "",
        {CONTACTED: len(assigned) - held_out, HELD_OUT: held_out},
        {CONTACTED: counts[False], HELD_OUT: counts[True]},
    )


def _verdict(contacted: Side, held_out: Side, ratio: SampleRatio) -> Verdict:
    if not held_out.customers:
        return Verdict.SAMPLE_RATIO if ratio.mismatch else Verdict.NO_HOLD_OUT
    if ratio.mismatch:
        return Verdict.SAMPLE_RATIO
    if contacted.open or held_out.open:
        return Verdict.TOO_EARLY
    sides = contacted, held_out
    if any(each.customers < LEAST_SIDE or each.buyers < LEAST_BUYERS for each in sides):
        return Verdict.TOO_FEW
    return Verdict.COMPARABLE


def _deliveries(ledger: Ledger) -> Deliveries:
    given = ledger.contacts.filter(~pl.col("held_out"))
    delay = (given["sent_time"] - given["choose_time"]).median()
    return Deliveries(
        contacts=len(given),
        median_delay=int(delay) if isinstance(delay, float | int) else None,
        **{
            state: len(given) - given[f"{state}_time"].null_count()
            for state in ("sent", "shown", "opened", "redeemed", "cancelled")
        },
    )
