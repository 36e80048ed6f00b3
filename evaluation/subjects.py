"""What `run` judges: a configuration, one that is chosen on the way, or a bundle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.markup import escape

from evaluation.of_bundles import config_in, path_of, since
from recsys.assembly import FitConfig, load_recommender
from recsys.backtest.compare import Contender
from recsys.backtest.contenders import baseline_contenders, fitted, loaded
from recsys.backtest.evaluate import answered
from recsys.backtest.rows import DEFAULT_CONFIGURATION
from recsys.choice.automatic import automatic, usual_budget
from recsys.choice.choose import Choice
from recsys.choice.menu import Menu
from recsys.choice.tables import choice_tables
from recsys.choice.written import write_config
from recsys.data.dataset import Dataset
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.protocols.holdout import HoldOut
from recsys.protocols.options import SplitOptions


@dataclass(frozen=True, slots=True, eq=False)
class Chooser:
    """How configurations are chosen, and what was: shown, and kept for a report."""

    menu: Menu
    budget_seconds: float | None
    asked: tuple[str, ...] | None
    seed: int
    console: Console
    save_to: Path | None = None
    """Where the last chosen configuration is written."""
    choices: list[Choice] = field(default_factory=list)

    def contender(self, base: FitConfig, holdout: HoldOut) -> Contender:
        """Returns a contender that chooses within the hold-out's training side."""
        events = holdout.split.train.events.select(pl.len()).collect().item()
        wanted = answered(self.asked or holdout.placements, tuple(base.placements))
        return automatic(
            DEFAULT_CONFIGURATION,
            base,
            self.menu,
            holdout,
            placements=wanted,
            budget_seconds=self.budget_seconds or usual_budget(events),
            told=self._told,
            unable=self._unable,
            seed=self.seed,
        )

    def _unable(self, error: DataError) -> None:
        self.console.print(f"[yellow]Nothing to choose by:[/] {escape(str(error))}; as it is.")

    def _told(self, choice: Choice) -> None:
        self.choices.append(choice)
        self.console.print(choice_tables(choice))
        if self.save_to:
            write_config(choice.config, self.save_to)
            self.console.print(f"Configuration: [bold]{escape(str(self.save_to))}[/]")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is judged, and by what."""

    config: FitConfig
    """What is fitted, or what a choice begins with."""
    holdouts: Sequence[HoldOut]
    ours: Callable[[HoldOut], Contender]
    chooser: Chooser | None = None

    @property
    def judged(self) -> FitConfig:
        """Returns the configuration that was fitted in the end."""
        made = self.chooser.choices if self.chooser else []
        return made[-1].config if made else self.config

    def contenders(self, holdout: HoldOut) -> list[Contender]:
        """Returns ours and the baselines."""
        return [self.ours(holdout), *baseline_contenders(holdout.split, mask=holdout.mask)]


def of_config(options: SplitOptions, config: Path | None) -> Subject:
    """Returns a configuration that is fitted as it is."""
    wanted = load_config(config)

    def ours(holdout: HoldOut) -> Contender:
        return fitted(DEFAULT_CONFIGURATION, wanted, holdout.split, mask=holdout.mask)

    return Subject(wanted, options.holdouts(), ours)


def of_choice(options: SplitOptions, config: Path | None, chooser: Chooser) -> Subject:
    """Returns a configuration that is chosen within each hold-out's training side."""
    base = load_config(config)
    return Subject(base, options.holdouts(), partial(chooser.contender, base), chooser)


def of_bundle(options: SplitOptions, bundle: Path) -> Subject:
    """Returns a bundle, judged by what came after its training."""
    recommender = load_recommender(path_of(bundle))

    def ours(holdout: HoldOut) -> Contender:
        return loaded(DEFAULT_CONFIGURATION, recommender, mask=holdout.mask)

    dataset = Dataset.open(options.data or Path())
    return Subject(config_in(bundle), [since(recommender, dataset, options.mask)], ours)
