"""Measures one benchmark: ours, baselines, other libraries, all on the same customers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

import polars as pl

from evaluation.benchmark.definitions import Benchmark, Benchmarks, Peer
from evaluation.benchmark.opening import ROOT, open_benchmark
from evaluation.benchmark.programs import Listed, Question, interpreter
from evaluation.benchmark.simple_lists import configuration
from recsys.assembly import FitConfig
from recsys.backtest.compare import figures
from recsys.backtest.contenders import fitted
from recsys.backtest.outcomes import Contender, Outcome, Study, Trial, measure
from recsys.backtest.rows import DEFAULT_CONFIGURATION, WHOLE_POPULATION, Row
from recsys.backtest.summary import differences
from recsys.choice.automatic import automatic, usual_budget
from recsys.choice.choose import Choice
from recsys.choice.menu import Menu, load_menu
from recsys.data.progress import Progress, silent
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.protocols.holdout import HoldOut
from recsys.types import EventType

TUNED, BOUGHT_ONLY = "tuned", "default-by-purchases-alone"
OURS = "recsys "
"""Begins the name of our model that a peer's is compared with."""
FIT_SECONDS, CHOICE_SECONDS, FIT_PEAK_MB = "fit_seconds", "choice_seconds", "fit_peak_mb"
"""Metrics of rows that say what something took."""


def _silent(name: str, choice: Choice) -> None:
    del name, choice


def _fail(error: DataError) -> None:
    """A benchmark without a choice would show something else under our name."""
    raise error


class Part(StrEnum):
    """What a run may leave out."""

    TUNED = "tuned"
    BASELINES = "baselines"
    PEERS = "peers"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """How a benchmark is run."""

    benchmarks: Benchmarks
    budget_seconds: float | None = None
    without: frozenset[Part] = frozenset()
    seed: int = 0
    told: Callable[[str, Choice], None] = _silent
    """Hears of every choice, with the name of what was chosen."""
    progress: Progress = silent
    open: Callable[[str, Benchmark], HoldOut] = open_benchmark
    python_of: Callable[[str], Path] | None = None
    """Returns a peer environment's Python; None: the environment is made on first use."""

    def rows(self, name: str) -> list[Row]:
        """Measures a benchmark and returns its figures.

        Raises:
            DataError: the data are not there.
            ConfigError: the definition is wrong.
            ProgramError: a peer failed.
        """
        benchmark = self.benchmarks.sets[name]
        holdout = self.open(name, benchmark)
        measured = _Measured(self, name, benchmark, holdout)
        contenders = list(measured.contenders())
        ks = tuple(sorted({table.k for table in benchmark.tables}))
        study = Study(
            dataset=name,
            protocol=holdout.protocol,
            variant=holdout.variant,
            placements=tuple(table.placement for table in benchmark.tables),
            ks=ks,
            mask=holdout.mask,
            seed=self.seed,
        )
        outcomes = measure(holdout.split, contenders, study, progress=self.progress)
        measured.correct(outcomes)
        rows = [*figures(holdout.split, outcomes, study), *measured.pairs(outcomes, study)]
        wanted = {
            (table.placement, metric, table.k)
            for table in benchmark.tables
            for metric in table.metrics
        }
        kept = [row for row in rows if row.slice == WHOLE_POPULATION]
        kept = [row for row in kept if (row.placement, row.metric, row.k) in wanted]
        return [*kept, *measured.spent(outcomes), *quoted(name, benchmark, holdout)]


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """One run of one benchmark, and what it learns on the way."""

    run: Run
    name: str
    benchmark: Benchmark
    holdout: HoldOut
    listed: dict[str, Listed] = field(default_factory=dict)
    """Lists of other processes, by contender."""
    choices: dict[str, Choice] = field(default_factory=dict)
    versus: dict[str, str] = field(default_factory=dict)
    """By peer: the contender that is the same model of ours."""

    @property
    def placements(self) -> tuple[str, ...]:
        return tuple(table.placement for table in self.benchmark.tables)

    def contenders(self) -> Iterator[Contender]:
        """Yields what is compared, ours first: memory is measured of the first alone."""
        benchmark, run = self.benchmark, self.run
        menu, base = load_menu(), load_config()
        yield self._chosen(DEFAULT_CONFIGURATION, base, menu)
        if benchmark.tuned and Part.TUNED not in run.without:
            yield self._fitted(TUNED, load_config(ROOT / benchmark.tuned))
        if benchmark.bought_only:
            yield self._chosen(BOUGHT_ONLY, *by_purchases_alone(base, menu))
        if Part.BASELINES not in run.without:
            for name in benchmark.baselines:
                yield self._fitted(name, self._simple(name))
        if Part.PEERS not in run.without:
            yield from self._programs()

    def _chosen(self, name: str, base: FitConfig, menu: Menu) -> Contender:
        split = self.holdout.split
        events = split.train.events.select(pl.len()).collect().item()

        def told(choice: Choice) -> None:
            self.choices[name] = choice
            self.run.told(name, choice)

        return automatic(
            name,
            base,
            menu,
            self.holdout,
            placements=self.placements,
            budget_seconds=self.run.budget_seconds or usual_budget(events),
            told=told,
            unable=_fail,
            seed=self.run.seed,
        )

    def _fitted(self, name: str, config: FitConfig) -> Contender:
        return fitted(name, config, self.holdout.split, mask=self.holdout.mask)

    def _simple(self, name: str) -> FitConfig:
        return configuration(name, self.run.benchmarks.lists[name])

    def _programs(self) -> Iterator[Contender]:
        """Yields each peer, and before it the same model of ours where it was not there yet."""
        question = Question(
            self.holdout.split,
            self.holdout.mask,
            self.placements,
            max(table.k for table in self.benchmark.tables),
        )
        ours: set[str] = set()
        for name in self.benchmark.peers:
            peer = self.run.benchmarks.peers[name]
            own, simple = OURS + peer.ours, self._simple(peer.ours)
            self.versus[name] = own
            if own not in ours:
                ours.add(own)
                yield self._listed(own, partial(question.ask_own, simple))
            yield self._listed(name, partial(self._ask_peer, question, peer))

    def _ask_peer(self, question: Question, peer: Peer) -> Listed:
        python = self._python(peer.environment)
        all_events = peer.learns_from == "all"
        return question.ask_peer(python, peer.program, peer.options, all_events=all_events)

    def _python(self, environment: str) -> Path:
        if self.run.python_of:
            return self.run.python_of(environment)
        return interpreter(environment, self.run.benchmarks.environments[environment])

    def _listed(self, name: str, ask: Callable[[], Listed]) -> Contender:
        def build(progress: Progress) -> Listed:
            progress(f"{name}: process", 0, 1)
            self.listed[name] = ask()
            progress(f"{name}: process", 1, 1)
            return self.listed[name]

        return Contender(name, self.placements, build)

    def correct(self, outcomes: Mapping[str, Outcome]) -> None:
        """Puts what a process measured of itself in the place of what was measured of it here.

        Memory of this process is known for the first contender alone: it never falls.
        """
        for outcome in outcomes.values():
            for number, (name, trial) in enumerate(outcome.trials.items()):
                labels = trial.labels
                if name in self.listed:
                    costs = self.listed[name].costs
                    labels = replace(
                        labels,
                        seconds=round(costs.fit_seconds + costs.list_seconds, 3),
                        peak_mb=round(costs.fit_peak_mb, 1),
                    )
                elif number:
                    labels = replace(labels, peak_mb=None)
                outcome.trials[name] = replace(trial, labels=labels)

    def pairs(self, outcomes: Mapping[str, Outcome], study: Study) -> Iterator[Row]:
        """Yields the paired differences of our models and the peers' same ones."""
        for outcome in outcomes.values():
            for peer, own in self.versus.items():
                ours, theirs = outcome.trials[own], outcome.trials[peer]
                yield from differences(
                    ours.labels,
                    ours.found,
                    theirs.found,
                    peer,
                    outcome.slices.groups,
                    ks=study.ks,
                    seed=study.seed,
                )

    def spent(self, outcomes: Mapping[str, Outcome]) -> Iterator[Row]:
        """Yields seconds of choices and fits, and the memory of processes of their own."""
        for outcome in outcomes.values():
            for name, trial in outcome.trials.items():
                for metric, value in self._spent(name, trial).items():
                    yield _row(trial, metric, value)

    def _spent(self, name: str, trial: Trial) -> dict[str, float]:
        if name in self.listed:
            costs = self.listed[name].costs
            return {FIT_SECONDS: costs.fit_seconds, FIT_PEAK_MB: costs.fit_peak_mb}
        if name in self.choices:
            chose = self.choices[name].seconds
            return {FIT_SECONDS: max(trial.fit_seconds - chose, 0.0), CHOICE_SECONDS: chose}
        return {FIT_SECONDS: trial.fit_seconds}


def quoted(name: str, benchmark: Benchmark, holdout: HoldOut) -> Iterator[Row]:
    """Yields what others printed, as rows."""
    sources = {"P": "published", "C": "computed independently"}
    for table in benchmark.tables:
        for printed in table.printed:
            for metric, value in printed.figures.items():
                yield Row(
                    dataset=name,
                    protocol=holdout.protocol,
                    variant=holdout.variant,
                    configuration=printed.name,
                    placement=table.placement,
                    metric=metric,
                    k=table.k,
                    value=value,
                    source=sources[printed.by],
                )


def by_purchases_alone(base: FitConfig, menu: Menu) -> tuple[FitConfig, Menu]:
    """Returns a configuration and a menu in which all models weigh purchases alone."""
    weighs = {"event_weights": {EventType.PURCHASE: 1.0}}
    models = {name: model.model_copy(update=weighs) for name, model in base.models.items()}
    families = {
        name: family.model_copy(
            update={"variants": tuple(each.model_copy(update=weighs) for each in family.variants)}
        )
        for name, family in menu.families.items()
    }
    return (
        base.model_copy(update={"models": models}),
        menu.model_copy(update={"families": families}),
    )


def _row(trial: Trial, metric: str, value: float) -> Row:
    labels = trial.labels
    return Row(
        dataset=labels.dataset,
        protocol=labels.protocol,
        variant=labels.variant,
        configuration=labels.configuration,
        placement=labels.placement,
        metric=metric,
        value=round(value, 3),
    )


def of_set(rows: Sequence[Row], name: str) -> list[Row]:
    """Returns the rows of one benchmark."""
    return [row for row in rows if row.dataset == name]
