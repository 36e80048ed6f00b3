"""Every basket after the cutoff with a third of its items hidden, and how well lists find it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.backtest.run import Answers
from recsys.backtest.significance import Interval, bootstrap
from recsys.data.splits import Split
from recsys.metrics.hits import hit_matrix
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.recall import recall_at
from recsys.pipeline.query import Query
from recsys.protocols.truth import basket_rows, hidden_parts
from recsys.types import UNKNOWN, ItemId, NumArray

BATCH = 256
PLACEMENT = "complete_the_basket"


@dataclass(frozen=True, slots=True, eq=False)
class HiddenBaskets:
    """One query a basket, and what each should find."""

    queries: tuple[Query, ...]
    customer_nums: NumArray
    """Shape (baskets,): whose each is, ascending."""
    truths: tuple[NumArray, ...]

    def without_customers(self) -> "HiddenBaskets":
        """Returns the same carts of nobody in particular."""
        queries = tuple(replace(query, customer_id=None) for query in self.queries)
        return replace(self, queries=queries)


def hidden_baskets(split: Split, *, limit: int, seed: int) -> HiddenBaskets:
    """Hides a random third of every basket after the cutoff that has two items or more."""
    hidden, carts = hidden_parts(basket_rows(split), np.random.default_rng(seed))
    keys = ["customer_num", "basket_num"]
    missing = hidden.group_by(keys).agg(missing="item_num")
    baskets = carts.group_by(keys).agg(cart="item_num").join(missing, on=keys).sort(keys)
    ids = split.items.series().to_list()
    queries, owners, truths = [], [], []
    for customer, _, cart, missed in baskets.iter_rows():
        context = tuple(ItemId(ids[num]) for num in sorted(cart))
        queries.append(
            Query(
                placement=PLACEMENT,
                query_time=split.cutoff_time,
                customer_id=split.customers.id(customer),
                limit=limit,
                context_item_ids=context,
            )
        )
        owners.append(customer)
        truths.append(np.array(sorted(missed), dtype=np.int32))
    return HiddenBaskets(tuple(queries), np.array(owners, dtype=np.int32), tuple(truths))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Figures of each customer, means over their baskets, shape (customers,) float64."""

    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]


def found(
    recommender: Answers,
    split: Split,
    baskets: HiddenBaskets,
    *,
    limit: int,
    step: Callable[[str], None],
) -> Found:
    """Asks for every basket's list.

    Raises:
        AssertionError: a list shows what is in the cart.
    """
    numbers = split.items.numbers(recommender.catalogue.items.series())
    lists = np.full((len(baskets.queries), limit), UNKNOWN, dtype=np.int32)
    for start in range(0, len(baskets.queries), BATCH):
        batch = baskets.queries[start : start + BATCH]
        if start % (20 * BATCH) == 0:
            step(f"basket {start:,} of {len(baskets.queries):,}")
        for row, answer in enumerate(recommender.recommend(batch), start):
            shown = {item.item_id for item in answer.items}
            if shown & set(baskets.queries[row].context_item_ids):
                raise AssertionError(f"the cart of {baskets.queries[row]} is shown")
            nums = numbers[[item.item_num for item in answer.items]]
            lists[row, : len(nums)] = nums
    sizes = np.array([len(truth) for truth in baskets.truths], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    hits = hit_matrix(lists, offsets, np.concatenate(baskets.truths))
    return Found(
        *(
            _by_customer(metric(hits, sizes, limit), baskets.customer_nums)
            for metric in (ndcg_at, recall_at)
        )
    )


def gain(ours: Found, other: Found, *, seed: int) -> Interval:
    """Returns the mean gain in ndcg over customers, with its interval."""
    [interval] = bootstrap((ours.ndcg - other.ndcg)[:, None], seed=seed)
    return interval


def _by_customer(values: NDArray[np.float64], owners: Sequence[int] | NumArray) -> NDArray:
    _, rows = np.unique(owners, return_inverse=True)
    means: NDArray[np.float64] = np.bincount(rows, values) / np.bincount(rows)
    return means
