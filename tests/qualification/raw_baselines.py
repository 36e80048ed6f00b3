"""Baselines made with implicit and numpy alone: none of our models, sources or recommender."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from implicit.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from threadpoolctl import threadpool_limits

from recsys.data.dataset import Dataset
from recsys.data.splits import Split, temporal_split
from recsys.data.vocabulary import Vocabulary
from recsys.metrics.hits import hit_matrix
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.precision import precision_at
from recsys.metrics.recall import recall_at
from recsys.types import CustomerId

Scores = NDArray[np.floating[Any]]
"""Shape (judged customers, items)."""
NEIGHBOURS = 200
RECENT = timedelta(days=28)
BLOCK = 1_000
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Baselines:
    """The split, and in how many baskets each customer had each item before the cutoff."""

    split: Split
    baskets: csr_matrix
    """All customers x items."""
    judged_rows: NDArray[np.int32]
    """Rows of `baskets` that are the customers of the split, in their order."""

    @classmethod
    def of(cls, data: Path, cutoff: str, min_item_events: int) -> "Baselines":
        """Cuts a prepared data set."""
        moment = datetime.fromisoformat(cutoff).replace(tzinfo=UTC)
        split = temporal_split(Dataset.open(data), cutoff=moment, min_item_events=min_item_events)
        pairs = split.train.events.group_by("customer_id", "item_id").agg(
            pl.col("basket_id").n_unique()
        )
        found = pairs.collect()
        customers: Vocabulary[CustomerId] = Vocabulary.from_ids(found["customer_id"])
        rows = customers.numbers(found["customer_id"])
        columns = split.items.numbers(found["item_id"])
        counts = found["basket_id"].cast(pl.Float32).to_numpy()
        shape = (len(customers), len(split.items))
        matrix = csr_matrix((counts, (rows, columns)), shape=shape)
        return cls(split, matrix, customers.numbers(split.customers.series()))

    def all_scores(self, step: Callable[[str], None]) -> Iterator[tuple[str, Scores]]:
        """Yields each baseline's name and scores."""
        step("implicit ALS, 64 factors")
        yield "ALS 64", self._als()
        step("item-item cosine")
        yield "item-item cosine", self._cosine()
        yield "popularity of 28 days", self._recent()

    def judged(self, scores: Scores, k: int, *, new_only: bool) -> list[float]:
        """Returns precision, recall and ndcg at k, means over customers.

        Args:
            scores: of all items.
            k: length of the lists.
            new_only: leaves out of lists and truth what a customer had before.
        """
        had = self.baskets[self.judged_rows]
        after = self.split.after.select("customer_num", "item_num").unique()
        pairs = (after["customer_num"].to_numpy(), after["item_num"].to_numpy())
        truth = csr_matrix((np.ones(len(after), np.bool_), pairs), shape=had.shape)
        if new_only:
            scores = np.where(had.toarray() > 0, -np.inf, scores)
            truth = truth > truth.multiply(had > 0)
        right = csr_matrix(truth)
        right.eliminate_zeros()
        sizes = np.diff(right.indptr)
        asked = np.flatnonzero(sizes)
        lists = np.argsort(-scores[asked], axis=1, kind="stable")[:, :k].astype(np.int32)
        right = right[asked]
        hits = hit_matrix(lists, right.indptr.astype(np.int64), right.indices.astype(np.int32))
        found = (
            precision_at(hits, k),
            recall_at(hits, sizes[asked], k),
            ndcg_at(hits, sizes[asked], k),
        )
        return [float(values.mean()) for values in found]

    def cosine(self, k: int) -> list[float]:
        """Returns precision, recall and ndcg at k of item-item cosine, nothing masked."""
        return self.judged(self._cosine(), k, new_only=False)

    def _als(self) -> Scores:
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=64, regularization=0.01, iterations=15, alpha=1.0, random_state=SEED
            )
            model.fit(self.baskets, show_progress=False)
        scores: Scores = model.user_factors[self.judged_rows] @ model.item_factors.T
        return scores

    def _cosine(self) -> Scores:
        """Each item keeps its 200 nearest, itself among them."""
        lengths = np.sqrt(np.asarray(self.baskets.power(2).sum(axis=0)).ravel())
        scaled = csr_matrix(self.baskets.multiply(1 / np.maximum(lengths, 1e-12)))
        items = scaled.T.tocsr()
        blocks = range(0, items.shape[0], BLOCK)
        near = vstack([_nearest(items[start : start + BLOCK] @ scaled) for start in blocks])
        scores: Scores = (self.baskets[self.judged_rows] @ near).toarray()
        return scores

    def _recent(self) -> Scores:
        """Distinct customers of the last 28 days; ties by those of all time."""
        recent = pl.col("event_time") >= self.split.cutoff - RECENT
        pairs = self.split.train.events.filter(recent).select("customer_id", "item_id").unique()
        nums = self.split.items.numbers(pairs.collect()["item_id"])
        counts = np.bincount(nums, minlength=len(self.split.items))
        popularity = counts + self.split.buyers / (self.split.train_buyers + 1)
        return np.tile(popularity, (len(self.judged_rows), 1))


def _nearest(similar: csr_matrix) -> csr_matrix:
    """Returns the rows with their largest `NEIGHBOURS` entries."""
    rows = []
    for place in range(similar.shape[0]):
        row = similar[place]
        if row.nnz > NEIGHBOURS:
            best = np.argpartition(-row.data, NEIGHBOURS)[:NEIGHBOURS]
            parts = (row.data[best], (np.zeros(NEIGHBOURS, int), row.indices[best]))
            row = csr_matrix(parts, shape=row.shape)
        rows.append(row)
    return vstack(rows)
