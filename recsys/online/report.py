"""The online report: what each placement, bundle and arm brought, and whether arms differ."""

from dataclasses import dataclass

import polars as pl

from recsys.online.attribute import Tally, attribute, outcomes
from recsys.online.comparisons import Comparison, comparisons, sample_ratios
from recsys.online.figures import Day, Figures, days, figures
from recsys.online.reading import observe
from recsys.online.sample_ratio import SampleRatio
from recsys.store.store import Store

HOUR_US = 3_600_000_000
DEFAULT_WINDOW_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class OnlineReport:
    """All figures of one stretch of time; times are in microseconds since 1970, UTC."""

    since: int
    until: int
    window: int
    figures: list[Figures]
    """One for each group, and for a placement of several groups one more, with the other names
    empty, of all of them."""
    days: list[Day]
    comparisons: list[Comparison]
    sample_ratios: list[SampleRatio]
    tally: Tally
    lost: int
    """Impressions of the time that were answered and could not be logged."""
    open_impressions: int
    """Answered less than a window before `now`: more may still follow."""


def report(
    store: Store, *, since: int, until: int, now: int, window: int = DEFAULT_WINDOW_US
) -> OnlineReport:
    """Makes the report from the store alone.

    Args:
        store: with impressions and events.
        since: first time of impressions, in microseconds.
        until: first time after the last impression.
        now: the time of the report.
        window: how long after an impression events may follow from it, in microseconds.
    """
    observed = observe(store, since=since, until=until, window=window)
    attributed, tally = attribute(observed)
    shown = observed.impressions.filter(pl.col("answer_time") < until)
    rows = outcomes(shown, attributed)
    experiments = observed.experiments
    return OnlineReport(
        since=since,
        until=until,
        window=window,
        figures=list(figures(rows, observed.losses)),
        days=list(days(rows)),
        comparisons=list(comparisons(rows, experiments)),
        sample_ratios=list(sample_ratios(shown, experiments)),
        tally=tally,
        lost=sum(loss.lost for loss in observed.losses),
        open_impressions=int((shown["answer_time"] > now - window).sum()),
    )
