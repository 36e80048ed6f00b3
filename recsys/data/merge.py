"""Joins what a bundle counted with what came after, in whatever order it came.

A row says on how many days, not on which. Of an event that is earlier than the row's last one it
cannot tell whether its day is counted already, and of a return not what it takes off. For those
few items the events that the row counts are read again and summed anew, with the new ones.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.data.interactions import settle_returns
from recsys.data.state import DecayScale, RowKeys, StateRows, add_events, combine, row_keys
from recsys.types import DAY_S, EVENT_CODES, BoolArray, CodeArray, EventType, NumArray, TimeArray

PURCHASE, RETURN = EVENT_CODES[EventType.PURCHASE], EVENT_CODES[EventType.RETURN]


class EventColumns(NamedTuple):
    """Events of one customer on known items, in any order, each array shape (events,)."""

    item_nums: NumArray
    event_types: CodeArray
    times: TimeArray
    quantities: NDArray[np.float64]

    def take(self, part: BoolArray) -> "EventColumns":
        """Returns the events that are marked."""
        return EventColumns._make(column[part] for column in self)

    def followed_by(self, others: "EventColumns") -> "EventColumns":
        """Returns these events and then the others."""
        pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]] = zip(self, others, strict=True)
        return EventColumns._make(np.concatenate(pair) for pair in pairs)


def merge(
    histories: Sequence[StateRows],
    fresh: EventColumns,
    counted: Sequence[EventColumns],
    scale: DecayScale,
) -> StateRows:
    """Returns the rows of everything that is known of one customer.

    Equal to the rows of all events if `counted` has the events that the histories count of the
    items that `unclear_items` names. Where it has not, because the histories were summed from
    files or from events that have left the log since, the rows stay as they are: a late event on
    a day between the row's first and last is taken to be counted, and a return takes nothing off
    them. Whether `counted` is complete is seen from the rows: it must give the same first and
    last time and number of days.

    Args:
        histories: first of the customer, who may have none, then of visitors who turned out to
            be the customer. What each counts is counted by no other.
        fresh: events that no history counts.
        counted: for each history events that it counts, of any items; or nothing at all.
        scale: of the histories.
    """
    rows = _joined(histories, scale)
    again = reduce(EventColumns.followed_by, counted, fresh)
    if len(again.item_nums) == 0:
        return rows
    if len(again.item_nums) == len(fresh.item_nums) and RETURN not in fresh.event_types:
        return _with_uncounted(rows, fresh, scale)
    keys = np.unique(_keys_of(again))
    sure = np.ones(len(keys), dtype=bool)
    for history, events in zip(histories, counted, strict=False):
        sure &= _agrees(keys, history, _sums(_settled(events), scale))
    if not counted:
        sure = ~np.isin(keys, row_keys(rows.item_nums, rows.event_types))
    keys = keys[sure]
    everything, alone = _settled(again), _settled(fresh)
    everything = everything.take(np.isin(_keys_of(everything), keys))
    alone = alone.take(~np.isin(_keys_of(alone), keys))
    kept = ~np.isin(row_keys(rows.item_nums, rows.event_types), keys)
    rest = rows.take(np.flatnonzero(kept))
    return _with_uncounted(rest, everything.followed_by(alone), scale)


def unclear_items(
    histories: Sequence[StateRows], fresh: EventColumns, scale: DecayScale
) -> NumArray:
    """Returns the items of which the histories do not tell enough, distinct, ascending.

    Of returns that the histories count, those of visitors are not seen to take off what the
    customer bought: who is anonymous brings nothing back.

    Args:
        histories: as for `merge`.
        fresh: as for `merge`.
        scale: of the histories; all that they count is earlier than its reference time.
    """
    rows = _joined(histories, scale)
    places, known = _places(row_keys(rows.item_nums, rows.event_types), _keys_of(fresh))
    times, between = fresh.times[known], known.copy()
    between[known] = (times >= rows.first_times[places]) & (
        times // DAY_S < rows.last_times[places] // DAY_S
    )
    early = fresh.times < scale.reference_time
    # A purchase may have been returned later, but before it became known.
    settled = (early & (fresh.event_types == PURCHASE)) | (fresh.event_types == RETURN)
    # What a visitor bought, the customer may have brought back.
    bought = [rows.item_nums[rows.event_types == PURCHASE] for rows in histories[1:]]
    late = fresh.item_nums[between | settled]
    unclear: NumArray = np.unique(np.concatenate([_overlapping(histories), *bought, late]))
    return unclear


def _overlapping(histories: Sequence[StateRows]) -> NumArray:
    """Returns the items of which one history has a row that begins before another's ends."""
    rows = _concatenated(histories)
    keys = row_keys(rows.item_nums, rows.event_types)
    order = np.lexsort((rows.last_times, keys))
    keys, items = keys[order], rows.item_nums[order]
    meets = rows.last_times[order][:-1] > rows.first_times[order][1:]
    overlapping: NumArray = items[1:][(keys[1:] == keys[:-1]) & meets]
    return overlapping


def _with_uncounted(rows: StateRows, events: EventColumns, scale: DecayScale) -> StateRows:
    """Adds the events that lie outside of what the rows count, as far as rows tell."""
    if len(events.item_nums) == 0:
        return rows
    places, known = _places(row_keys(rows.item_nums, rows.event_types), _keys_of(events))
    before, after = known.copy(), ~known
    before[known] = events.times[known] < rows.first_times[places]
    after[known] = events.times[known] >= rows.last_times[places]
    if before.any():
        earlier = events.take(before)
        rows = combine(_sums(earlier, scale), rows, scale)
    later = events if after.all() else events.take(after)
    return add_events(rows, later.item_nums, later.event_types, later.times, scale)


def _sums(events: EventColumns, scale: DecayScale) -> StateRows:
    empty = StateRows(
        events.item_nums[:0],
        events.event_types[:0],
        np.zeros(0, np.float32),
        events.times[:0],
        events.times[:0],
        np.zeros((0, len(scale.half_lives_days)), np.float32),
    )
    return add_events(empty, events.item_nums, events.event_types, events.times, scale)


def _settled(events: EventColumns) -> EventColumns:
    """Takes returns off earlier purchases, as at training, and leaves them out themselves."""
    if not (events.event_types == RETURN).any():
        return events
    table = pl.DataFrame(
        {
            "customer_id": np.zeros(len(events.item_nums), np.int32),
            "item_id": events.item_nums,
            "code": events.event_types,
            "time": events.times,
            "quantity": events.quantities,
        }
    )
    left = settle_returns(table)
    return EventColumns(
        *(left[name].to_numpy() for name in ("item_id", "code", "time", "quantity"))
    )


def _agrees(keys: RowKeys, history: StateRows, counted: StateRows) -> BoolArray:
    """Says of which rows the events read again are those that it counts; without a row, of all."""
    own, has_row = _places(row_keys(history.item_nums, history.event_types), keys)
    found, is_counted = _places(row_keys(counted.item_nums, counted.event_types), keys)
    agrees: BoolArray = ~has_row
    both = has_row & is_counted
    mine, others = history.take(own[both[has_row]]), counted.take(found[both[is_counted]])
    agrees[both] = (
        (mine.first_times == others.first_times)
        & (mine.last_times == others.last_times)
        & (mine.days == others.days)
    )
    return agrees


def _joined(histories: Sequence[StateRows], scale: DecayScale) -> StateRows:
    return reduce(lambda one, other: combine(one, other, scale), histories)


def _concatenated(histories: Sequence[StateRows]) -> StateRows:
    return reduce(StateRows.followed_by, histories)


def _keys_of(events: EventColumns) -> RowKeys:
    return row_keys(events.item_nums, events.event_types)


def _places(sorted_keys: RowKeys, keys: RowKeys) -> tuple[NDArray[np.intp], BoolArray]:
    """Returns where those of the keys that are known stand, and which these are."""
    places = np.searchsorted(sorted_keys, keys)
    places[places == len(sorted_keys)] = 0
    known: BoolArray = sorted_keys[places] == keys if len(sorted_keys) else keys < 0
    return places[known], known
