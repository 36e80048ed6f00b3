"""All metrics at all k of one set of judged lists."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from recsys.backtest.run import Judged
from recsys.backtest.significance import Matrix
from recsys.data.splits import Split
from recsys.metrics.average_precision import average_precision_at
from recsys.metrics.coverage import coverage_at
from recsys.metrics.hit_rate import hit_rate_at
from recsys.metrics.hits import ValueArray
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.novelty import novelty_at
from recsys.metrics.precision import precision_at
from recsys.metrics.recall import recall_at
from recsys.metrics.reciprocal_rank import reciprocal_rank_at
from recsys.types import BoolArray

COVERAGE = "coverage"


class Measure(NamedTuple):
    """A metric at a k."""

    metric: str
    k: int


PER_CUSTOMER = MappingProxyType[str, Callable[[Judged, Split, int], ValueArray]](
    {
        "precision": lambda judged, _, k: precision_at(judged.hits, k),
        "recall": lambda judged, _, k: recall_at(judged.hits, judged.truth_sizes, k),
        "ndcg": lambda judged, _, k: ndcg_at(judged.hits, judged.truth_sizes, k),
        "map": lambda judged, _, k: average_precision_at(judged.hits, judged.truth_sizes, k),
        "mrr": lambda judged, _, k: reciprocal_rank_at(judged.hits, k),
        "hr": lambda judged, _, k: hit_rate_at(judged.hits, k),
        "novelty": lambda judged, split, k: novelty_at(
            judged.item_nums, split.buyers, max(split.train_buyers, 1), k
        ),
    }
)
"""Metrics that are means over customers, by their names in reports."""
METRICS = (*PER_CUSTOMER, COVERAGE)


def measures(ks: Sequence[int]) -> list[Measure]:
    """Returns the columns of `values`."""
    return [Measure(metric, k) for metric in PER_CUSTOMER for k in ks]


def values(judged: Judged, split: Split, ks: Sequence[int]) -> Matrix:
    """Returns every customer's value of every measure, shape (cases, measures) float64.

    NaN where a customer has none: novelty of an empty list.
    """
    return np.stack([PER_CUSTOMER[metric](judged, split, k) for metric, k in measures(ks)], axis=1)


def coverage(judged: Judged, split: Split, rows: BoolArray, k: int) -> float:
    """Returns the share of the items that the lists of some cases show."""
    return coverage_at(judged.item_nums[rows], k, len(split.items))
