"""Learning curves: what more history, or more customers, is worth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import numpy as np
import polars as pl

from recsys.backtest.outcomes import Contender, Outcome, Study, measure
from recsys.backtest.significance import bootstrap
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.types import BoolArray

SHARES = (1 / 8, 1 / 4, 1 / 2)
"""Parts of the training side that are fitted on, beside the whole."""


class Of(StrEnum):
    """What training data are cut down by."""

    HISTORY = "history"
    """The latest part of the training time: what older events are worth."""
    CUSTOMERS = "customers"
    """A random part of the customers: what a larger shop knows better."""


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """What one configuration reaches with a part of the training side."""

    placement: str
    configuration: str
    share: float
    value: float
    low: float
    high: float
    customers: int


def learning_curve(
    split: Split,
    contenders: Callable[[Split], Sequence[Contender]],
    study: Study,
    whole: Mapping[str, Outcome],
    *,
    of: Of,
    metric: str,
    progress: Progress = silent,
) -> list[LearningPoint]:
    """Refits contenders on parts of the training side and judges all on the same customers.

    By history those are all customers. By customers those of the smallest part, who are in every
    larger one: only for them a fit knows what they bought before.

    Args:
        split: what to fit on and what to judge by.
        contenders: makes them for a split with a smaller training side.
        study: what to measure.
        whole: what the contenders did with everything (`measure`).
        of: what the training side is cut down by.
        metric: a mean over customers, at the largest k of the study.
        progress: hears of every fit.

    Raises:
        DataError: a part has no usable event.
        ConfigError: there is no such metric.
    """
    chosen = split.customers.series().is_in(_part(split, SHARES[0], study.seed).implode())
    judged = chosen.to_numpy() if of is Of.CUSTOMERS else np.ones(len(split.customers), np.bool_)
    points: list[LearningPoint] = []
    for share in SHARES:
        part = _shortened(split, share) if of is Of.HISTORY else _of_part(split, share, study.seed)
        said = f"{share:.0%} of the {of}"

        def told(stage: str, done: int, total: int | None = None, said: str = said) -> None:
            progress(f"{said}: {stage}", done, total)

        outcomes = measure(part, contenders(part), study, progress=told)
        points += _points(outcomes, study, judged, share, metric)
    return points + list(_points(whole, study, judged, 1.0, metric))


def _shortened(split: Split, share: float) -> Split:
    """Returns the split with the latest part of its training time only."""
    events = split.train.events
    first = events.select(pl.col("event_time").min()).collect().item()
    start = split.cutoff - share * (split.cutoff - (first or split.cutoff - timedelta(days=1)))
    kept = events.filter(pl.col("event_time") >= pl.lit(start))
    return replace(split, train=replace(split.train, events=kept))


def _of_part(split: Split, share: float, seed: int) -> Split:
    """Returns the split with the training events of some customers only."""
    part = _part(split, share, seed)
    kept = split.train.events.filter(pl.col("customer_id").is_in(part.implode()))
    return replace(split, train=replace(split.train, events=kept))


def _part(split: Split, share: float, seed: int) -> pl.Series:
    """Returns ids of a random part of the training customers; larger parts hold smaller ones."""
    ids = split.train.events.select(pl.col("customer_id").unique().sort()).collect().to_series()
    order = np.random.default_rng(seed).permutation(len(ids))
    return ids.gather(order[: max(1, round(share * len(ids)))])


def _points(
    outcomes: Mapping[str, Outcome], study: Study, judged: BoolArray, share: float, metric: str
) -> Iterator[LearningPoint]:
    for placement, outcome in outcomes.items():
        rows = judged[outcome.cases.customer_nums]
        for name, values in outcome.values(metric, max(study.ks)).items():
            known = values[rows & ~np.isnan(values)]
            if len(known):
                (mean,) = bootstrap(known[:, None], seed=study.seed)
                found = (mean.value, mean.low, mean.high)
                yield LearningPoint(placement, name, share, *found, customers=len(known))
