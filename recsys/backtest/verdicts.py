"""Comparisons ready to be shown: every two configurations, and every slice, by one metric."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.backtest.outcomes import Outcome
from recsys.backtest.pairwise import Pair, pairwise
from recsys.backtest.rows import WHOLE_POPULATION, Row
from recsys.backtest.summary import MINUS
from recsys.backtest.winners import SliceDifference, slice_differences

ALPHA = 0.05
"""The chance of any wrong claim among those of one table."""
Verdict = Literal["better", "worse", ""]


def verdict(difference: float, p_holm: float | None) -> Verdict:
    """Returns whether the first of two configurations differs for sure: `better`, `worse` or "".

    The terminal, the report and its plots all ask here: one test (paired permutation), one
    correction (Holm), one level. An interval without zero is not enough: it is not corrected for
    how many differences were looked at.

    Args:
        difference: mean of the first minus the second.
        p_holm: of the permutation test, corrected; None: the difference was not tested.
    """
    if p_holm is None or p_holm > ALPHA:
        return ""
    return "better" if difference > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is significant about one placement."""

    placement: str
    metric: str
    k: int
    pairs: tuple[Pair, ...]
    """Every two configurations, the most significant difference first."""
    slices: tuple[SliceDifference, ...]
    """The first configuration against each other one, by falling difference."""


def verdicts(placement: str, outcome: Outcome, metric: str, k: int, *, seed: int) -> Verdicts:
    """Tests all differences of a placement by one metric.

    Raises:
        ConfigError: the metric is not a mean over customers, or was not measured at k.
    """
    values = outcome.values(metric, k)
    known = [name for name, column in values.items() if not np.isnan(column).all()]
    values = {name: values[name] for name in known}
    several = len(values) > 1
    pairs = pairwise(values, seed=seed) if several else []
    slices = slice_differences(values, outcome.slices.groups, seed=seed) if several else []
    return Verdicts(placement, metric, k, tuple(pairs), tuple(slices))


def with_p_values(rows: Iterable[Row], found: Iterable[Verdicts]) -> Iterator[Row]:
    """Yields rows with the p-values of those differences that were tested, and missing pairs.

    Rows have the differences of the first configuration only: a row is added for each other pair.
    """
    tested = {key: row for verdict in found for key, row in _tested(verdict)}
    like: dict[str, Row] = {}
    for row in rows:
        like.setdefault(row.placement, row)
        key = (row.placement, row.configuration, row.slice, row.metric, row.k)
        p_holm = tested.pop(key).p_holm if key in tested else None
        yield row if p_holm is None else row.model_copy(update={"p_holm": p_holm})
    for row in tested.values():
        named = like[row.placement]
        told = {"dataset": named.dataset, "protocol": named.protocol, "variant": named.variant}
        yield row.model_copy(update=told)


_Key = tuple[str, str, str, str, int | None]


def _tested(found: Verdicts) -> Iterator[tuple[_Key, Row]]:
    for pair in found.pairs:
        yield _row(found, pair, WHOLE_POPULATION)
    for each in found.slices:
        yield _row(found, each, each.slice)


def _row(found: Verdicts, pair: Pair | SliceDifference, group: str) -> tuple[_Key, Row]:
    name = f"{pair.first}{MINUS}{pair.second}"
    row = Row(
        dataset="",
        protocol="",
        configuration=name,
        placement=found.placement,
        slice=group,
        metric=found.metric,
        k=found.k,
        value=pair.difference.value,
        low=pair.difference.low,
        high=pair.difference.high,
        customers=pair.customers,
        p_holm=pair.p_holm,
    )
    return (found.placement, name, group, found.metric, found.k), row
