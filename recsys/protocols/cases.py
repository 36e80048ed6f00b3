"""What each placement is asked in a back-test, and what would have been the right answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.splits import PURCHASE, Split
from recsys.errors import ConfigError, DataError
from recsys.pipeline.query import Query
from recsys.types import EVENT_CODES, CustomerId, EventType, ItemId, NumArray, OffsetArray

VIEW = EVENT_CODES[EventType.VIEW]
PAIR = ["customer_num", "item_num"]


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """The queries of one placement, one customer each, and the items each should find."""

    queries: tuple[Query, ...]
    customer_nums: NumArray
    """Shape (cases,) int32: rows of `Split.customers`, distinct and ascending."""
    truth_offsets: OffsetArray
    truth_item_nums: NumArray
    """Case c should find items offsets[c]:offsets[c + 1] (numbers of `Split.items`, distinct)."""

    def __len__(self) -> int:
        """Returns the number of cases."""
        return len(self.queries)

    @property
    def truth_sizes(self) -> NumArray:
        """Returns how many right items each case has, shape (cases,), at least 1."""
        return np.diff(self.truth_offsets).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Task:
    """Right items as (customer_num, item_num), and at most one context item per customer."""

    truth: pl.DataFrame
    context: pl.DataFrame | None = None
    names_customer: bool = False


def for_you(split: Split, rng: np.random.Generator) -> _Task:
    """All distinct items bought after the cutoff, repeats of earlier purchases included."""
    del rng
    return _Task(_bought_after(split), names_customer=True)


def discover(split: Split, rng: np.random.Generator) -> _Task:
    """Items bought after the cutoff that the customer had not bought before."""
    del rng
    truth = _bought_after(split).join(_bought_before(split), on=PAIR, how="anti")
    return _Task(truth, names_customer=True)


def buy_again(split: Split, rng: np.random.Generator) -> _Task:
    """Items that the customer bought before the cutoff and after."""
    del rng
    truth = _bought_after(split).join(_bought_before(split), on=PAIR, how="semi")
    return _Task(truth, names_customer=True)


def popular(split: Split, rng: np.random.Generator) -> _Task:
    """All distinct items bought after the cutoff, asked for nobody in particular."""
    del rng
    return _Task(_bought_after(split))


def similar_items(split: Split, rng: np.random.Generator) -> _Task:
    """What was bought after the cutoff, given the last item viewed or bought before.

    Among items of the same second one is drawn: the order of rows means nothing. The context
    item itself is no right answer.
    """
    touched = split.before.filter(pl.col("code").is_in([PURCHASE, VIEW]))
    latest = touched.filter(pl.col("time") == pl.col("time").max().over("customer_num"))
    context = _one_per_customer(latest.select(PAIR).unique(), rng)
    return _Task(_bought_after(split).join(context, on=PAIR, how="anti"), context)


def bought_together(split: Split, rng: np.random.Generator) -> _Task:
    """The rest of a basket, given one of its items.

    For each customer one basket after the cutoff with two items or more is drawn, then one of
    its items: each customer counts once, however often they shop.
    """
    rows = split.after.select("customer_num", "basket_num", "item_num").unique()
    baskets = rows.group_by("customer_num", "basket_num").len().filter(pl.col("len") > 1)
    drawn = _one_per_customer(baskets.select("customer_num", "basket_num"), rng)
    basket = rows.join(drawn, on=["customer_num", "basket_num"], how="semi").select(PAIR)
    context = _one_per_customer(basket, rng)
    return _Task(basket.join(context, on=PAIR, how="anti"), context)


PROTOCOLS: dict[str, Callable[[Split, np.random.Generator], _Task]] = {
    "for_you": for_you,
    "discover": discover,
    "buy_again": buy_again,
    "similar_items": similar_items,
    "bought_together": bought_together,
    "popular": popular,
}
"""By placement, in the order of reports."""


def cases_for(placement: str, split: Split, *, limit: int, seed: int) -> Cases:
    """Makes the queries of a placement, all at the cutoff, with their right answers.

    Customers without a right answer are left out: nobody could have served them.

    Args:
        placement: one of `PROTOCOLS`.
        split: the data set, cut.
        limit: items to ask for.
        seed: decides which baskets and context items are drawn.

    Raises:
        ConfigError: there is no protocol for the placement.
        DataError: no customer has a right answer.
    """
    if placement not in PROTOCOLS:
        message = f"no protocol for placement {placement!r}; known: {', '.join(PROTOCOLS)}"
        raise ConfigError(message, placement=placement)
    task = PROTOCOLS[placement](split, np.random.default_rng(seed))
    truth = task.truth
    if task.context is not None:
        truth = truth.join(task.context, on="customer_num", how="semi")
    if truth.is_empty():
        message = f"{placement}: no customer has a right answer after the cutoff"
        raise DataError(message, placement=placement)
    truth = truth.sort(PAIR)
    customer_nums, sizes = np.unique(truth["customer_num"].to_numpy(), return_counts=True)
    contexts = _context_ids(split, task.context)
    queries = tuple(
        Query(
            placement=placement,
            query_time=split.cutoff_time,
            customer_id=_customer(split, num) if task.names_customer else None,
            limit=limit,
            context_item_ids=contexts.get(num, ()),
        )
        for num in customer_nums.tolist()
    )
    return Cases(
        queries=queries,
        customer_nums=customer_nums,
        truth_offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        truth_item_nums=truth["item_num"].to_numpy(),
    )


def _customer(split: Split, num: int) -> CustomerId:
    return split.customers.id(num)


def _context_ids(split: Split, context: pl.DataFrame | None) -> dict[int, tuple[ItemId, ...]]:
    if context is None:
        return {}
    return {customer: (split.items.id(item),) for customer, item in context.select(PAIR).rows()}


def _bought_after(split: Split) -> pl.DataFrame:
    return split.after.select(PAIR).unique()


def _bought_before(split: Split) -> pl.DataFrame:
    return split.before.filter(pl.col("code") == PURCHASE).select(PAIR).unique()


def _one_per_customer(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Draws one row of each customer, the same one whatever the order of `rows`."""
    ordered = rows.sort(rows.columns)
    drawn = ordered.with_columns(draw=pl.Series(rng.random(len(ordered)))).filter(
        pl.col("draw") == pl.col("draw").max().over("customer_num")
    )
    return drawn.drop("draw")
