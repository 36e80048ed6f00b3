"""Makes one list of what several sources say: candidates with everybody's scores, then a sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.pipeline.popular_sources import LEAST
from recsys.pipeline.query import Ranked
from recsys.pipeline.scores import Scores
from recsys.types import FloatArray, NumArray

HEAD = 50
"""Best scores of a source that its scale is taken from: fixed, whatever the number asked for."""
LEAST_BOOST = np.float32(0.01)
"""Added to a boost's share, so that an item without any can still be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The candidates of one request: what any source gives, scored by every source."""

    item_nums: NumArray
    """Shape (rows,) int32, ascending."""
    shares: FloatArray
    """Shape (rows, sources) float32, at least 0: each source's score over the sum of its `HEAD`
    best."""


def pool(scores: Sequence[Scores], limit: int, also: NumArray | None = None) -> Pool:
    """Asks every source for its best items, and then all of them for the union.

    A source's scores are divided by the sum of its `HEAD` best, whatever their scale. Dividing by
    a sum, not by the best score, gives a source that cannot tell its items apart little to say on
    each. Every source scores every candidate, listed by it or not.

    Args:
        scores: of each source.
        limit: items taken from each.
        also: further candidates, whoever gives them. Where there are any, what a source gives only
            for lists to be full (`LEAST`) counts as nothing: they are ordered, and no list is
            short of them.
    """
    lists = [source.best(limit) for source in scores]
    more = np.zeros(0, np.int32) if also is None else also
    item_nums = np.unique(np.concatenate([more, *(nums for nums, _ in lists)]))
    shares = np.zeros((len(item_nums), len(lists)), dtype=np.float32)
    for column, (source, (_, best)) in enumerate(zip(scores, lists, strict=True)):
        if len(best):
            values = np.maximum(source.of(item_nums), 0)
            if also is not None:
                values[values <= LEAST] = 0
            shares[:, column] = values / best[:HEAD].sum()
    return Pool(item_nums, shares)


def boost_factors(source: Scores, item_nums: NumArray, power: float) -> FloatArray:
    """Returns what the scores of items are multiplied by, shape (items,), at least 0.

    The share of the source's best allowed item, and a little, to `power`. A product says that an
    item must be both: liked, and of its time.
    """
    _, top = source.best(1)
    most = top[0] if len(top) else np.float32(1)
    shares = np.maximum(source.of(item_nums), 0) / most + LEAST_BOOST
    factors: FloatArray = (shares**power).astype(np.float32, copy=False)
    return factors


def blend(candidates: Pool, weights: Sequence[float], factors: FloatArray | None = None) -> Ranked:
    """Sums the sources' shares.

    CombSUM (Fox and Shaw, Combination of multiple searches, TREC-2, 1994), weighted.

    Args:
        candidates: what is ranked.
        weights: of each source.
        factors: what each candidate's sum is multiplied by, shape (rows,).

    Returns:
        All candidates with a score above 0, best first; ties by item number.
    """
    parts = candidates.shares * np.asarray(weights, dtype=np.float32)
    if factors is not None:
        parts *= factors[:, None]
    totals = parts.sum(axis=1)
    order = np.lexsort((candidates.item_nums, -totals))
    order = order[totals[order] > 0]
    return Ranked(candidates.item_nums[order], totals[order], parts[order])
