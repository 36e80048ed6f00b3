"""All metrics at all k of one set of judged lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from recsys.backtest.background import Background
from recsys.backtest.run import Judged
from recsys.backtest.significance import Matrix
from recsys.metrics.average_precision import average_precision_at
from recsys.metrics.average_precision_full import average_precision_full_at
from recsys.metrics.calibration import calibration_kl_at
from recsys.metrics.coverage import coverage_at
from recsys.metrics.diversity import intra_list_diversity_at
from recsys.metrics.exposure_gini import exposure_gini_at
from recsys.metrics.hit_rate import hit_rate_at
from recsys.metrics.hits import ValueArray, hit_matrix
from recsys.metrics.margin import margin_at
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.ndcg_full_ideal import ndcg_full_ideal_at
from recsys.metrics.novelty import novelty_at
from recsys.metrics.popularity_bias import average_popularity_at
from recsys.metrics.precision import precision_at
from recsys.metrics.recall import recall_at
from recsys.metrics.reciprocal_rank import reciprocal_rank_at
from recsys.metrics.repeat_recall import explore_recall_at, repeat_recall_at
from recsys.metrics.repeat_share import repeat_share_at
from recsys.metrics.revenue import revenue_at
from recsys.metrics.serendipity import serendipity_at
from recsys.types import BoolArray, NumArray


class Measure(NamedTuple):
    """A metric at a k."""

    metric: str
    k: int


@dataclass(frozen=True, slots=True, eq=False)
class _Lists:
    """Judged lists beside what was known before."""

    nums: NumArray
    hits: BoolArray
    sizes: NumArray
    known: BoolArray
    """Shape (cases, depth): the customer had bought the item before."""
    before: Background


PER_CUSTOMER = MappingProxyType[str, Callable[[_Lists, int], ValueArray]](
    {
        "precision": lambda x, k: precision_at(x.hits, k),
        "recall": lambda x, k: recall_at(x.hits, x.sizes, k),
        "ndcg": lambda x, k: ndcg_at(x.hits, x.sizes, k),
        "map": lambda x, k: average_precision_at(x.hits, x.sizes, k),
        "mrr": lambda x, k: reciprocal_rank_at(x.hits, k),
        "hr": lambda x, k: hit_rate_at(x.hits, k),
        "novelty": lambda x, k: novelty_at(
            x.nums, x.before.split.buyers, max(x.before.split.train_buyers, 1), k
        ),
        "map_full": lambda x, k: average_precision_full_at(x.hits, x.sizes, k),
        "ndcg_full_ideal": lambda x, k: ndcg_full_ideal_at(x.hits, x.sizes, k),
        "repeat_recall": lambda x, k: repeat_recall_at(
            x.hits, x.known, x.before.past.repeat_sizes, k
        ),
        "explore_recall": lambda x, k: explore_recall_at(
            x.hits, x.known, x.before.past.explore_sizes, k
        ),
        "repeat_share": lambda x, k: repeat_share_at(x.nums, x.known, k),
        "serendipity": lambda x, k: serendipity_at(x.nums, x.hits, x.before.items.bestsellers, k),
        "ild_category": lambda x, k: intra_list_diversity_at(x.nums, x.before.items.paths, k),
        "calibration_kl": lambda x, k: calibration_kl_at(
            x.nums, x.before.items.departments, x.before.tastes, k
        ),
        "arp": lambda x, k: average_popularity_at(x.nums, x.before.items.popularity, k),
        "revenue": lambda x, k: revenue_at(x.nums, x.hits, x.before.items.prices, k),
        "margin": lambda x, k: margin_at(
            x.nums, x.hits, x.before.items.prices, x.before.items.costs, k
        ),
    }
)
"""Metrics that are means over customers, by their names in reports."""
OF_ALL_LISTS = MappingProxyType[str, Callable[[NumArray, int, int], float]](
    {"coverage": coverage_at, "exposure_gini": exposure_gini_at}
)
"""Metrics that lists only have together, of (item_nums, k, n_items)."""
METRICS = (*PER_CUSTOMER, *OF_ALL_LISTS)
MAIN_METRICS = (
    *("precision", "recall", "ndcg", "ndcg_full_ideal", "map", "map_full"),
    *("mrr", "hr", "novelty", "coverage"),
)
"""Those that are read first; reports may leave out the others. Where tools define a metric in two
ways, both are there, so that a figure from elsewhere is held against the right one."""


def measures(ks: Sequence[int]) -> list[Measure]:
    """Returns the columns of `values`."""
    return [Measure(metric, k) for metric in PER_CUSTOMER for k in ks]


def values(judged: Judged, before: Background, ks: Sequence[int]) -> Matrix:
    """Returns every customer's value of every measure, shape (cases, measures) float64.

    NaN where a customer has none, for example novelty of an empty list.
    """
    known = hit_matrix(judged.item_nums, before.past.offsets, before.past.item_nums)
    lists = _Lists(judged.item_nums, judged.hits, judged.truth_sizes, known, before)
    return np.stack([PER_CUSTOMER[metric](lists, k) for metric, k in measures(ks)], axis=1)


def of_all_lists(judged: Judged, n_items: int, rows: BoolArray, k: int) -> dict[str, float]:
    """Returns by metric what the lists of some cases have together; NaN where there is none."""
    chosen = judged.item_nums[rows]
    return {name: metric(chosen, k, n_items) for name, metric in OF_ALL_LISTS.items()}
