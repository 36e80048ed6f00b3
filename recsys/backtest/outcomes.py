"""What every contender did for every customer: measured once, then read in many ways."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from recsys.backtest.background import Background, background
from recsys.backtest.item_facts import item_facts
from recsys.backtest.measures import PER_CUSTOMER, Measure, measures, values
from recsys.backtest.run import Answers, Judged, judge
from recsys.backtest.significance import Matrix
from recsys.backtest.slices import DEFINITIONS, MIN_CUSTOMERS, Slices, all_slices, slices
from recsys.backtest.summary import Labels
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError
from recsys.metrics.hits import ValueArray
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.mask import Mask

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
    """Leaves out placements that no customer has a right answer for, instead of failing; when
    there is no other, it fails all the same."""
    all_slices: bool = False
    """Also reports customers apart by volume, by what they buy and by each attribute."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One contender's lists for one placement."""

    labels: Labels
    judged: Judged
    found: Matrix
    """Shape (cases, measures): `measures.values` of the lists."""
    fit_seconds: float
    """Of fitting or loading, the same for all placements."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One placement: what was asked, and what all contenders that have it answered."""

    cases: Cases
    before: Background
    slices: Slices
    ks: tuple[int, ...]
    trials: dict[str, Trial] = field(default_factory=dict)
    """By configuration, in their order; all on the same cases."""

    def values(self, metric: str, k: int) -> dict[str, ValueArray]:
        """Returns one metric by configuration, shape (cases,) each.

        Raises:
            ConfigError: the metric is not a mean over customers, or was not measured at k.
        """
        if metric not in PER_CUSTOMER or k not in self.ks:
            known, ks = ", ".join(PER_CUSTOMER), ", ".join(map(str, self.ks))
            message = f"no metric {metric!r} per customer at {k}; known: {known}, at {ks}"
            raise ConfigError(message, metric=metric)
        column = measures(self.ks).index(Measure(metric, k))
        return {name: trial.found[:, column] for name, trial in self.trials.items()}


def measure(
    split: Split,
    contenders: Sequence[Contender],
    study: Study,
    *,
    may_be_empty: bool = False,
    progress: Progress = silent,
) -> dict[str, Outcome]:
    """Evaluates contenders one after the other and returns by placement all that they did.

    Args:
        split: what to fit on and what to judge by.
        contenders: each is built, asked and let go before the next, which bounds memory.
        study: what to measure.
        may_be_empty: whether nothing is returned, instead of failing, where the study skips what
            is empty and nothing is left.
        progress: hears of every contender's fit and lists.

    Raises:
        ConfigError: a placement has no protocol.
        DataError: a placement has no customer with a right answer; with `skip_empty`, no
            placement has one.
    """
    outcomes, empty = _asked(split, study)
    if not outcomes and not may_be_empty:
        message = f"nobody can be judged by ({study.variant}): {'; '.join(empty)}"
        raise DataError(message, variant=study.variant)
    for contender in contenders:
        for name, trial in _trials(contender, outcomes, study, progress):
            outcomes[name].trials[contender.name] = trial
    return outcomes


def _asked(split: Split, study: Study) -> tuple[dict[str, Outcome], list[str]]:
    """Returns what is asked by placement, and why others are skipped."""
    facts = item_facts(split)
    found: dict[str, Outcome] = {}
    empty: list[str] = []
    for name in study.placements:
        try:
            cases = cases_for(name, split, limit=max(study.ks), seed=study.seed, mask=study.mask)
        except DataError as error:
            if not study.skip_empty:
                raise
            empty.append(str(error))
            continue
        least = study.min_customers
        if study.all_slices:
            groups = all_slices(split, cases, min_customers=least)
        else:
            groups = Slices(slices(split, cases, min_customers=least), dict(DEFINITIONS))
        found[name] = Outcome(cases, background(split, facts, cases), groups, study.ks)
    return found, empty


def _trials(
    contender: Contender, outcomes: Mapping[str, Outcome], study: Study, progress: Progress
) -> Iterator[tuple[str, Trial]]:
    """Builds a contender and yields its lists for each placement that it has, if any is asked."""
    wanted = [name for name in outcomes if name in contender.placements]
    if not wanted:
        return
    start = time.perf_counter()
    recommender = contender.build(progress)
    fit_seconds = time.perf_counter() - start
    for name in wanted:
        asked, stage = outcomes[name], f"{contender.name}: {name}"
        start = time.perf_counter()
        told = partial(progress, stage)
        judged = judge(recommender, asked.before.split, asked.cases, progress=told)
        labels = Labels(
            dataset=study.dataset,
            protocol=study.protocol,
            variant=study.variant,
            configuration=contender.name,
            placement=name,
            seconds=round(fit_seconds + time.perf_counter() - start, 3),
            peak_mb=round(peak_mb(), 1),
        )
        found = values(judged, asked.before, study.ks)
        yield name, Trial(labels, judged, found, round(fit_seconds, 3))


def peak_mb() -> float:
    """Returns the highest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT / 2**20
