"""The questions of a back-test: queries as a server would get them, with the right answers."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError
from recsys.pipeline.query import Query, RecentEvent
from recsys.protocols.mask import MASKABLE, Mask
from recsys.protocols.truth import PAIR, PROTOCOLS, personal
from recsys.types import EVENT_TYPES, ItemId, NumArray, OffsetArray


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


def cases_for(
    placement: str, split: Split, *, limit: int, seed: int, mask: Mask | None = None
) -> Cases:
    """Makes the queries of a placement with their right answers.

    They are put at the cutoff, or at the times that the split names; what a split gives beside
    its training side travels with the query.

    Customers without a right answer are left out: nobody could have served them.

    Args:
        placement: one of `PROTOCOLS`.
        split: the data set, cut.
        limit: items to ask for.
        seed: decides which baskets and context items are drawn.
        mask: what the lists leave out, where it is not what the placement does by itself; only
            for placements of `MASKABLE`, the others stay as they are.

    Raises:
        ConfigError: there is no protocol for the placement.
        DataError: no customer has a right answer.
    """
    if placement not in PROTOCOLS:
        message = f"no protocol for placement {placement!r}; known: {', '.join(PROTOCOLS)}"
        raise ConfigError(message, placement=placement)
    if mask is not None and placement in MASKABLE:
        task = personal(split, mask)
    else:
        task = PROTOCOLS[placement](split, np.random.default_rng(seed))
    truth = task.truth
    if task.context is not None:
        truth = truth.join(task.context, on="customer_num", how="semi")
    if truth.is_empty():
        message = f"{placement}: no customer has a right answer after the cutoff"
        if mask not in (None, Mask.NONE) and placement in MASKABLE:
            message += f" that the mask {mask.value!r} does not leave out"
        raise DataError(message, placement=placement)
    truth = truth.sort(PAIR)
    customer_nums, sizes = np.unique(truth["customer_num"].to_numpy(), return_counts=True)
    contexts = _context_ids(split, task.context)
    given = _given_events(split) if task.names_customer else {}
    times = split.query_times
    queries = tuple(
        Query(
            placement=placement,
            query_time=split.cutoff_time if times is None else int(times[num]),
            customer_id=split.customers.id(num) if task.names_customer else None,
            limit=limit,
            context_item_ids=contexts.get(num, ()),
            events=given.get(num, ()),
        )
        for num in customer_nums.tolist()
    )
    return Cases(
        queries=queries,
        customer_nums=customer_nums,
        truth_offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        truth_item_nums=truth["item_num"].to_numpy(),
    )


def _given_events(split: Split) -> dict[int, tuple[RecentEvent, ...]]:
    """Returns by customer what the query brings, because no fit may know it."""
    if split.given is None:
        return {}
    item_ids = split.items.series().to_list()
    events: dict[int, list[RecentEvent]] = {}
    columns = split.given.select("customer_num", "item_num", "code", "time")
    for customer, item, code, time in columns.iter_rows():
        event = RecentEvent(item_ids[item], EVENT_TYPES[code], time)
        events.setdefault(customer, []).append(event)
    return {customer: tuple(rows) for customer, rows in events.items()}


def _context_ids(split: Split, context: pl.DataFrame | None) -> dict[int, tuple[ItemId, ...]]:
    if context is None:
        return {}
    carts: dict[int, tuple[ItemId, ...]] = {}
    for customer, item in context.select(PAIR).sort(PAIR).rows():
        carts[customer] = (*carts.get(customer, ()), split.items.id(item))
    return carts
