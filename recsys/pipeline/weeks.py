"""Calendar weeks: what a list of the week may know, and whose turn it is in a week."""

import zlib
from dataclasses import replace

import numpy as np

from recsys.data.state import StateRows
from recsys.data.vocabulary import HashArray
from recsys.pipeline.query import Query
from recsys.types import DAY_S, BoolArray, CustomerId

WEEK_S = 7 * DAY_S
_FIRST_MONDAY = 4 * DAY_S
"""Unix seconds: 1 January 1970 was a Thursday."""
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def week_start(time: int) -> int:
    """Returns the first second of a time's week, Unix seconds: Monday, midnight UTC."""
    return time - (time - _FIRST_MONDAY) % WEEK_S


def as_of_week(query: Query) -> Query:
    """Returns a query as it would have been asked when its week began."""
    start = week_start(query.query_time)
    events = tuple(event for event in query.events if event.event_time < start)
    earlier = tuple(each for each in query.earlier if each[1].event_time < start)
    return replace(query, query_time=start, events=events, earlier=earlier)


def begun_before(rows: StateRows, time: int) -> StateRows:
    """Returns the rows of a history that began before a time.

    A row does not tell its days apart, so one that goes on after the time stays as it is.
    """
    before = rows.first_times < time
    return rows if before.all() else rows.take(np.flatnonzero(before))


def in_turn(
    customer_id: CustomerId | None, hashes: HashArray, time: int, rotation_weeks: int
) -> BoolArray:
    """Marks the items whose turn it is for a customer in a week, shape (items,).

    Each item has one week of `rotation_weeks`, drawn from the customer and the item, so that two
    weeks in a row share no item, whatever bundle answers, and nothing has to be remembered.

    Args:
        customer_id: None: nobody in particular.
        hashes: of the items' ids, shape (items,).
        time: Unix seconds of any moment of the week.
        rotation_weeks: weeks until it is an item's turn again.
    """
    customer = zlib.crc32((customer_id or "").encode(errors="surrogatepass"))
    mixed = hashes ^ np.uint64(customer * _MIX[0] % 2**64)
    for shift, factor in zip((30, 27), _MIX, strict=True):  # the last steps of SplitMix64
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    week = (week_start(time) - _FIRST_MONDAY) // WEEK_S
    turns: BoolArray = mixed % np.uint64(rotation_weeks) == np.uint64(week % rotation_weeks)
    return turns
