"""Which categories lists are made of, beside what the same customers buy: calibration, seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from recsys.backtest.outcomes import Outcome
from recsys.data.splits import Split
from recsys.metrics.hits import ValueArray
from recsys.types import UNKNOWN, NumArray, OffsetArray

BEFORE, AFTER = "bought before", "bought after"


@dataclass(frozen=True, slots=True)
class MixShare:
    """How much of a mix one category makes up."""

    who: str
    """A configuration, or `BEFORE` or `AFTER` for the customers themselves."""
    category: str
    share: float
    """Mean over customers of the category's share of their items."""


def category_mix(outcome: Outcome, k: int) -> list[MixShare]:
    """Returns the mean mix of widest categories of lists, of pasts and of right items.

    Each customer counts once, and items without a category for nobody. Categories come by
    falling share before the cutoff; a catalogue without categories gives nothing.
    """
    before = outcome.before
    departments, names = before.items.departments, widest_categories(before.split)
    if not names:
        return []
    mixes = {BEFORE: before.tastes}
    truth = _lists(outcome.cases.truth_offsets, outcome.cases.truth_item_nums, departments)
    mixes[AFTER] = truth
    for configuration, trial in outcome.trials.items():
        nums = trial.judged.item_nums[:, :k]
        sizes = (nums != UNKNOWN).sum(axis=1)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        mixes[configuration] = _lists(offsets, nums[nums != UNKNOWN], departments)
    means = {who: _mean(mix) for who, mix in mixes.items()}
    order = np.argsort(-means[BEFORE], kind="stable").tolist()
    return list(_rows(means, order, names))


def widest_categories(split: Split) -> list[str]:
    """Returns the names of the columns of `ItemFacts.departments`."""
    ids = pl.DataFrame({"item_id": split.items.series()})
    catalogue = split.train.items.select("item_id", pl.col("category").list.first())
    rows = ids.join(catalogue, on="item_id", how="left", maintain_order="left")
    return rows["category"].drop_nulls().unique(maintain_order=True).to_list()


def _lists(offsets: OffsetArray, nums: NumArray, departments: csr_array) -> csr_array:
    ones = np.ones(len(nums), dtype=np.float64)
    shape = (len(offsets) - 1, departments.shape[0])
    return csr_array((ones, nums, offsets), shape=shape) @ departments


def _mean(mix: csr_array) -> ValueArray:
    totals = mix.sum(axis=1)
    known = totals > 0
    shares = mix[known].multiply(1 / totals[known][:, None])
    return np.asarray(shares.sum(axis=0)).ravel() / max(int(known.sum()), 1)


def _rows(means: dict[str, ValueArray], order: list[int], names: list[str]) -> Iterator[MixShare]:
    for who, shares in means.items():
        for column in order:
            yield MixShare(who, names[column], float(shares[column]))
