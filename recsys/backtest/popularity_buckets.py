"""Recall apart for popular and rare items: who only recommends bestsellers is seen here."""

from dataclasses import dataclass

import numpy as np

from recsys.backtest.outcomes import Outcome
from recsys.backtest.significance import Matrix, bootstrap
from recsys.types import UNKNOWN, NumArray, OffsetArray

BUCKETS = 5


@dataclass(frozen=True, slots=True)
class BucketRecall:
    """What one configuration finds of the right items of one bucket."""

    configuration: str
    bucket: int
    """0 has the most popular items."""
    items: int
    """Items in the bucket."""
    right_share: float
    """Share of all right items that lie in the bucket."""
    value: float
    """Mean over customers with a right item in the bucket of the share of these that was found."""
    low: float
    high: float
    customers: int


def popularity_buckets(buyers: NumArray, count: int = BUCKETS) -> NumArray:
    """Returns each item's bucket, shape (items,) int32: each makes up as many sales, 0 the top.

    The most popular items come first until they make up 1/count of all distinct (buyer, item)
    pairs, then the next; items without a buyer are in the last.

    >>> popularity_buckets(np.array([1, 6, 0, 2, 3], dtype=np.int32), 2)
    array([1, 0, 1, 1, 1], dtype=int32)
    """
    order = np.argsort(-buyers, kind="stable")
    sold = np.cumsum(buyers[order], dtype=np.int64)
    total = max(int(sold[-1]), 1) if len(sold) else 1
    before = sold - buyers[order]
    places = np.minimum(before * count // total, count - 1)
    places[buyers[order] == 0] = count - 1
    buckets = np.empty(len(buyers), dtype=np.int32)
    buckets[order] = places
    return buckets


def recall_by_popularity(outcome: Outcome, k: int, *, seed: int) -> list[BucketRecall]:
    """Returns recall@k by configuration and bucket, with 95 % bootstrap intervals.

    Buckets without a right item are left out.
    """
    cases, split = outcome.cases, outcome.before.split
    buckets = popularity_buckets(split.buyers)
    items = np.bincount(buckets, minlength=BUCKETS)
    right = _right(cases.truth_offsets, buckets[cases.truth_item_nums])
    shares = right.sum(axis=0) / right.sum()
    used = np.flatnonzero(shares > 0).tolist()
    found = []
    for name, trial in outcome.trials.items():
        nums, hits = trial.judged.item_nums[:, :k], trial.judged.hits[:, :k]
        shown = np.where(hits & (nums != UNKNOWN), buckets[nums], UNKNOWN)
        hit = np.stack([(shown == bucket).sum(axis=1) for bucket in range(BUCKETS)], axis=1)
        with np.errstate(invalid="ignore"):
            recall = np.where(right > 0, hit / right, np.nan)
        intervals = bootstrap(recall[:, used], seed=seed)
        for bucket, interval in zip(used, intervals, strict=True):
            found.append(
                BucketRecall(
                    configuration=name,
                    bucket=bucket,
                    items=int(items[bucket]),
                    right_share=float(shares[bucket]),
                    value=interval.value,
                    low=interval.low,
                    high=interval.high,
                    customers=int((right[:, bucket] > 0).sum()),
                )
            )
    return found


def _right(offsets: OffsetArray, buckets: NumArray) -> Matrix:
    """Returns how many right items each case has in each bucket, shape (cases, BUCKETS)."""
    cases = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    flat = np.bincount(cases * BUCKETS + buckets, minlength=(len(offsets) - 1) * BUCKETS)
    return flat.reshape(-1, BUCKETS).astype(np.float64)
