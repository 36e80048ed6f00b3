"""Several cut-offs as one result: the rows of each, and every customer's mean over them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recsys.backtest.compare import figures
from recsys.backtest.outcomes import Contender, Study, Trial, measure
from recsys.backtest.rows import WHOLE_POPULATION, Row
from recsys.backtest.significance import Matrix
from recsys.backtest.summary import Labels, differences, mean_rows
from recsys.data.progress import Progress, silent
from recsys.errors import DataError
from recsys.protocols.holdout import HoldOut
from recsys.types import CustomerId


def rolling(
    holdouts: Sequence[HoldOut],
    contenders: Callable[[HoldOut], Sequence[Contender]],
    study: Study,
    *,
    progress: Progress = silent,
) -> list[Row]:
    """Evaluates the same contenders on several hold-outs, and their mean.

    A customer's value is the mean over the cut-offs at which they were asked, so that the
    bootstrap draws customers, not customers at a cut-off: the same person twice is no second
    witness. Differences are paired customer by customer.

    Args:
        holdouts: such as `rolling_origin` makes them.
        contenders: makes the contenders of one hold-out; the first is ours.
        study: what to measure; protocol, variant and mask are the hold-outs' own.
        progress: hears of every fit and list.

    Returns:
        All rows of each hold-out in order, then those of the mean. One at which nobody can be
        judged by has no row where the study skips what is empty.

    Raises:
        ConfigError: a placement has no protocol.
        DataError: a placement has no customer with a right answer; where the study skips what is
            empty, no hold-out has one.
    """
    rows: list[Row] = []
    means: dict[str, _Mean] = {}
    judged = 0
    for holdout in holdouts:
        own = replace(study, protocol=holdout.protocol, variant=holdout.variant, mask=holdout.mask)
        outcomes = measure(
            holdout.split, contenders(holdout), own, may_be_empty=True, progress=progress
        )
        judged += bool(outcomes)
        rows += figures(holdout.split, outcomes, own)
        for name, outcome in outcomes.items():
            asked = holdout.split.customers.ids(outcome.cases.customer_nums)
            means.setdefault(name, _Mean()).add(asked, outcome.trials)
    if not judged:
        message = (
            f"nobody can be judged by at any of {len(holdouts)} cut-offs: no customer has a right "
            f"answer for {', '.join(study.placements)}"
        )
        raise DataError(message)
    for mean in means.values():
        rows += mean.rows(f"mean of {judged} cut-offs", study)
    return rows


@dataclass(slots=True)
class _Mean:
    """The values of one placement at all cut-offs."""

    customers: list[CustomerId] = field(default_factory=list)
    values: dict[str, list[Matrix]] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)

    def add(self, customers: Sequence[CustomerId], trials: dict[str, Trial]) -> None:
        """Takes what one cut-off gave."""
        self.customers += customers
        for name, trial in trials.items():
            self.values.setdefault(name, []).append(trial.found)
            self.labels.setdefault(name, trial.labels)

    def rows(self, variant: str, study: Study) -> Iterator[Row]:
        """Yields the rows of the mean, each contender's and then the first's leads."""
        _, people = np.unique(np.array(self.customers, dtype=np.str_), return_inverse=True)
        found = {
            name: mean_by(people, np.concatenate(parts)) for name, parts in self.values.items()
        }
        first = next(iter(found), None)
        for name, values in found.items():
            labels = replace(self.labels[name], variant=variant, seconds=None, peak_mb=None)
            yield from mean_rows(labels, WHOLE_POPULATION, values, study.ks, study.seed)
            if first is not None and name != first:
                everybody = np.ones(len(values), dtype=np.bool_)
                yield from differences(
                    replace(labels, configuration=first),
                    found[first],
                    values,
                    name,
                    {WHOLE_POPULATION: everybody},
                    ks=study.ks,
                    seed=study.seed,
                )


def mean_by(people: np.ndarray[tuple[int], np.dtype[np.intp]], values: Matrix) -> Matrix:
    """Returns every person's mean of each measure, NaN where they have no value at all.

    Args:
        people: shape (rows,): who each row is of, numbers from 0 without gaps.
        values: shape (rows, measures), NaN where there is none.
    """
    known = ~np.isnan(values)
    shape = (int(people.max()) + 1, values.shape[1])
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, people, np.where(known, values, 0.0))
    np.add.at(counts, people, known)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
