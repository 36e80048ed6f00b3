"""Makes one list of several sources' candidates."""

from collections.abc import Sequence

import numpy as np

from recsys.pipeline.query import Candidates, Ranked

HEAD = 50
"""Best scores of a source that its scale is taken from: fixed, whatever the number asked for."""


def blend(candidates: Sequence[Candidates], weights: Sequence[float], place: int) -> Ranked:
    """Sums the sources' normalised scores for one query of a batch.

    A source's scores are divided by the sum of its `HEAD` best, whatever their scale; an item that
    a source does not give gets 0 from it (CombSUM: Fox and Shaw, Combination of multiple
    searches, TREC-2, 1994). Dividing by a sum, not by the best score, gives a source that cannot
    tell its items apart little to say on each.

    Args:
        candidates: of each source, for the whole batch.
        weights: of each source.
        place: the query's place in the batch.

    Returns:
        The union of the items, best first; ties by item number.
    """
    lists = []
    for source in candidates:
        rows = slice(int(source.offsets[place]), int(source.offsets[place + 1]))
        lists.append((source.item_nums[rows], source.scores[rows]))
    nums = np.concatenate([item_nums for item_nums, _ in lists])
    distinct, places = np.unique(nums, return_inverse=True)
    parts = np.zeros((len(distinct), len(lists)), dtype=np.float32)
    start = 0
    for column, ((item_nums, scores), weight) in enumerate(zip(lists, weights, strict=True)):
        if len(item_nums):
            end = start + len(item_nums)
            scale = np.float32(weight / scores[:HEAD].sum())
            parts[places[start:end], column] = scores * scale
            start = end
    totals = parts.sum(axis=1)
    order = np.lexsort((distinct, -totals))
    return Ranked(distinct[order], totals[order], parts[order])
