"""Holds a tuned configuration against what it began with, through the recommender that serves."""

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.assembly import FitConfig, assemble
from recsys.backtest.run import judge
from recsys.backtest.significance import Interval, bootstrap
from recsys.choice.choose import K
from recsys.data.progress import Progress
from recsys.fitting.fit import fit
from recsys.fitting.reduce import needed
from recsys.metrics.hits import ValueArray
from recsys.metrics.ndcg import ndcg_at
from recsys.protocols.cases import Cases
from recsys.protocols.mask import with_mask
from recsys.tuning.job import Job


@dataclass(frozen=True, slots=True)
class Verdict:
    """One placement before and after, on the customers that chose: an optimistic figure."""

    customers: int
    before: float
    """Mean ndcg@20 of the menu's best blend."""
    after: float
    gain: Interval
    """Mean of the differences, customer by customer, with its bounds."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A configuration, and how it came about."""

    config: FitConfig
    verdicts: Mapping[str, Verdict]
    """By placement."""
    done: int
    """Settings tried, also by earlier runs."""
    given_up: int
    """Of these."""


def verdicts(
    job: Job, cases: Mapping[str, Cases], before: FitConfig, after: FitConfig, progress: Progress
) -> dict[str, Verdict]:
    """Fits both configurations on the training side and asks both the same questions."""
    old, new = (_figures(job, cases, config, progress) for config in (before, after))
    found: dict[str, Verdict] = {}
    for name in cases:
        (gain,) = bootstrap((new[name] - old[name])[:, None], seed=job.seed)
        means = float(old[name].mean()), float(new[name].mean())
        found[name] = Verdict(len(old[name]), *means, gain)
    return found


def _figures(
    job: Job, cases: Mapping[str, Cases], config: FitConfig, progress: Progress
) -> dict[str, ValueArray]:
    wanted = needed(config, list(cases))
    wanted = wanted.model_copy(update={"placements": with_mask(wanted.placements, job.mask)})
    fitted = fit(job.split.train, wanted, end_time=job.split.cutoff, progress=progress)
    recommender = assemble(fitted.pipeline, "tuning")
    judged = {name: judge(recommender, job.split, theirs) for name, theirs in cases.items()}
    return {name: ndcg_at(found.hits, found.truth_sizes, K) for name, found in judged.items()}
