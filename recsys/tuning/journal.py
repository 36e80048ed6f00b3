"""What was tried, kept by Optuna in one file, and what to try next."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from recsys.tuning.folder import mend
from recsys.tuning.spaces import Ranges

FILE = "journal.log"
STARTUP = 4
"""Draws without a model of the figures, in each study, besides what the menu brings."""
OUTCOME = "outcome"
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting that was tried to the end, or given up early."""

    line: str
    figure: float | None
    """What was to be raised; None where it was given up."""
    outcome: Mapping[str, Any]
    """What else was found: plain values."""
    from_menu: bool


class Journal:
    """Studies in a folder, one for each line; hold the folder with `alone`.

    What is proposed depends on the seed and on what was tried before, not on interruptions.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        file = folder / FILE
        mend(file)
        self._storage = optuna.storages.JournalStorage(JournalFileBackend(str(file)))
        self._seed = seed
        self._studies: dict[str, optuna.Study] = {}

    def tried(self, line: str) -> list[Tried]:
        """Returns what was tried of a line, oldest first."""
        return [_tried(line, trial) for trial in _finished(self._study(line))]

    def add(
        self,
        line: str,
        drawn: Mapping[str, float],
        ranges: Ranges,
        figure: float,
        outcome: Mapping[str, Any],
    ) -> None:
        """Writes down what was tried without having been proposed: the menu's."""
        trial = optuna.trial.create_trial(
            params=dict(drawn),
            distributions=distributions(ranges, drawn),
            value=figure,
            user_attrs={OUTCOME: json.dumps(dict(outcome)), "from_menu": True},
        )
        self._study(line).add_trial(trial)

    def propose(
        self,
        line: str,
        ranges: Ranges,
        whole: set[str],
        *,
        first: Mapping[str, float] | None = None,
    ) -> "Proposal":
        """Returns what to try next; while there is nothing, what should be the first."""
        study = self._study(line)
        done = len(_finished(study))
        if first is not None and not done:
            study.enqueue_trial(dict(first))
        study.sampler = optuna.samplers.TPESampler(
            seed=zlib.crc32(f"{self._seed} {line} {done}".encode()),
            n_startup_trials=STARTUP,
        )
        wanted = dict.fromkeys(ranges, 0.0) | dict.fromkeys(whole, 0)
        return Proposal(study.ask(distributions(ranges, wanted)), study)

    def _study(self, line: str) -> optuna.Study:
        if line not in self._studies:
            study = optuna.create_study(
                storage=self._storage, study_name=line, direction="maximize", load_if_exists=True
            )
            # Whoever was at them is gone: the folder is ours alone.
            for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                study.tell(trial.number, state=TrialState.FAIL)
            self._studies[line] = study
        return self._studies[line]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A setting to try, and where to tell what came of it."""

    trial: optuna.Trial
    study: optuna.Study

    @property
    def drawn(self) -> dict[str, float]:
        """Returns the numbers that stand for the settings."""
        return dict(self.trial.params)

    def tell(self, figure: float | None, outcome: Mapping[str, Any]) -> None:
        """Writes down what was found; without a figure the setting was given up."""
        self.trial.set_user_attr(OUTCOME, json.dumps(dict(outcome)))
        state = TrialState.PRUNED if figure is None else TrialState.COMPLETE
        self.study.tell(self.trial, figure, state=state)


def distributions(ranges: Ranges, drawn: Mapping[str, float]) -> dict[str, BaseDistribution]:
    """Returns the ranges in Optuna's words; those with a whole number drawn are of such."""
    found: dict[str, BaseDistribution] = {}
    for name, limits in ranges.items():
        if isinstance(drawn[name], int):
            found[name] = IntDistribution(round(limits.low), round(limits.end), log=limits.log)
        else:
            found[name] = FloatDistribution(limits.low, limits.end, log=limits.log)
    return found


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=_DONE)


def _tried(line: str, trial: FrozenTrial) -> Tried:
    figure = trial.value if trial.state is TrialState.COMPLETE else None
    outcome = json.loads(trial.user_attrs.get(OUTCOME, "{}"))
    return Tried(line, figure, outcome, bool(trial.user_attrs.get("from_menu")))
