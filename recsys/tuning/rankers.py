"""Tries settings of rankers on the blends that were found best."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from recsys.assembly import FitConfig
from recsys.backtest.significance import Interval
from recsys.choice.choose import K
from recsys.choice.second_stage import has_past, try_rankers, with_rankers
from recsys.data.progress import Progress
from recsys.pipeline.ranker import RankerConfig
from recsys.protocols.cases import Cases
from recsys.protocols.mask import with_mask
from recsys.tuning.job import Job
from recsys.tuning.journal import Journal, Tried
from recsys.tuning.spaces import whole_numbers


def can_be_ranked(job: Job) -> bool:
    """Says whether rankers are wanted, and have a past to learn from."""
    ranker = job.menu.ranker
    return ranker is not None and bool(job.spaces.ranker) and has_past(job.split, ranker)


@dataclass(slots=True)
class RankerSearch:
    """Rankers of a configuration's placements; other blends make another study."""

    job: Job
    config: FitConfig
    """With the best blends."""
    cases: Mapping[str, Cases]
    """By placement that has a new blend."""
    journal: Journal
    progress: Progress
    history: list[Tried] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history = self.journal.tried(self._line)

    @property
    def _line(self) -> str:
        return f"ranker/{hashlib.sha256(self.config.model_dump_json().encode()).hexdigest()[:12]}"

    @property
    def done(self) -> int:
        """Returns how many settings were tried on these blends."""
        return len(self.history)

    @property
    def given_up(self) -> int:
        """Returns how many of them have no figure."""
        return sum(each.figure is None for each in self.history)

    @property
    def seconds(self) -> float:
        """Returns how long a setting takes, 0 where none was tried."""
        return float(median([each.outcome["seconds"] for each in self.history] or [0]))

    @property
    def possible(self) -> bool:
        """Says whether there is anything to learn from, as far as is known."""
        return can_be_ranked(self.job) and not any(
            "failed" in each.outcome for each in self.history
        )

    def step(self) -> str:
        """Tries one setting, the menu's first; returns in words what came of it."""
        ranges = self.job.spaces.ranker
        menus, whole = self._menu(), whole_numbers(RankerConfig, ranges)
        known = {name: limits.drawn(getattr(menus, name)) for name, limits in ranges.items()}
        first = {name: number for name, number in known.items() if number is not None}
        proposal = self.journal.propose(self._line, ranges, whole, first=first)
        values = {name: limits.value(proposal.drawn[name]) for name, limits in ranges.items()}
        ranker = RankerConfig.model_validate({**menus.model_dump(), **values})
        began = time.perf_counter()
        wanted = with_rankers(self.config, dict.fromkeys(self.cases, ranker))
        wanted = wanted.model_copy(
            update={"placements": with_mask(wanted.placements, self.job.mask)}
        )
        trials = try_rankers(
            self.job.split, wanted, self.cases, k=K, seed=self.job.seed, progress=self.progress
        )
        outcome: dict[str, Any] = {
            "ranker": ranker.model_dump(mode="json"),
            "gains": {name: asdict(trial.gain) for name, trial in trials.items()},
            "seconds": round(time.perf_counter() - began, 2),
        }
        shares = [trial.gain.value / trial.blend for trial in trials.values() if trial.blend]
        figure = 1 + sum(shares) / len(shares) if shares else None
        if figure is None:
            outcome["failed"] = "no past cut-off has rows to learn from"
        proposal.tell(figure, outcome)
        self.history.append(Tried(self._line, figure, outcome, from_menu=False))
        settings = ", ".join(f"{name} {value:g}" for name, value in values.items() if value)
        gains = [f"{name} {trial.gain.value:+.4f}" for name, trial in trials.items()]
        return f"ranker: {settings}: {', '.join(gains) or outcome['failed']}"

    def best(self) -> dict[str, RankerConfig | None]:
        """Returns each placement's best ranker; None where none surely beats the blend."""
        found: dict[str, RankerConfig | None] = dict.fromkeys(self.cases)
        highest = dict.fromkeys(self.cases, 0.0)
        for tried in self.history:
            for name, gain in _gains(tried).items():
                if gain.low > 0 and gain.value > highest[name]:
                    highest[name] = gain.value
                    found[name] = RankerConfig.model_validate(tried.outcome["ranker"])
        return found

    def _menu(self) -> RankerConfig:
        return self.job.menu.ranker or RankerConfig()


def _gains(tried: Tried) -> Mapping[str, Interval]:
    return {name: Interval(**gain) for name, gain in tried.outcome["gains"].items()}
