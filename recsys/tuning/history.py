"""What was tried of every line, and what that says of the next setting."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from recsys.tuning.journal import Journal, Tried
from recsys.tuning.lines import Line

FINALISTS = 3
"""Of each line and placement: kept for a last search."""
LATEST = 5
"""Fits of a line that say how long the next one takes."""


@dataclass(slots=True)
class History:
    """Tried settings by line, oldest first; those of the menu come first of all."""

    by_line: dict[str, list[Tried]]

    @classmethod
    def read(cls, journal: Journal, lines: Sequence[Line]) -> "History":
        """Returns what a journal knows."""
        return cls({line.name: journal.tried(line.name) for line in lines})

    @property
    def done(self) -> int:
        """Returns how many settings were tried, those of the menu apart."""
        return sum(map(self.count, self.by_line))

    @property
    def given_up(self) -> int:
        """Returns how many of them have no figure."""
        return sum(each.figure is None for tried in self.by_line.values() for each in tried)

    def count(self, line: str) -> int:
        """Returns how many settings of a line were tried, those of the menu apart."""
        return sum(not each.from_menu for each in self.by_line[line])

    def failures(self, line: str) -> int:
        """Returns how many could not be fitted."""
        return sum("failed" in each.outcome for each in self.by_line[line])

    def known(self, line: str, name: str) -> Tried | None:
        """Returns what came of a model; None where it was not tried, if only for want of time."""
        tried = (each for each in self.by_line[line] if "too_long" not in each.outcome)
        return next((each for each in tried if each.outcome["name"] == name), None)

    def best_solo(self, line: str, placement: str) -> float:
        """Returns the highest figure that a model of a line reached by itself."""
        return max((each["solos"][placement] for each in self._weighed(line)), default=0.0)

    def seconds(self, line: str) -> float:
        """Returns how long a setting takes, 0 where none was tried."""
        tried = [each.outcome for each in self.by_line[line] if not each.from_menu]
        return float(median([outcome["seconds"] for outcome in tried] or [0]))

    def fits(self, line: str) -> list[tuple[str, float]]:
        """Returns the latest models that were fitted, by name, and the seconds each took."""
        took = [(each["name"], each.get("fit_seconds")) for each in self._weighed(line)]
        return [(name, seconds) for name, seconds in took if seconds][-LATEST:]

    def finalists(self, placements: Collection[str]) -> set[str]:
        """Returns the models with the best blends of each line, by placement."""
        found: set[str] = set()
        for line in self.by_line:
            for placement in placements:
                best = sorted(
                    self._weighed(line), key=lambda each: -each["blends"][placement]["figure"]
                )
                found |= {outcome["name"] for outcome in best[:FINALISTS]}
        return found

    def _weighed(self, line: str) -> Iterator[dict[str, Any]]:
        """Yields the outcomes of models that were put into blends."""
        return (dict(each.outcome) for each in self.by_line[line] if "blends" in each.outcome)
