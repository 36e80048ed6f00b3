"""What the two sides of a campaign brought, and the difference between them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import polars as pl

from recsys.metrics.hits import ValueArray
from recsys.online.ratios import Estimate, change, difference, ratio, smallest_difference

METRICS = ("conversion", "revenue", "cost", "gain")
"""For each customer: whether anything was bought, what was paid, what the campaign cost, and the
margin of the revenue less the cost."""
_UNKNOWN = Estimate(0.0, None, None)
_Sums: TypeAlias = tuple[ValueArray, ValueArray, ValueArray, ValueArray]


class EffectVerdict(StrEnum):
    """What the interval of a difference says."""

    MORE = "more"
    LESS = "less"
    TOO_FEW = "too few to tell"


@dataclass(frozen=True, slots=True)
class Side:
    """The contacted, or the held-out, as they were drawn."""

    name: str
    customers: int
    open: int
    """Those whose window has not run out; no figure counts them."""
    buyers: int
    """Customers who bought within the window."""
    conversion: Estimate
    """Part of the customers who bought."""
    revenue: Estimate
    """What a customer paid, returns taken off."""
    cost: Estimate
    """What the campaign cost for a customer."""
    gain: Estimate
    """The margin of the revenue less the cost, for a customer."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What being contacted changed, in one figure."""

    metric: str
    """One of `METRICS`."""
    contacted: Estimate
    held_out: Estimate
    difference: Estimate
    """For one customer."""
    total: Estimate
    """The difference times the contacted."""
    change: Estimate | None
    """The difference as a part of the held-out's figure; None: that is not above 0."""

    @property
    def verdict(self) -> EffectVerdict:
        """Returns what the difference's interval says."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None or low <= 0 <= high:
            return EffectVerdict.TOO_FEW
        return EffectVerdict.MORE if low > 0 else EffectVerdict.LESS


def side(name: str, rows: pl.DataFrame, waiting: int, margin: float) -> Side:
    """Returns the figures of a side.

    Args:
        name: of the side.
        rows: of its customers whose window has run out, as `outcomes` returns them.
        waiting: customers whose window has not.
        margin: the part of revenue that is gain.
    """
    weights = _weights(rows)
    figures = {
        metric: _figure(metric, _values(rows, metric, margin), weights) for metric in METRICS
    }
    return Side(name, len(rows) + waiting, waiting, int(rows["bought"].sum()), **figures)


def effects(rows: pl.DataFrame, margin: float) -> list[Effect]:
    """Returns the difference between the sides in each of `METRICS`.

    Args:
        rows: of both sides, as `outcomes` returns them; some of each.
        margin: the part of revenue that is gain.
    """
    treated, weights = ~rows["held_out"].to_numpy(), _weights(rows)
    found = []
    for metric in METRICS:
        values = _values(rows, metric, margin)
        sums = _sums(rows, metric, margin)
        estimate = difference(*sums)
        found.append(
            Effect(
                metric,
                _figure(metric, values[treated], weights[treated]),
                _figure(metric, values[~treated], weights[~treated]),
                estimate,
                estimate.times(float(treated.sum())),
                change(*sums),
            )
        )
    return found


def smallest(rows: pl.DataFrame, margin: float) -> dict[str, float]:
    """Returns for each of `METRICS` the difference that such a campaign would probably show.

    Args:
        rows: of both sides, as `outcomes` returns them; some of each.
        margin: the part of revenue that is gain.
    """
    return {metric: smallest_difference(*_sums(rows, metric, margin)) for metric in METRICS}


def _sums(rows: pl.DataFrame, metric: str, margin: float) -> _Sums:
    """Returns weighted values and weights of the contacted, then of the held-out, of all rows."""
    held_out, weights = rows["held_out"].to_numpy(), _weights(rows)
    values = _values(rows, metric, margin)
    treated, untreated = weights * ~held_out, weights * held_out
    return values * treated, treated, values * untreated, untreated


def _weights(rows: pl.DataFrame) -> ValueArray:
    """Returns one over the probability of the side that a customer was drawn to.

    Where all were drawn alike these are the same for a whole side, and means are plain means.
    Where the share changed, customers of each share weigh alike on both sides (Hájek).
    """
    share, held_out = rows["share"].to_numpy(), rows["held_out"].to_numpy()
    weights: ValueArray = 1.0 / np.where(held_out, share, 1.0 - share)
    return weights


def _values(rows: pl.DataFrame, metric: str, margin: float) -> ValueArray:
    if metric == "gain":
        return (margin * rows["revenue"] - rows["cost"]).to_numpy()
    return rows["bought" if metric == "conversion" else metric].to_numpy()


def _figure(metric: str, values: ValueArray, weights: ValueArray) -> Estimate:
    if not len(values):
        return _UNKNOWN
    found = ratio(values * weights, weights)
    return found.within(0.0, 1.0) if metric == "conversion" else found
