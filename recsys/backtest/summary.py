"""From every customer's values to rows: means, intervals, slices, differences."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from recsys.backtest.measures import measures, of_all_lists
from recsys.backtest.rows import Row
from recsys.backtest.run import Judged
from recsys.backtest.significance import Matrix, bootstrap
from recsys.data.splits import Split
from recsys.types import BoolArray

MINUS = "-minus-"
"""Joins two configurations to the name of their paired difference."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The words that all rows of one contender and placement share; see `Row`."""

    dataset: str
    protocol: str
    variant: str
    configuration: str
    placement: str
    seconds: float | None = None
    peak_mb: float | None = None


def summarise(
    labels: Labels,
    judged: Judged,
    found: Matrix,
    groups: Mapping[str, BoolArray],
    *,
    split: Split,
    ks: Sequence[int],
    seed: int,
) -> Iterator[Row]:
    """Yields a row for each group of cases and each measure that has a value there.

    Args:
        labels: of all rows.
        judged: the lists.
        found: `measures.values` of the same lists, shape (cases, measures).
        groups: cases of each slice, shape (cases,) each.
        split: the data set that the cases came from.
        ks: as `found` was made with.
        seed: of the bootstrap.
    """
    for name, rows in groups.items():
        yield from mean_rows(labels, name, found[rows], ks, seed)
        for k in ks:
            together = of_all_lists(judged, len(split.items), rows, k)
            for metric, value in together.items():
                if math.isnan(value):
                    continue
                yield Row(
                    **asdict(labels),
                    slice=name,
                    metric=metric,
                    k=k,
                    value=value,
                    customers=int(rows.sum()),
                )


def differences(
    labels: Labels,
    ours: Matrix,
    theirs: Matrix,
    their_name: str,
    groups: Mapping[str, BoolArray],
    *,
    ks: Sequence[int],
    seed: int,
) -> Iterator[Row]:
    """Yields the paired difference of two contenders on the same cases, for each measure.

    What makes a customer easy or hard cancels out: the difference can be significant where the two
    single intervals overlap. Whether it is significant is not its interval's to say, but that of
    `verdicts.verdict`, which corrects for how many differences there are.

    Args:
        labels: of our rows; seconds and memory belong to neither and are left out.
        ours: shape (cases, measures).
        theirs: shape (cases, measures).
        their_name: their configuration.
        groups: cases of each slice, shape (cases,) each.
        ks: as both were made with.
        seed: of the bootstrap.
    """
    paired = replace(
        labels,
        configuration=f"{labels.configuration}{MINUS}{their_name}",
        seconds=None,
        peak_mb=None,
    )
    for name, rows in groups.items():
        yield from mean_rows(paired, name, (ours - theirs)[rows], ks, seed)


def mean_rows(
    labels: Labels, group: str, found: Matrix, ks: Sequence[int], seed: int
) -> Iterator[Row]:
    """Yields a row for each measure that some customer of a group has a value of.

    Args:
        labels: of all rows.
        group: the slice's name.
        found: shape (customers, measures), NaN where a customer has no value.
        ks: as `found` was made with.
        seed: of the bootstrap.
    """
    known = ~np.isnan(found)
    # Nobody has a value where, for example, all lists are empty or the catalogue has no prices.
    columns = np.flatnonzero(known.any(axis=0))
    names = measures(ks)
    intervals = bootstrap(found[:, columns], seed=seed)
    for column, interval in zip(columns.tolist(), intervals, strict=True):
        yield Row(
            **asdict(labels),
            slice=group,
            metric=names[column].metric,
            k=names[column].k,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            customers=int(known[:, column].sum()),
        )
