"""Answers with customers: whom an item would interest, among all whom the bundle knows.

Asking the list of every customer would take minutes for 100,000 of them. Instead the sources are
asked backwards: how much a day with each item speaks for the one asked about. A customer's score
is then a sum over the history, and those of all customers are one product of a sparse matrix and
a vector: one pass over the states.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.errors import InvalidQueryError, UnknownItemError
from recsys.live.placement_settings import PlacementSettings
from recsys.pipeline.answers import (
    MAX_CUSTOMERS,
    CustomerRecommendations,
    CustomersQuery,
    RecommendedCustomer,
)
from recsys.pipeline.blend import HEAD
from recsys.pipeline.placements import placement_that
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.request import BOUGHT
from recsys.pipeline.worth import Backward, Worth, interest, plain
from recsys.types import VISITOR_PREFIX, CustomerId, EventType, FloatArray, NumArray

Keep = Callable[[Sequence[CustomerId]], Sequence[bool]]
"""Says of customers which may be in the answer."""
PURCHASES = {EventType.PURCHASE: 1.0}
LEAST_BLOCK = 256
"""Customers that `keep` is asked about at once, at least."""


def everybody(customer_ids: Sequence[CustomerId]) -> list[bool]:
    """Keeps all."""
    return [True] * len(customer_ids)


def recommend_customers(
    recommender: Recommender, query: CustomersQuery, keep: Keep = everybody
) -> CustomerRecommendations:
    """Returns the customers whom an item would interest, the most interested first.

    The list is as long as the query's limit unless fewer customers are known and kept: behind
    those whom a source links to the item stand those who link to its category, then those who
    buy most. Visitors who never logged in are nobody to tell.

    Args:
        recommender: of the bundle whose customers they are.
        query: what is asked.
        keep: asked about the best ones first, in blocks, until enough are kept: consent, say.

    Raises:
        UnknownPlacementError: there is no such placement.
        InvalidQueryError: it does not answer with customers, or the limit is out of range.
        UnknownItemError: the catalogue does not have the item.
    """
    config = placement_that(recommender.placement_configs, query.placement, "customers")
    if not 1 <= query.limit <= MAX_CUSTOMERS:
        description = f"must be 1 to {MAX_CUSTOMERS}, is {query.limit}"
        raise InvalidQueryError("limit", description)
    item_num = recommender.catalogue.items.number(query.item_id)
    if item_num is None or not recommender.catalogue.has(query.item_id):
        message = f"the item {query.item_id!r} is not in the catalogue"
        raise UnknownItemError(message, item_id=query.item_id)
    told: list[tuple[CustomerId, float]] = []
    left = _whom_to_tell(recommender, query, item_num)
    for scores, shown in _stages(recommender, config, item_num, query.query_time):
        found = np.flatnonzero(left & (scores > 0)).astype(np.int32)
        left[found] = False
        best = found[np.lexsort((found, -scores[found]))]
        kept = _kept(recommender, best, keep, query.limit - len(told))
        told += [(name, float(scores[best[place]]) if shown else 0.0) for place, name in kept]
        if len(told) >= query.limit:
            break
    return CustomerRecommendations(
        placement=query.placement,
        item_id=query.item_id,
        customers=tuple(
            RecommendedCustomer(customer_id, score, rank)
            for rank, (customer_id, score) in enumerate(told, start=1)
        ),
        bundle_version=recommender.bundle_version,
        trained_until=recommender.trained_until,
    )


def _whom_to_tell(
    recommender: Recommender, query: CustomersQuery, item_num: int
) -> NDArray[np.bool_]:
    """Marks the customers who may be told, shape (customers,)."""
    resolver = recommender.resolver
    left = np.ones(len(resolver.states), dtype=bool)
    left[resolver.customers.starting_with(VISITOR_PREFIX)] = False
    if query.exclude_buyers:
        rows = resolver.states.rows
        bought = np.flatnonzero((rows.item_nums == item_num) & (BOUGHT[rows.event_types] > 0))
        left[np.searchsorted(resolver.states.offsets, bought, side="right") - 1] = False
    return left


def _stages(
    recommender: Recommender, config: PlacementSettings, item_num: int, now: int
) -> Iterator[tuple[FloatArray, bool]]:
    """Yields scores of all customers, each time for those whom the one before left with 0.

    Whether the scores are told: only those of the sources are.
    """
    states, catalogue = recommender.resolver.states, recommender.catalogue
    yield _blended(recommender, config, item_num, now), True
    items = np.zeros(len(catalogue), dtype=np.float32)
    items[catalogue.same_category(np.array([item_num], dtype=np.int32))] = 1.0
    yield interest(states, len(catalogue), Worth(items, PURCHASES, None, plain), now), False
    items = np.ones_like(items)
    yield interest(states, len(catalogue), Worth(items, PURCHASES, None, plain), now), False
    yield np.ones(len(states), dtype=np.float32), False


def _blended(
    recommender: Recommender, config: PlacementSettings, item_num: int, now: int
) -> FloatArray:
    """Returns the weighted sum of the sources' interests, shape (customers,).

    A source's are divided by the mean of the `HEAD` largest, whatever their scale.
    """
    states = recommender.resolver.states
    total = np.zeros(len(states), dtype=np.float32)
    for use in config.sources:
        source = recommender.sources[use.name]
        if not isinstance(source, Backward):
            raise TypeError(use.name)
        for num, share in _learned(recommender, item_num):
            worth = source.worth_of(num)
            if worth is None:
                continue
            found = interest(states, len(recommender.catalogue), worth, now)
            top = np.partition(found, -min(HEAD, len(found)))[-min(HEAD, len(found)) :].mean()
            if top > 0:
                total += np.float32(use.weight * share / top) * found
    return total


def _learned(recommender: Recommender, item_num: int) -> list[tuple[int, float]]:
    """Returns the item, or the learned ones that it is like, and what part each has."""
    new = recommender.new_items
    if new is None or item_num < new.first:
        return [(item_num, 1.0)]
    nums, shares = new.stand_ins_for(item_num)
    return [(num, share) for num, share in zip(nums, shares, strict=True) if share > 0]


def _kept(
    recommender: Recommender, nums: NumArray, keep: Keep, wanted: int
) -> Iterator[tuple[int, CustomerId]]:
    """Yields the first customers who are kept, each with the place among `nums`."""
    size = max(LEAST_BLOCK, 2 * wanted)
    for start in range(0, len(nums), size):
        ids = recommender.resolver.customers.ids(nums[start : start + size])
        for place, (customer_id, kept) in enumerate(zip(ids, keep(ids), strict=True), start):
            if kept and wanted > 0:
                wanted -= 1
                yield place, customer_id
        if wanted == 0:
            return
