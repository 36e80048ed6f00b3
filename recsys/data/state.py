"""What is known of each customer, as sums that more events can be added to.

One row says, for a customer, an item and an event type: on how many days, first when, last when,
and the same number of days with each day's weight halved per half-life. Rows of a bundle plus
rows of later events are the rows of all events, so that a request adds what came after training;
`merge.py` does so where events came late. Counting days, not events, keeps one reload-happy
visitor from outweighing a customer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recsys.data.interactions import Interactions
from recsys.types import (
    DAY_S,
    EVENT_TYPES,
    BoolArray,
    CodeArray,
    EventType,
    FloatArray,
    NumArray,
    OffsetArray,
    TimeArray,
)

MOST_HALVINGS = 60
"""No event weighs less than 2^-60 or more than 2^60, however wrong a clock is."""
RowKeys = NDArray[np.int64]
"""An item number and an event type in one number."""


class StateRows(NamedTuple):
    """Rows of one or many customers, sorted by item number, then event type, within each."""

    item_nums: NumArray
    event_types: CodeArray
    days: FloatArray
    """Distinct UTC days with such an event."""
    first_times: TimeArray
    last_times: TimeArray
    decayed: FloatArray
    """Shape (rows, half-lives): sum over those days of 2^-(age / half-life), age counted from
    the reference time to the day's last event."""

    def take(self, part: slice | NDArray[np.intp]) -> "StateRows":
        """Returns some of the rows, in the order asked; views where `part` is a slice."""
        return StateRows._make(column[part] for column in self)

    def followed_by(self, others: "StateRows") -> "StateRows":
        """Returns these rows and then the others."""
        pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]] = zip(self, others, strict=True)
        return StateRows._make(np.concatenate(pair) for pair in pairs)


@dataclass(frozen=True, slots=True)
class DecayScale:
    """The half-lives that states keep sums for, and the time that ages are counted from."""

    half_lives_days: tuple[float, ...]
    reference_time: int
    """Unix seconds, UTC."""

    def weights(self, times: TimeArray) -> FloatArray:
        """Returns 2^-(age / half-life), shape (n, half-lives); above 1 after the reference."""
        ages = (self.reference_time - times) / DAY_S
        exponents = ages[:, None] / np.array(self.half_lives_days, dtype=np.float64)[None, :]
        limited = np.minimum(np.maximum(exponents, -MOST_HALVINGS), MOST_HALVINGS)
        weights: FloatArray = np.exp2(-limited).astype(np.float32)
        return weights

    def seen_from(self, now: int, half_life_days: float) -> np.float32:
        """Returns what sums of this scale are multiplied by when ages are counted from `now`."""
        halvings = (now - self.reference_time) / DAY_S / half_life_days
        return np.float32(2.0 ** -max(-MOST_HALVINGS, min(halvings, MOST_HALVINGS)))

    def column(self, half_life_days: float) -> int:
        """Returns the column of `StateRows.decayed` for a half-life that is kept."""
        return self.half_lives_days.index(half_life_days)


@dataclass(frozen=True, slots=True, eq=False)
class CustomerStates:
    """The rows of all customers, flat; customer c has rows offsets[c]:offsets[c + 1]."""

    offsets: OffsetArray
    rows: StateRows
    scale: DecayScale

    def __len__(self) -> int:
        """Returns the number of customers."""
        return len(self.offsets) - 1

    @classmethod
    def from_interactions(
        cls, interactions: Interactions, half_lives_days: Sequence[float]
    ) -> "CustomerStates":
        """Sums up interactions; ages are counted from their `end_time`."""
        scale = DecayScale(tuple(sorted(set(half_lives_days))), interactions.end_time)
        customer_nums, rows = sum_days(
            interactions.customer_nums,
            interactions.item_nums,
            interactions.event_types,
            interactions.times,
            scale,
        )
        counts = np.bincount(customer_nums, minlength=len(interactions.customers))
        return cls(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows, scale)

    def of(self, customer_num: int) -> StateRows:
        """Returns one customer's rows as views."""
        part = slice(int(self.offsets[customer_num]), int(self.offsets[customer_num + 1]))
        return self.rows.take(part)

    def empty(self) -> StateRows:
        """Returns no rows, of the right types: somebody nothing is known of."""
        return self.rows.take(slice(0, 0))

    def customer_nums(self) -> NumArray:
        """Returns the customer of each row, shape (rows,) int32."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))

    def matrix(
        self, item_count: int, type_weights: FloatArray, half_life_days: float | None
    ) -> csr_array:
        """Returns customers x items, float32: what `item_weights` gives for each customer."""
        weights = _row_weights(self.rows, type_weights, half_life_days, self.scale)
        rows, columns = self.customer_nums(), self.rows.item_nums
        matrix = csr_array((weights, (rows, columns)), shape=(len(self), item_count))
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix


def add_events(
    rows: StateRows,
    item_nums: NumArray,
    event_types: CodeArray,
    times: TimeArray,
    scale: DecayScale,
) -> StateRows:
    """Returns one customer's rows with more events added, each array shape (events,).

    Exact where no event is earlier than the last that its row counts; an event on that row's
    first or last day then adds no day.
    """
    if len(item_nums) == 0:
        return rows
    keys = row_keys(item_nums, event_types)
    order = np.lexsort((times, keys))
    keys = keys[order]
    new_row = _starting(keys[1:] != keys[:-1])
    fresh = _summed(new_row, item_nums[order], event_types[order], times[order], scale)
    return combine(rows, fresh, scale)


def row_keys(item_nums: NumArray, event_types: CodeArray) -> RowKeys:
    """Returns one number for each item and event type, ordered as the rows of a customer are."""
    return (item_nums.astype(np.int64) << 8) | event_types


def type_weight_array(weights: dict[EventType, float]) -> FloatArray:
    """Returns the weight per event type code, shape (types,); types not named weigh 0."""
    return np.array([weights.get(kind, 0.0) for kind in EVENT_TYPES], dtype=np.float32)


def item_weights(
    rows: StateRows,
    type_weights: FloatArray,
    half_life_days: float | None,
    scale: DecayScale,
    now: int | None = None,
) -> tuple[NumArray, FloatArray]:
    """Sums one customer's rows to one weight per item.

    Args:
        rows: one customer's rows.
        type_weights: weight per event type code.
        half_life_days: one of the scale's half-lives, or None to count days without decay.
        scale: of the rows.
        now: Unix seconds that ages are counted from; default: the scale's reference time.

    Returns:
        Item numbers, ascending, and their weights, both shape (items,); weights are above 0.
    """
    weights = _row_weights(rows, type_weights, half_life_days, scale)
    if half_life_days is not None and now is not None:
        weights *= scale.seen_from(now, half_life_days)
    kept = weights > 0
    nums, weights = rows.item_nums[kept], weights[kept]
    if len(nums) == 0:
        return nums, weights
    starts = np.flatnonzero(_starting(nums[1:] != nums[:-1]))
    return nums[starts], np.add.reduceat(weights, starts)


def _row_weights(
    rows: StateRows, type_weights: FloatArray, half_life_days: float | None, scale: DecayScale
) -> FloatArray:
    per_day = (
        rows.days if half_life_days is None else rows.decayed[:, scale.column(half_life_days)]
    )
    weights: FloatArray = per_day * type_weights[rows.event_types]
    return weights


def _starting(changes: BoolArray) -> BoolArray:
    """Marks where groups begin, given where a row differs from the one before; never empty."""
    begins = np.empty(len(changes) + 1, dtype=bool)
    begins[0] = True
    begins[1:] = changes
    return begins


def sum_days(
    customer_nums: NumArray,
    item_nums: NumArray,
    event_types: CodeArray,
    times: TimeArray,
    scale: DecayScale,
) -> tuple[NumArray, StateRows]:
    """Groups events to days, then days to rows; returns each row's customer and the rows."""
    order = np.lexsort((times, event_types, item_nums, customer_nums))
    customers, items, kinds = customer_nums[order], item_nums[order], event_types[order]
    new_row = _starting(
        (customers[1:] != customers[:-1]) | (items[1:] != items[:-1]) | (kinds[1:] != kinds[:-1])
    )[: len(order)]
    return customers[new_row], _summed(new_row, items, kinds, times[order], scale)


def _summed(
    new_row: BoolArray, items: NumArray, kinds: CodeArray, times: TimeArray, scale: DecayScale
) -> StateRows:
    """Returns the rows of events that are ordered by row, then by time.

    Args:
        new_row: which events are the first of a row; this and all others of shape (events,).
        items: numbers.
        kinds: codes of event types.
        times: Unix seconds.
        scale: of the rows.
    """
    days = times // DAY_S
    new_day = new_row.copy()
    new_day[1:] |= days[1:] != days[:-1]
    rows, firsts = np.flatnonzero(new_row), np.flatnonzero(new_day)
    lasts = np.append(firsts[1:], len(times))[: len(firsts)] - 1
    starts = np.searchsorted(firsts, rows)
    ends = np.append(starts[1:], len(firsts))[: len(starts)]
    weights = scale.weights(times[lasts])
    return StateRows(
        item_nums=items[rows],
        event_types=kinds[rows],
        days=(ends - starts).astype(np.float32),
        first_times=times[rows],
        last_times=times[lasts[ends - 1]],
        # Most often each row has one day.
        decayed=np.add.reduceat(weights, starts, axis=0) if len(starts) < len(firsts) else weights,
    )


def combine(one: StateRows, other: StateRows, scale: DecayScale) -> StateRows:
    """Adds up two sets of rows of one customer.

    A day that both rows of an item count is counted once if it is the first or last of each: of
    the days between, rows do not tell. So the sum is exact where one row ends before the other
    begins, or at the same second.
    """
    if len(one.item_nums) == 0:
        return other
    if len(other.item_nums) == 0:
        return one
    both = one.followed_by(other)
    keys = row_keys(both.item_nums, both.event_types)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    seconds = np.flatnonzero(keys[1:] == keys[:-1]) + 1
    if len(seconds) == 0:
        return both.take(order)
    combined = both.take(np.delete(order, seconds))
    mine, others = both.take(order[seconds - 1]), both.take(order[seconds])
    pairs = seconds - 1 - np.arange(len(seconds))
    combined.days[pairs] += others.days
    combined.decayed[pairs] += others.decayed
    combined.first_times[pairs] = np.minimum(mine.first_times, others.first_times)
    combined.last_times[pairs] = np.maximum(mine.last_times, others.last_times)
    for shared, times in _shared_days(mine, others):
        if len(shared):
            combined.days[pairs[shared]] -= 1.0
            combined.decayed[pairs[shared]] -= scale.weights(times)
    return combined


def _shared_days(
    mine: StateRows, others: StateRows
) -> Iterator[tuple[NDArray[np.intp], TimeArray]]:
    """Yields days that two rows of the same item both count, and when the lesser half of each.

    Args:
        mine: rows of one side.
        others: those of the other, pair by pair.

    Yields:
        Places of the pairs, and for each the time whose weight was added without need.
    """
    early_last = np.minimum(mine.last_times, others.last_times)
    is_mine = mine.last_times <= others.last_times
    early_first = np.where(is_mine, mine.first_times, others.first_times)
    late_first = np.where(is_mine, others.first_times, mine.first_times)
    first, last = early_first // DAY_S, early_last // DAY_S
    first_of_late = late_first // DAY_S
    last_of_late = np.maximum(mine.last_times, others.last_times) // DAY_S
    ends = np.flatnonzero(last == last_of_late)
    yield ends, early_last[ends]
    # An early row that ends within the late one's first day: the later event is the late row's,
    # as far as is known.
    meets = np.flatnonzero((last == first_of_late) & (last != last_of_late))
    yield meets, np.minimum(early_last, late_first)[meets]
    begins = np.flatnonzero((first == first_of_late) & (first != last) & (first != last_of_late))
    yield begins, np.minimum(early_first, late_first)[begins]
