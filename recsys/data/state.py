"""What is known of each customer, as sums that more events can be added to.

One row says, for a customer, an item and an event type: on how many days, first when, last when,
and the same number of days with each day's weight halved per half-life. Rows of a bundle plus
rows of later events are the rows of all events, so that a request adds what came after training;
`merge.py` does so where events came late. Counting days, not events, keeps one reload-happy
visitor from outweighing a customer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recsys.data.interactions import Interactions
from recsys.types import (
    DAY_S,
    EVENT_TYPES,
    CodeArray,
    EventType,
    FloatArray,
    NumArray,
    OffsetArray,
    TimeArray,
)

MOST_HALVINGS = 60
"""No event weighs less than 2^-60 or more than 2^60, however wrong a clock is."""


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
        return StateRows(
            self.item_nums[part],
            self.event_types[part],
            self.days[part],
            self.first_times[part],
            self.last_times[part],
            self.decayed[part],
        )

    def followed_by(self, others: "StateRows") -> "StateRows":
        """Returns these rows and then the others."""
        return StateRows(
            np.concatenate([self.item_nums, others.item_nums]),
            np.concatenate([self.event_types, others.event_types]),
            np.concatenate([self.days, others.days]),
            np.concatenate([self.first_times, others.first_times]),
            np.concatenate([self.last_times, others.last_times]),
            np.concatenate([self.decayed, others.decayed]),
        )


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
        weights: FloatArray = np.exp2(-exponents.clip(-MOST_HALVINGS, MOST_HALVINGS)).astype(
            np.float32
        )
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
    owner = np.zeros(len(item_nums), dtype=np.int32)
    _, fresh = sum_days(owner, item_nums, event_types, times, scale)
    return combine(rows, fresh, scale)


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
    starts = _starts(nums[1:] != nums[:-1], len(nums))
    return nums[starts], np.add.reduceat(weights, starts) if len(starts) else weights


def _row_weights(
    rows: StateRows, type_weights: FloatArray, half_life_days: float | None, scale: DecayScale
) -> FloatArray:
    per_day = (
        rows.days if half_life_days is None else rows.decayed[:, scale.column(half_life_days)]
    )
    weights: FloatArray = per_day * type_weights[rows.event_types]
    return weights


def _starts(changes: NDArray[np.bool_], length: int) -> NDArray[np.intp]:
    """Returns where groups begin, given where a row of `length` differs from the one before."""
    if length == 0:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(np.concatenate([[True], changes]))


def sum_days(
    customer_nums: NumArray,
    item_nums: NumArray,
    event_types: CodeArray,
    times: TimeArray,
    scale: DecayScale,
) -> tuple[NumArray, StateRows]:
    """Groups events to days, then days to rows; returns each row's customer and the rows."""
    order = np.lexsort((times, event_types, item_nums, customer_nums))
    customers, items = customer_nums[order], item_nums[order]
    kinds, moments = event_types[order], times[order]
    new_row = (
        (customers[1:] != customers[:-1]) | (items[1:] != items[:-1]) | (kinds[1:] != kinds[:-1])
    )
    days = moments // DAY_S
    last_of_day = np.append(new_row | (days[1:] != days[:-1]), True)[: len(order)]
    firsts = moments[_starts(new_row, len(order))]
    customers, items, kinds, moments = (
        column[last_of_day] for column in (customers, items, kinds, moments)
    )
    same = (customers[1:] == customers[:-1]) & (items[1:] == items[:-1])
    starts = _starts(~(same & (kinds[1:] == kinds[:-1])), len(items))
    ends = np.append(starts[1:], len(items))[: len(starts)]
    weights = scale.weights(moments)
    decayed = np.add.reduceat(weights, starts, axis=0) if len(starts) else weights
    rows = StateRows(
        item_nums=items[starts],
        event_types=kinds[starts],
        days=(ends - starts).astype(np.float32),
        first_times=firsts,
        last_times=moments[ends - 1] if len(starts) else moments,
        decayed=decayed,
    )
    return customers[starts], rows


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
    order = np.lexsort((both.last_times, both.event_types, both.item_nums))
    both = both.take(order)
    items, kinds = both.item_nums, both.event_types
    starts = _starts((items[1:] != items[:-1]) | (kinds[1:] != kinds[:-1]), len(items))
    combined = StateRows(
        item_nums=items[starts],
        event_types=kinds[starts],
        days=np.add.reduceat(both.days, starts),
        first_times=np.minimum.reduceat(both.first_times, starts),
        last_times=np.maximum.reduceat(both.last_times, starts),
        decayed=np.add.reduceat(both.decayed, starts, axis=0),
    )
    pairs = np.flatnonzero(np.diff(np.append(starts, len(items))) == 2)  # noqa: PLR2004
    if len(pairs) == 0:
        return combined
    early, late = both.take(starts[pairs]), both.take(starts[pairs] + 1)
    for shared, times in _shared_days(early, late):
        if len(shared):
            combined.days[pairs[shared]] -= 1.0
            combined.decayed[pairs[shared]] -= scale.weights(times)
    return combined


def _shared_days(
    early: StateRows, late: StateRows
) -> Iterator[tuple[NDArray[np.intp], TimeArray]]:
    """Yields days that two rows of the same item both count, and when the lesser half of each.

    Args:
        early: rows of one side.
        late: those of the other, each with a last time that is not before.

    Yields:
        Places of the pairs, and for each the time whose weight was added without need.
    """
    first, last = early.first_times // DAY_S, early.last_times // DAY_S
    late_first, late_last = late.first_times // DAY_S, late.last_times // DAY_S
    ends = np.flatnonzero(last == late_last)
    yield ends, early.last_times[ends]
    # An early row that ends within the late one's first day: the later event is the late row's,
    # as far as is known.
    meets = np.flatnonzero((last == late_first) & (last != late_last))
    yield meets, np.minimum(early.last_times, late.first_times)[meets]
    begins = np.flatnonzero((first == late_first) & (first != last) & (first != late_last))
    yield begins, np.minimum(early.first_times, late.first_times)[begins]
