"""One moment, or several: fitted on what lay before, judged by what came after."""

from datetime import datetime, timedelta
from functools import partial

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.splits import Split, temporal_split
from recsys.errors import DataError
from recsys.protocols.hold_back import HELD_SHARE, IS_PURCHASE
from recsys.protocols.holdout import HoldOut
from recsys.protocols.mask import Mask

TEMPORAL, ROLLING_ORIGIN = "temporal", "rolling-origin"
DEFAULT_TEST_DAYS = 28
DEFAULT_FOLDS = 3
_ENOUGH_PASTS = 3
"""A test part of some days needs so many times its length of data."""


def temporal(
    dataset: Dataset,
    *,
    cutoff: datetime | None = None,
    test_days: int | None = None,
    min_item_events: int = 0,
    mask: Mask | None = None,
    protocol: str = TEMPORAL,
) -> HoldOut:
    """Cuts a data set once, for everybody at the same moment.

    Args:
        dataset: with real times.
        cutoff: with a time zone; events at it belong to the test side.
        test_days: instead of `cutoff`: days of the test side. Without either the last 28, or of
            data that are short for that the last fifth of purchases.
        min_item_events: keeps only items with so many purchases before the cutoff.
        mask: what lists and truth leave out; None: what each placement does by itself.
        protocol: the name in figures.

    Raises:
        DataError: one of the sides is empty.
    """
    days = test_days or DEFAULT_TEST_DAYS
    if cutoff is None and test_days is None:
        first, last = _span(dataset)
        if _reaches_back(first, last, days):
            test_days = days
        else:
            cutoff = last_fifth(dataset)
    split = temporal_split(
        dataset, cutoff=cutoff, test_days=test_days, min_item_events=min_item_events
    )
    return HoldOut(
        protocol=protocol,
        variant=variant(split, min_item_events, mask),
        split=split,
        inner=partial(earlier, days, min_item_events),
        mask=mask,
    )


def rolling_origin(
    dataset: Dataset,
    *,
    test_days: int = DEFAULT_TEST_DAYS,
    folds: int = DEFAULT_FOLDS,
    min_item_events: int = 0,
    mask: Mask | None = None,
) -> tuple[HoldOut, ...]:
    """Cuts a data set several times; each test side ends where the next one begins.

    Tashman: Out-of-sample tests of forecasting accuracy, International Journal of Forecasting
    16(4), 2000.

    Args:
        dataset: with real times.
        test_days: days of each test side.
        folds: how many cuts.
        min_item_events: as in `temporal`, counted before each cutoff.
        mask: as in `temporal`.

    Returns:
        The hold-outs, oldest first; each knows nothing of what came after its own test side.

    Raises:
        DataError: one of the sides of a cut is empty: the data do not reach back far enough.
    """
    _, last = _span(dataset)
    end = last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    held: list[HoldOut] = []
    for number in range(folds):
        until = end - timedelta(days=test_days * number)
        fold = temporal(
            dataset.before(until),
            cutoff=until - timedelta(days=test_days),
            min_item_events=min_item_events,
            mask=mask,
            protocol=ROLLING_ORIGIN,
        )
        held.insert(0, fold)
    return tuple(held)


def earlier(days: int, min_item_events: int, split: Split) -> Split:
    """Cuts the training side so many days before its end; short data before their last fifth."""
    return latest(split.train, split.cutoff, days=days, min_item_events=min_item_events)


def latest(
    dataset: Dataset,
    end: datetime | None = None,
    *,
    days: int = DEFAULT_TEST_DAYS,
    min_item_events: int = 0,
) -> Split:
    """Cuts a data set so many days before its end; short data before their last fifth.

    Args:
        dataset: with real times.
        end: when the data end; default: the last event.
        days: of the test side.
        min_item_events: keeps only items with so many purchases before the cutoff.

    Raises:
        DataError: one of the sides is empty.
    """
    first, last = _span(dataset)
    end = end or last + timedelta(seconds=1)
    long_enough = _reaches_back(first, end, days)
    cutoff = end - timedelta(days=days) if long_enough else last_fifth(dataset)
    return temporal_split(dataset, cutoff=cutoff, min_item_events=min_item_events)


def by_time(split: Split) -> Split:
    """Cuts the training side in time, so that its last fifth of purchases is judged by."""
    return temporal_split(split.train, cutoff=last_fifth(split.train))


def last_fifth(dataset: Dataset) -> datetime:
    """Returns the moment from which on a fifth of all purchases happened.

    Raises:
        DataError: there are none.
    """
    bought = dataset.events.filter(IS_PURCHASE)
    share = pl.col("event_time").quantile(1 - HELD_SHARE, interpolation="nearest")
    moment = bought.select(share).collect().item()
    if not isinstance(moment, datetime):
        message = "the data have no purchases to split by"
        raise DataError(message)
    return moment


def _span(dataset: Dataset) -> tuple[datetime, datetime]:
    """Returns the times of the first and the last event.

    Raises:
        DataError: there is none.
    """
    times = pl.col("event_time")
    first, last = dataset.events.select(first=times.min(), last=times.max()).collect().row(0)
    if first is None:
        message = "the data set has no events to split"
        raise DataError(message)
    return first, last


def _reaches_back(first: datetime, end: datetime, days: int) -> bool:
    """Says whether there is enough to learn from before so many last days."""
    return end - first >= timedelta(days=days * _ENOUGH_PASTS)


def variant(split: Split, min_item_events: int, mask: Mask | None = None) -> str:
    """Returns what else defines the protocol, as rows say it."""
    cutoff = split.cutoff
    midnight = cutoff.time() == datetime.min.time()
    said = f"cutoff={cutoff:%Y-%m-%d}" if midnight else f"cutoff={cutoff:%Y-%m-%dT%H:%M:%SZ}"
    said += f" min_item_events={min_item_events}" if min_item_events else ""
    return said if mask is None else f"{said} mask={mask.value}"
