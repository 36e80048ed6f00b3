"""Tries settings of models, one after the other, until the time is up."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from recsys.choice.gather import Variant
from recsys.errors import ConfigError, DataError
from recsys.pipeline.recommender import Recommender
from recsys.tuning.history import History
from recsys.tuning.job import Clock
from recsys.tuning.journal import Journal, Tried
from recsys.tuning.lines import Line, again
from recsys.tuning.standing import Scored, Standing, scored
from recsys.tuning.start import told
from recsys.tuning.words import said, shown

UNUSED = 3
"""So many times as often, a kind of model that the best blends use is tried as one they do not."""
FAR_BELOW = 0.5
"""A model that by itself reaches a smaller share of its line's best is given up."""
LONGEST = 0.1
"""Share of the whole budget that one fit may be expected to take."""


@dataclass(slots=True)
class ModelSearch:
    """The lines of a study, and what they found."""

    lines: Sequence[Line]
    standing: Standing
    journal: Journal
    start: Mapping[str, Scored]
    """By placement: the best blends of the menu."""
    broken: set[tuple[str, str]]
    clock: Clock
    history: History = field(init=False)
    _menu: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._menu = frozenset(self.standing.variants)
        self.history = History.read(self.journal, self.lines)
        for line in self.lines:
            for tried in self.history.by_line[line.name]:
                self._take(line, tried)

    def next_line(self) -> Line | None:
        """Returns what to look at next; None where there is nothing, or no time for any."""
        used = [self.standing.variants[name] for name in self.standing.used()]
        kinds = {(each.family, each.algorithm.kind) for each in used}
        open_ones = [line for line in self.lines if not self._closed(line)]

        def turn(line: Line) -> int:
            weight = 1 if (line.family, line.template.kind) in kinds else UNUSED
            return (self.history.count(line.name) + 1) * weight

        return min(open_ones, key=turn, default=None)

    def step(self, line: Line) -> str:
        """Tries one setting of a line; returns in words what came of it."""
        proposal = self.journal.propose(line.name, line.ranges, line.whole)
        variant = line.variant(proposal.drawn)
        began = time.perf_counter()
        if old := self.history.known(line.name, variant.name):
            figure, outcome = old.figure, dict(old.outcome)
        else:
            figure, outcome = self._try(line, variant)
        outcome |= {"name": variant.name, "seconds": round(time.perf_counter() - began, 2)}
        proposal.tell(figure, outcome)
        tried = Tried(line.name, figure, outcome, from_menu=False)
        self.history.by_line[line.name].append(tried)
        self._take(line, tried)
        self.standing.shelf.clear(self._menu | self.finalists())
        settings = ", ".join(
            f"{name} {shown(getattr(variant.algorithm, name))}" for name in line.ranges
        )
        return f"{line.name}: {settings}: {said(figure, outcome)}"

    def finalists(self) -> set[str]:
        """Returns the models of the best blends, and the best few of each line."""
        return self.standing.used() | self.history.finalists(self.start)

    def _try(self, line: Line, variant: Variant) -> tuple[float | None, dict[str, Any]]:
        """Returns the figure, None where the setting was given up, and what else is to keep."""
        standing = self.standing
        kept = standing.shelf.holds(variant.name, list(standing.bench.asked))
        if not kept and (expected := self._expected(line, variant)) > LONGEST * self.clock.seconds:
            why = f"it would take about {expected:.0f} s"
            return None, {"given_up": why, "too_long": expected}
        fit_seconds = None
        if not kept:
            began = time.perf_counter()
            try:
                recommender = standing.bench.fit(variant)
            except (ConfigError, DataError) as error:
                return None, {"failed": str(error)}
            fit_seconds = round(time.perf_counter() - began, 3)
            if not self._asked(line, variant.name, recommender):
                return None, {"given_up": "by itself far below the best"}
        standing.variants[variant.name] = variant
        found = {name: standing.weighed(name, variant) for name in self.start}
        figure, outcome = told(standing, variant, found, self.start)
        return figure, {**outcome, "fit_seconds": fit_seconds}

    def _asked(self, line: Line, name: str, recommender: Recommender) -> bool:
        """Asks a model about everybody and keeps what it says; not if it is far below others.

        The first customers of each placement say whether it is worth asking about the rest.
        """
        bench, standing = self.standing.bench, self.standing
        parts = {each: bench.ask(recommender, name, each) for each in bench.asked}
        columns = {each: next(part) for each, part in parts.items()}
        if all(
            standing.solo(each, columns[each])
            < FAR_BELOW * self.history.best_solo(line.name, each)
            for each in self.start
        ):
            return False
        for each, others in parts.items():
            for more in others:
                columns[each] = columns[each].joined(more)
            standing.shelf.put(name, each, columns[each])
        return True

    def _expected(self, line: Line, variant: Variant) -> float:
        """Returns about how long a setting takes, as its line's last ones make one think."""
        bench, variants = self.standing.bench, self.standing.variants
        slower = [
            seconds / max(bench.expected_seconds(variants[name]), 0.01)
            for name, seconds in self.history.fits(line.name)
        ]
        return bench.expected_seconds(variant) * median(slower or [1.0])

    def _take(self, line: Line, tried: Tried) -> None:
        """Remembers a model, and its blend where it is the best so far."""
        if "blends" not in tried.outcome:
            return
        variant = again(line.family, tried.outcome["algorithm"], self.standing.menu)
        self.standing.variants[variant.name] = variant
        for placement, plain in tried.outcome["blends"].items():
            found = scored(plain)
            if found.figure > self.standing.best[placement].figure:
                self.standing.best[placement] = found

    def _closed(self, line: Line) -> bool:
        """Says whether a line cannot be fitted, or takes longer than there is time for."""
        failed = self.history.failures(line.name) > self.history.count(line.name) / 2
        broken = (line.family, line.template.kind) in self.broken
        return failed or broken or self.history.seconds(line.name) > self.clock.left()
