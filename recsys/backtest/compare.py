"""Several configurations on one split: one table, and whether the differences are real."""

from collections.abc import Iterator, Mapping, Sequence

from recsys.backtest.outcomes import Contender, Outcome, Study, measure
from recsys.backtest.rows import Row
from recsys.backtest.summary import differences, summarise
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.metrics.hits import ValueArray

__all__ = ["Contender", "Study", "compare", "customer_values", "figures"]


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
    return list(figures(split, measure(split, contenders, study, progress=progress), study))


def figures(split: Split, outcomes: Mapping[str, Outcome], study: Study) -> Iterator[Row]:
    """Yields the rows of what was measured: each contender's, and the first's leads."""
    for outcome in outcomes.values():
        first, groups = next(iter(outcome.trials.values()), None), outcome.slices.groups
        for name, trial in outcome.trials.items():
            yield from summarise(
                trial.labels,
                trial.judged,
                trial.found,
                groups,
                split=split,
                ks=study.ks,
                seed=study.seed,
            )
            if first and trial is not first:
                yield from differences(
                    first.labels,
                    first.found,
                    trial.found,
                    name,
                    groups,
                    ks=study.ks,
                    seed=study.seed,
                )


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
    outcomes = measure(split, contenders, study, progress=progress)
    k = max(study.ks)
    return {name: outcome.values(metric, k) for name, outcome in outcomes.items()}
