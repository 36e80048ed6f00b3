"""Everything that a report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recsys.assembly import FitConfig
from recsys.backtest.learning import LearningPoint, Of
from recsys.backtest.outcomes import Outcome, Study
from recsys.backtest.rows import WHOLE_POPULATION, Row
from recsys.backtest.summary import MINUS
from recsys.backtest.verdicts import Verdicts
from recsys.data.splits import Split


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """A study and all that was measured. The first configuration is the one reported on."""

    split: Split
    study: Study
    outcomes: Mapping[str, Outcome]
    """By placement."""
    rows: tuple[Row, ...]
    verdicts: tuple[Verdicts, ...]
    configs: Mapping[str, FitConfig]
    """By configuration, where it is known."""
    learning: tuple[LearningPoint, ...] = ()
    learning_of: Of | None = None
    metric: str = "ndcg"
    """The headline metric; at the largest k."""
    _index: dict[tuple[str, str, str, str, int | None], Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            key = (row.placement, row.configuration, row.slice, row.metric, row.k)
            self._index.setdefault(key, row)

    @property
    def k(self) -> int:
        """Returns the k of the headline."""
        return max(self.study.ks)

    @property
    def names(self) -> list[str]:
        """Returns the configurations, the first one first."""
        found = [name for outcome in self.outcomes.values() for name in outcome.trials]
        return list(dict.fromkeys(found))

    def row(
        self,
        placement: str,
        configuration: str,
        metric: str,
        k: int | None = None,
        group: str = WHOLE_POPULATION,
    ) -> Row | None:
        """Returns one figure, at the headline's k unless told; None where it was not measured."""
        return self._index.get((placement, configuration, group, metric, k or self.k))

    def lead(self, placement: str, other: str) -> Row | None:
        """Returns the first configuration's headline lead over another one."""
        return self.row(placement, f"{self.names[0]}{MINUS}{other}", self.metric)

    def rival(self, placement: str) -> str | None:
        """Returns the best of the other configurations by the headline metric."""
        values = {
            name: found.value
            for name in self.names[1:]
            if (found := self.row(placement, name, self.metric)) is not None
        }
        return max(values, key=lambda name: values[name], default=None)
