"""Turns queries into requests: ids into numbers, history into rows, limits into masks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from recsys.data.catalogue import Catalogue
from recsys.data.events import CUSTOMER_SCHEMA
from recsys.data.merge import EventColumns, merge, unclear_items
from recsys.data.segments import Segments
from recsys.data.state import CustomerStates, StateRows
from recsys.data.vocabulary import Vocabulary
from recsys.errors import InvalidQueryError
from recsys.live.eligibility import Eligibility
from recsys.live.rules import UNTUNED
from recsys.pipeline.new_items import NewItems
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.query import MAX_GIVEN_ITEMS, MAX_LIMIT, Query, RecentEvent
from recsys.pipeline.query_filters import passing
from recsys.pipeline.request import Anchor, Request
from recsys.pipeline.rule_tables import Shop
from recsys.pipeline.ruling import ruled
from recsys.pipeline.weeks import as_of_week, begun_before
from recsys.types import EVENT_CODES, BoolArray, CustomerId, ItemId, NumArray, Tier


@dataclass(frozen=True, slots=True, eq=False)
class Resolver:
    """Looks up what a bundle knows about a query."""

    customers: Vocabulary[CustomerId]
    states: CustomerStates
    segments: Segments
    catalogue: Catalogue
    eligibility: Eligibility
    new_items: NewItems | None = None
    """Items after the bundle's; None: there are none."""
    attributes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CUSTOMER_SCHEMA))
    """What was given of customers, ordered by `customer_id`."""

    def resolve(self, query: Query, placement: PlacementConfig) -> Request:
        """Returns the request of a query.

        Raises:
            InvalidQueryError: the limit or market is out of range.
            InvalidFilterError: the filter is not an expression over the catalogue's columns.
        """
        most = MAX_GIVEN_ITEMS if query.only_item_ids else MAX_LIMIT
        if not 1 <= query.limit <= most:
            raise InvalidQueryError("limit", f"must be 1 to {most}, is {query.limit}")
        asked_time = query.query_time
        if placement.rotation_weeks is not None:
            query = as_of_week(query)
        customer_num = None
        if query.customer_id is not None:
            customer_num = self.customers.number(query.customer_id)
        owners = self._owners(query)
        histories = [self._history(owner) for owner in owners]
        known = any(len(rows.item_nums) for rows in histories)
        context = self._item_nums(query.context_item_ids)
        rows = self._merged(owners, histories, query)
        if placement.rotation_weeks is not None:
            rows = begun_before(rows, query.query_time)
        request = Request(
            query=query,
            rows=rows,
            scale=self.states.scale,
            history_tier=Tier.PERSONALISED if known else Tier.SESSION,
            label_nums=self._labels(customer_num),
            context_nums=context,
            use_context=placement.seeds == "context" and len(context) > 0,
            allowed=passing(query, self.eligibility),
        )
        self._restrict(request, placement)
        if query.rules is not None or query.tuning != UNTUNED:
            shop = Shop(self.catalogue, self.eligibility, self.states)
            request = ruled(request, shop, asked_time)
        if query.only_item_ids:
            request = replace(request, given_nums=self._given(query, request.allowed))
        if self.new_items is not None:
            request = replace(request, learned=self.new_items.learned_request(request))
        return request

    @property
    def has_variants(self) -> bool:
        """Whether any product has more items than one."""
        return Shop(self.catalogue, self.eligibility, self.states).has_variants

    def allowing(self, request: Request, allowed: BoolArray) -> Request:
        """Returns a resolved request with other items allowed, shape (items,)."""
        found = request.allowing(allowed)
        if not request.query.only_item_ids:
            return found
        return replace(found, given_nums=self._given(request.query, allowed))

    def within(self, request: Request, item_nums: NumArray) -> Request:
        """Returns a resolved request as a filter that only these items pass would have it."""
        inside = np.zeros_like(request.allowed)
        inside[item_nums] = True
        found = self.allowing(request, request.allowed & inside)
        if found.ruling is None:
            return found
        return replace(found, ruling=replace(found.ruling, before=found.ruling.before & inside))

    def about(self, request: Request, anchor: Anchor) -> Request:
        """Returns a request as one about a single purchase, which it does not show."""
        context = np.array([anchor.item_num], dtype=np.int32)
        about = replace(
            request,
            anchor=anchor,
            context_nums=context,
            use_context=True,
            allowed=request.allowed & ~self._variants(context),
            said={},
        )
        if self.new_items is None:
            return about
        return replace(about, learned=self.new_items.learned_request(about))

    def missing(self, query: Query) -> tuple[ItemId, ...]:
        """Returns the context items that the catalogue does not have, in the query's order."""
        return tuple(
            item_id for item_id in query.context_item_ids if not self.catalogue.has(item_id)
        )

    def _labels(self, customer_num: int | None) -> NumArray:
        if customer_num is None:
            return self.segments.label_nums[:0]
        return self.segments.of(customer_num)

    def _item_nums(self, ids: tuple[ItemId, ...]) -> NumArray:
        """Returns the numbers of the known ids, distinct, ascending."""
        return self.catalogue.present(ids)

    def _given(self, query: Query, allowed: BoolArray) -> NumArray:
        """Returns the allowed ones of the items to order, distinct, in the query's order."""
        nums = self.catalogue.items.numbers(query.only_item_ids)
        _, firsts = np.unique(nums, return_index=True)
        nums = nums[np.sort(firsts)]
        nums = nums[nums >= 0]
        return nums[allowed[nums]]

    def unclear_items(self, query: Query) -> tuple[ItemId, ...]:
        """Returns the items of which `Query.earlier` should have the events.

        These are the items with a late event, a return, or a history that a visitor shares.
        """
        if not query.customer_id:
            return ()
        histories = [self._history(owner) for owner in self._owners(query)]
        nums = unclear_items(histories, self._columns(query.events), self.states.scale)
        return tuple(self.catalogue.items.ids(nums))

    def is_known(self, customer_id: CustomerId) -> bool:
        """Says whether the bundle has a history of a customer, or of a visitor by their key."""
        customer_num = self.customers.number(customer_id)
        if customer_num is None:
            return False
        offsets = self.states.offsets
        return bool(offsets[customer_num + 1] > offsets[customer_num])

    def _owners(self, query: Query) -> tuple[CustomerId, ...]:
        """Returns those whose history is asked for, the customer first."""
        return () if query.customer_id is None else (query.customer_id, *query.merged_ids)

    def history(self, query: Query) -> StateRows:
        """Returns what a query's customer did: the bundle's rows and the query's events."""
        owners = self._owners(query)
        return self._merged(owners, [self._history(owner) for owner in owners], query)

    def _history(self, customer_id: CustomerId) -> StateRows:
        customer_num = self.customers.number(customer_id)
        return self.states.empty() if customer_num is None else self.states.of(customer_num)

    def _merged(
        self, owners: Sequence[CustomerId], histories: Sequence[StateRows], query: Query
    ) -> StateRows:
        """Returns the rows of what the bundle knows and of the query's events."""
        counted = [
            self._columns([event for name, event in query.earlier if name == owner])
            for owner in (owners if query.earlier else ())
        ]
        fresh = self._columns(query.events)
        return merge(histories or [self.states.empty()], fresh, counted, self.states.scale)

    def _columns(self, events: Sequence[RecentEvent]) -> EventColumns:
        """Returns the events on known items as arrays."""
        ids, kinds, times, quantities = zip(*events, strict=True) if events else ((),) * 4
        nums = self.catalogue.items.numbers(ids)
        columns = EventColumns(
            nums,
            np.array([EVENT_CODES[kind] for kind in kinds], np.uint8),
            np.array(times, np.int64),
            np.array(quantities, np.float64),
        )
        known = nums >= 0
        return columns if known.all() else columns.take(known)

    def _restrict(self, request: Request, placement: PlacementConfig) -> None:
        """Takes what the query and the placement leave out off the request's own mask."""
        allowed = request.allowed
        if placement.filter:
            allowed &= self.eligibility.mask(placement.filter, request.query.market)
        if request.query.exclude_item_ids:
            allowed[self._item_nums(request.query.exclude_item_ids)] = False
        if placement.seeds == "context" and len(request.context_nums):
            allowed &= ~self._variants(request.context_nums)
        if placement.exclude == "bought":
            allowed[request.bought()] = False
        elif placement.exclude == "seen":
            allowed[request.rows.item_nums] = False
        if placement.only_bought:
            bought = np.zeros_like(allowed)
            bought[request.bought()] = True
            allowed &= bought

    def _variants(self, item_nums: NumArray) -> BoolArray:
        """Marks the items and the other variants of the same products, shape (items,)."""
        groups = self.catalogue.group_nums
        return np.isin(groups, groups[item_nums])
