"""Asks a recommender the questions of a back-test, the way a server would."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split
from recsys.metrics.hits import hit_matrix
from recsys.pipeline.query import Query, Recommendations
from recsys.protocols.cases import Cases
from recsys.types import UNKNOWN, BoolArray, NumArray

BATCH = 256
"""Queries asked at once: large enough to be fast, small enough to show progress."""

Progress = Callable[[int, int], None]
"""Told how many queries are answered, of how many."""


class Answers(Protocol):
    """The part of `Recommender` that a back-test may use: the one that is served."""

    @property
    def catalogue(self) -> Catalogue:
        """Returns the items that lists are made of."""
        ...

    def recommend(self, queries: Sequence[Query]) -> list[Recommendations]:
        """Answers queries in their order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Lists beside what would have been right; one row per case."""

    item_nums: NumArray
    """Shape (cases, depth) int32: numbers of `Split.items`, padded with `UNKNOWN`."""
    hits: BoolArray
    """Shape (cases, depth)."""
    truth_sizes: NumArray
    """Shape (cases,)."""


def judge(
    recommender: Answers, split: Split, cases: Cases, *, progress: Progress | None = None
) -> Judged:
    """Gets the list of every case through `recommend` and compares it with its truth.

    Lists rank the whole catalogue, never a sample of it (Krichene, Rendle: On sampled metrics
    for item recommendation, KDD 2020). Equal queries are asked once: without a customer and
    without context everybody gets the same list.

    Args:
        recommender: what is served.
        split: the data set that the cases came from.
        cases: queries with their right answers.
        progress: called after every batch.
    """
    asked = list(dict.fromkeys(cases.queries))
    depth = max(query.limit for query in asked)
    numbers = split.items.numbers(recommender.catalogue.items.series())
    lists: dict[Query, NumArray] = {}
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        for query, answer in zip(batch, recommender.recommend(batch), strict=True):
            lists[query] = numbers[[item.item_num for item in answer.items]]
        if progress:
            progress(len(lists), len(asked))
    item_nums = np.full((len(cases), depth), UNKNOWN, dtype=np.int32)
    for row, query in enumerate(cases.queries):
        item_nums[row, : len(lists[query])] = lists[query]
    hits = hit_matrix(item_nums, cases.truth_offsets, cases.truth_item_nums)
    return Judged(item_nums, hits, cases.truth_sizes)
