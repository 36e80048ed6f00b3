"""State is a sum: a bundle's rows plus later events are the rows of all events."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.state import (
    CustomerStates,
    StateRows,
    add_events,
    item_weights,
    type_weight_array,
)
from recsys.data.vocabulary import Vocabulary
from recsys.types import DAY_S, EVENT_CODES, EVENT_TYPES, EventType, ItemId

KINDS = (EventType.VIEW, EventType.PURCHASE)
ITEMS: Vocabulary[ItemId] = Vocabulary.from_ids([ItemId(f"i{n}") for n in range(6)])
HALF_LIVES = (3.0, 30.0)
END = 100 * DAY_S

events = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, len(ITEMS) - 1),
        st.sampled_from(KINDS),
        st.integers(0, 40 * DAY_S),
    ),
    min_size=1,
    max_size=40,
)


def interactions(rows: list[tuple[str, int, EventType, int]]) -> Interactions:
    frame = pl.DataFrame(
        {
            "customer_id": [row[0] for row in rows],
            "item_id": [f"i{row[1]}" for row in rows],
            "event_type": [row[2].value for row in rows],
            "event_time": pl.Series([row[3] for row in rows], dtype=pl.Int64) * 1_000_000,
            "quantity": [1.0 for _ in rows],
        }
    ).with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")),
        session_id=pl.lit(None, pl.String),
        basket_id=pl.lit(None, pl.String),
    )
    return Interactions.from_events(frame.lazy(), items=ITEMS, end_time=END)


def by_hand(
    rows: list[tuple[str, int, EventType, int]], customer: str
) -> dict[tuple[int, EventType], tuple[int, int, int, list[float]]]:
    """Days, first, last and decayed sums per item and type, one row at a time."""
    found: dict[tuple[int, EventType], dict[int, int]] = {}
    firsts: dict[tuple[int, EventType], int] = {}
    for who, item, kind, time in rows:
        if who == customer:
            days = found.setdefault((item, kind), {})
            days[time // DAY_S] = max(time, days.get(time // DAY_S, 0))
            firsts[item, kind] = min(time, firsts.get((item, kind), time))
    return {
        key: (
            len(days),
            firsts[key],
            max(days.values()),
            [sum(2 ** (-(END - t) / DAY_S / h) for t in days.values()) for h in HALF_LIVES],
        )
        for key, days in found.items()
    }


def as_dict(
    rows: StateRows,
) -> dict[tuple[int, EventType], tuple[int, int, int, list[float]]]:
    return {
        (int(item), EVENT_TYPES[kind]): (int(days), int(first), int(last), decayed.tolist())
        for item, kind, days, first, last, decayed in zip(*rows, strict=True)
    }


def assert_equal(rows: StateRows, expected: dict, *, decay_tolerance: float = 1e-5) -> None:
    found = as_dict(rows)
    assert {key: value[:3] for key, value in found.items()} == {
        key: value[:3] for key, value in expected.items()
    }
    for key, value in expected.items():
        np.testing.assert_allclose(found[key][3], value[3], rtol=decay_tolerance)


@given(events)
def test_rows_are_what_counting_by_hand_gives(rows):
    log = interactions(rows)
    states = CustomerStates.from_interactions(log, HALF_LIVES)
    assert len(states) == len(log.customers)
    for customer in {row[0] for row in rows}:
        number = log.customers.number(customer)
        assert_equal(states.of(number), by_hand(rows, customer))


@given(events, st.integers(0, 40))
def test_bundle_state_plus_tail_is_state(rows, cut_day):
    mine = [row for row in rows if row[0] == "a"]
    old = [row for row in mine if row[3] < cut_day * DAY_S]
    tail = [row for row in mine if row[3] >= cut_day * DAY_S]
    states = CustomerStates.from_interactions(interactions(rows), HALF_LIVES)
    start = states.empty()
    if old:
        known = interactions(old)
        start = CustomerStates.from_interactions(known, HALF_LIVES).of(0)
    summed = add_events(
        start,
        np.array([row[1] for row in tail], np.int32),
        np.array([EVENT_CODES[row[2]] for row in tail], np.uint8),
        np.array([row[3] for row in tail], np.int64),
        states.scale,
    )
    assert_equal(summed, by_hand(mine, "a"))


@given(st.integers(0, DAY_S - 2), st.integers(1, 10))
def test_a_day_counts_once_when_the_tail_continues_it(second, times):
    """The day that training ended in goes on afterwards: still one day."""
    rows = [("a", 0, EventType.PURCHASE, 5 * DAY_S + second)]
    states = CustomerStates.from_interactions(interactions(rows), HALF_LIVES)
    later = np.full(times, 5 * DAY_S + second + 1, np.int64)
    summed = add_events(
        states.of(0),
        np.zeros(times, np.int32),
        np.full(times, EVENT_CODES[EventType.PURCHASE], np.uint8),
        later,
        states.scale,
    )
    expected = by_hand([*rows, ("a", 0, EventType.PURCHASE, int(later[0]))], "a")
    assert_equal(summed, expected, decay_tolerance=1e-4)


@given(events, st.sampled_from([None, 3.0, 30.0]))
def test_matrix_rows_are_the_weights_a_request_computes(rows, half_life_days):
    log = interactions(rows)
    states = CustomerStates.from_interactions(log, HALF_LIVES)
    weights = type_weight_array({EventType.PURCHASE: 1.0, EventType.VIEW: 0.25})
    matrix = states.matrix(len(ITEMS), weights, half_life_days).toarray()
    for customer in range(len(states)):
        nums, values = item_weights(states.of(customer), weights, half_life_days, states.scale)
        dense = np.zeros(len(ITEMS), np.float32)
        dense[nums] = values
        np.testing.assert_array_equal(matrix[customer], dense)
