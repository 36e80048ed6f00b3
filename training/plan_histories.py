"""What customers did since the bundle was fitted, for a plan: what a call for each would see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.data.progress import Progress
from recsys.data.state import CustomerStates, StateRows
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.store.events import Asked, CustomerTail, TailEvent
from recsys.store.store import Store
from recsys.store.tables import events
from recsys.store.tombstones import Tombstones
from recsys.types import DAY_S, VISITOR_PREFIX, CustomerId, EventType, visitor_key

STAGE = "events since the bundle"
AT_ONCE = 500
"""Customers in one read of the store."""
_MICROS = 1_000_000
_TYPES = {kind.value: kind for kind in EventType}


@dataclass(frozen=True, slots=True, eq=False)
class HistoryReader:
    """Reads the histories of customers of whom the store knows more than the bundle."""

    store: Store
    recommender: Recommender
    position: int
    """Of the store's log that the bundle was trained up to; 0: it knows nothing of this store."""
    links: int
    """Number of the last link of a visitor that it knows."""
    erased: Tombstones

    def changed(self, time: int, progress: Progress) -> dict[int, StateRows]:
        """Returns the rows of those customers of the bundle, by number, events of now included.

        Late events, returns and visitors who logged in since are treated as in a call
        (`recsys.data.merge`).

        Args:
            time: Unix seconds; events a day after it and later do not count, as in a call.
            progress: hears about customers.
        """
        names = self._names()
        found: dict[int, StateRows] = {}
        for start in range(0, len(names), AT_ONCE):
            progress(STAGE, start, len(names))
            part = names[start : start + AT_ONCE]
            asked = [Asked(name, self._after(name)) for name in part]
            for name, tail in zip(part, self.store.tails(asked), strict=True):
                number = self.recommender.resolver.customers.number(name)
                if number is not None:
                    found[number] = self._rows(name, tail, time)
        progress(STAGE, len(names), len(names))
        return found

    def _names(self) -> list[CustomerId]:
        """Returns the customers of the bundle with events or visitors since, in order."""
        visitors = {str(visitor_key(each.visitor_id)): each for each in self.store.links()}
        with self.store.read() as session:
            names = events.customers_after(session, self.position)
        owners = {visitors[name].customer_id if name in visitors else name for name in names}
        owners |= {each.customer_id for each in visitors.values() if each.sequence > self.links}
        customers = self.recommender.resolver.customers
        known = [CustomerId(each) for each in sorted(owners)]
        numbers = customers.numbers(known)
        return [
            name
            for name, number in zip(known, numbers.tolist(), strict=True)
            if number >= 0 and not name.startswith(VISITOR_PREFIX)
        ]

    def _after(self, name: CustomerId) -> int:
        return self.position if self.recommender.resolver.is_known(name) else 0

    def _rows(self, name: CustomerId, tail: CustomerTail, time: int) -> StateRows:
        resolver = self.recommender.resolver
        keys = [visitor_key(link.visitor_id) for link in tail.links]
        merged = tuple(
            key
            for key in keys
            if resolver.is_known(key) and not self.erased.hides(key, self.position)
        )
        fresh: Sequence[TailEvent] = tail.events
        if merged or resolver.is_known(name):
            fresh = [event for event in fresh if event.position > self.position]
        recent = tuple(_recent(fresh, time + DAY_S))
        query = Query("plan", time, customer_id=name, merged_ids=merged, events=recent)
        unclear = frozenset(resolver.unclear_items(query)) if self.position else frozenset()
        if unclear:
            counted = self.store.counted([name, *keys], unclear, self.position)
            earlier = tuple(
                (CustomerId(owner), event)
                for row in counted
                for owner in [row.customer_id if row.customer_id in merged else name]
                for event in _recent([row], row.event_time // _MICROS)
            )
            query = replace(query, earlier=earlier)
        return resolver.history(query)


def _recent(rows: Sequence[TailEvent], until: int) -> Iterator[RecentEvent]:
    """Yields the events of types that models know, up to a time in Unix seconds."""
    for row in rows:
        if row.event_type in _TYPES and row.event_time < (until + 1) * _MICROS:
            kind, time = _TYPES[row.event_type], row.event_time // _MICROS
            yield RecentEvent(row.item_id, kind, time, row.quantity)


def with_changed(
    states: CustomerStates, part: slice, changed: Mapping[int, StateRows]
) -> CustomerStates:
    """Returns the states of a stretch of customers, with the rows of those who changed.

    Args:
        states: of all.
        part: the numbers of the customers.
        changed: rows by number.
    """
    offsets = states.offsets[part.start : part.stop + 1]
    counts = np.diff(offsets)
    pieces, begin = [], int(offsets[0])
    for number in sorted(set(range(part.start, part.stop)) & changed.keys()):
        pieces += [states.rows.take(slice(begin, int(states.offsets[number]))), changed[number]]
        begin = int(states.offsets[number + 1])
        counts[number - part.start] = len(changed[number].item_nums)
    pieces.append(states.rows.take(slice(begin, int(offsets[-1]))))
    rows = StateRows._make(map(np.concatenate, zip(*pieces, strict=True)))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return CustomerStates(starts, rows, states.scale)
