"""Several configurations on one split: one table, and whether the differences are real."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from recsys.backtest.background import Background, background
from recsys.backtest.item_facts import item_facts
from recsys.backtest.measures import PER_CUSTOMER, Measure, measures, values
from recsys.backtest.rows import Row
from recsys.backtest.run import Answers, Judged, judge
from recsys.backtest.significance import Matrix
from recsys.backtest.slices import MIN_CUSTOMERS, slices
from recsys.backtest.summary import Labels, differences, summarise
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError
from recsys.metrics.hits import ValueArray
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.mask import Mask
from recsys.types import BoolArray

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes: macOS counts in bytes, Linux in KiB."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A configuration, and how its recommender is made."""

    name: str
    placements: tuple[str, ...]
    build: Callable[[Progress], Answers]
    """Fits or loads; called once, right before its lists are made."""


@dataclass(frozen=True, slots=True)
class Study:
    """What is measured, and what every row says of it."""

    dataset: str
    variant: str
    placements: tuple[str, ...]
    ks: tuple[int, ...]
    protocol: str = "temporal"
    seed: int = 0
    min_customers: int = MIN_CUSTOMERS
    """Smaller slices are not reported."""
    mask: Mask | None = None
    """What lists and truth of maskable placements leave out; None: what each does by itself. The
    contenders have to be made with the same."""
    skip_empty: bool = False
    """Leaves out placements that no customer has a right answer for, instead of failing."""


def compare(
    split: Split, contenders: Sequence[Contender], study: Study, *, progress: Progress = silent
) -> list[Row]:
    """Evaluates contenders one after the other and returns all figures.

    The first contender is ours: for every placement that it shares with another, rows of the
    configuration `first-minus-other` hold the paired differences.

    Args:
        split: what to fit on and what to judge by.
        contenders: each is built, asked and let go before the next, which bounds memory.
        study: what to measure.
        progress: hears of every contender's fit and lists.

    Raises:
        ConfigError: a placement has no protocol.
        DataError: a placement has no customer with a right answer.
    """
    tasks = _tasks(split, study)
    rows: list[Row] = []
    ours: dict[str, _Trial] = {}
    for contender in contenders:
        for name, trial in _trials(contender, tasks, study, progress):
            rows += _figures(split, trial, tasks[name], study)
            if contender is contenders[0]:
                ours[name] = trial
            elif name in ours:
                rows += differences(
                    ours[name].labels,
                    ours[name].found,
                    trial.found,
                    contender.name,
                    tasks[name].groups,
                    ks=study.ks,
                    seed=study.seed,
                )
    return rows


def customer_values(
    split: Split,
    contenders: Sequence[Contender],
    study: Study,
    metric: str,
    *,
    progress: Progress = silent,
) -> dict[str, dict[str, ValueArray]]:
    """Evaluates contenders and returns one metric customer by customer, at the largest k.

    Give one placement's values to `pairwise.pairwise` to test every two contenders.

    Args:
        split: what to fit on and what to judge by.
        contenders: each is built, asked and let go before the next.
        study: what to measure.
        metric: one of `measures.PER_CUSTOMER`.
        progress: hears of every contender's fit and lists.

    Returns:
        By placement and configuration: shape (cases,), cases in the same order for all
        configurations of a placement.

    Raises:
        ConfigError: a placement has no protocol, or there is no such metric.
        DataError: a placement has no customer with a right answer.
    """
    if metric not in PER_CUSTOMER:
        message = f"no metric {metric!r} per customer; known: {', '.join(PER_CUSTOMER)}"
        raise ConfigError(message, metric=metric)
    column = measures(study.ks).index(Measure(metric, max(study.ks)))
    tasks = _tasks(split, study)
    found: dict[str, dict[str, ValueArray]] = {name: {} for name in tasks}
    for contender in contenders:
        for name, trial in _trials(contender, tasks, study, progress):
            found[name][contender.name] = trial.found[:, column]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What all contenders are asked for one placement."""

    cases: Cases
    before: Background
    groups: Mapping[str, BoolArray]


def _tasks(split: Split, study: Study) -> dict[str, _Task]:
    facts = item_facts(split)
    found: dict[str, _Task] = {}
    for name in study.placements:
        try:
            cases = cases_for(
                name, split, limit=max(study.ks), seed=study.seed, mask=study.mask
            )
        except DataError:
            if not study.skip_empty:
                raise
            continue
        groups = slices(split, cases, min_customers=study.min_customers)
        found[name] = _Task(cases, background(split, facts, cases), groups)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """One contender's lists for one placement."""

    labels: Labels
    judged: Judged
    found: Matrix


def _trials(
    contender: Contender, tasks: Mapping[str, _Task], study: Study, progress: Progress
) -> Iterator[tuple[str, _Trial]]:
    """Builds a contender and yields its lists for each placement that it has."""
    start = time.perf_counter()
    recommender = contender.build(progress)
    fit_seconds = time.perf_counter() - start
    for name in (name for name in tasks if name in contender.placements):
        task, stage = tasks[name], f"{contender.name}: {name}"
        start = time.perf_counter()
        told = partial(progress, stage)
        judged = judge(recommender, task.before.split, task.cases, progress=told)
        labels = Labels(
            dataset=study.dataset,
            protocol=study.protocol,
            variant=study.variant,
            configuration=contender.name,
            placement=name,
            seconds=round(fit_seconds + time.perf_counter() - start, 3),
            peak_mb=round(peak_mb(), 1),
        )
        yield name, _Trial(labels, judged, values(judged, task.before, study.ks))


def _figures(split: Split, trial: _Trial, task: _Task, study: Study) -> Iterator[Row]:
    return summarise(
        trial.labels,
        trial.judged,
        trial.found,
        task.groups,
        split=split,
        ks=study.ks,
        seed=study.seed,
    )


def peak_mb() -> float:
    """Returns the highest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT / 2**20
