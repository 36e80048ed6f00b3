"""What the impressions of a placement, bundle and arm were followed by."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from recsys.online.ratios import Estimate, ratio
from recsys.store.impressions import Group, Loss

METRICS: dict[str, tuple[str, float, float]] = {
    "click_through_rate": ("clicked", 1.0, 1.0),
    "conversion_rate": ("bought", 1.0, 1.0),
    "revenue_per_thousand": ("revenue", 1000.0, float("inf")),
}
"""By name: the column of an impression that is summed, for how many impressions, and the most
that there can be of it."""
_UNKNOWN = Estimate(0.0, None, None)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one group's impressions were followed by."""

    group: Group
    impressions: int
    customers: int
    """Who saw them; each answer to nobody in particular counts as one."""
    lost: int
    """Impressions that were answered and could not be logged: no figure counts them."""
    click_through_rate: Estimate
    """Share of impressions with an attributed view, click or add-to-cart."""
    conversion_rate: Estimate
    """Share of impressions with an attributed purchase."""
    revenue_per_thousand: Estimate
    """Quantity x unit price of attributed purchases, for a thousand impressions."""


def figures(rows: pl.DataFrame, losses: Sequence[Loss]) -> Iterator[Figures]:
    """Yields the figures of every group, and those of each placement of several groups.

    Args:
        rows: impressions with what followed, as `outcomes` returns them.
        losses: of the same time; a group may have nothing else.
    """
    lost: Counter[Group] = Counter()
    for loss in losses:
        lost[Group(loss.placement, loss.bundle_version, loss.experiment, loss.arm)] += loss.lost
    by_group = {Group(*map(str, key)): part for key, part in rows.group_by(Group._fields)}
    groups = sorted(by_group.keys() | lost.keys())
    for placement in sorted({group.placement for group in groups}):
        of_it = [group for group in groups if group.placement == placement]
        for group in of_it:
            yield _figures(group, by_group.get(group, rows.clear()), lost[group])
        if len(of_it) > 1:
            whole = rows.filter(pl.col("placement") == placement)
            yield _figures(Group(placement, "", "", ""), whole, sum(lost[each] for each in of_it))


@dataclass(frozen=True, slots=True)
class Day:
    """What a placement's impressions of one day (UTC) were followed by, whenever that was."""

    placement: str
    day: date
    impressions: int
    click_through_rate: float
    conversion_rate: float
    revenue_per_thousand: float


def days(rows: pl.DataFrame) -> Iterator[Day]:
    """Yields every day of every placement that has impressions.

    Args:
        rows: impressions with what followed, as `outcomes` returns them.
    """
    per_day = (
        rows.group_by("placement", day=pl.from_epoch("answer_time", time_unit="us").dt.date())
        .agg(
            impressions=pl.len(),
            **{name: pl.col(of).mean() * factor for name, (of, factor, _) in METRICS.items()},
        )
        .sort("placement", "day")
    )
    yield from (Day(**row) for row in per_day.iter_rows(named=True))


def by_customer(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns by customer the number of impressions and all sums, float64, in a fixed order."""
    return (
        rows.group_by("customer")
        .agg(
            impressions=pl.len().cast(pl.Float64),
            **{column: pl.col(column).sum() for column, _, _ in METRICS.values()},
        )
        .sort("customer")
    )


def _figures(group: Group, rows: pl.DataFrame, lost: int) -> Figures:
    sums = by_customer(rows)
    estimates = {metric: estimate(metric, sums) for metric in METRICS}
    return Figures(group, len(rows), len(sums), lost, **estimates)


def estimate(metric: str, sums: pl.DataFrame) -> Estimate:
    """Returns a metric's estimate from sums by customer; without customers 0, and no interval."""
    column, factor, most = METRICS[metric]
    if sums.is_empty():
        return _UNKNOWN
    found = ratio(sums[column].to_numpy(), sums["impressions"].to_numpy())
    return found.within(0.0, most).times(factor)
