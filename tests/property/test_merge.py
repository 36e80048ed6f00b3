"""Whatever order events come in and whoever they turn out to be of: rows are those of all."""

from typing import NamedTuple

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.merge import EventColumns, merge, unclear_items
from recsys.data.state import CustomerStates, DecayScale, StateRows, add_events
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.types import DAY_S, EVENT_CODES, EventType, ItemId

ITEMS: Vocabulary[ItemId] = Vocabulary.from_ids([ItemId(f"i{n}") for n in range(4)])
HALF_LIVES = (3.0, 30.0)
KINDS = (EventType.VIEW, EventType.PURCHASE, EventType.RETURN)


class Line(NamedTuple):
    """An event as the log has it; its place in the list is its position."""

    owner: str
    item: int
    kind: EventType
    time: int
    quantity: float


def of_customer_if_return(line: Line) -> Line:
    return line._replace(owner="anna") if line.kind is EventType.RETURN else line


lines = st.lists(
    st.builds(
        lambda *values: of_customer_if_return(Line(*values)),
        st.sampled_from(["anna", "visitor/1", "visitor/2"]),
        st.integers(0, len(ITEMS) - 1),
        st.sampled_from(KINDS),
        # Few moments of few days: days that are shared and seconds that are equal are frequent.
        st.builds(
            lambda day, part: day * DAY_S + part * 7_200, st.integers(0, 9), st.integers(0, 11)
        ),
        st.sampled_from([1.0, 2.0]),
    ),
    min_size=1,
    max_size=40,
)


def fitted(log: list[Line], names: dict[str, str]) -> Interactions | None:
    """Reads a log as training does, with some owners known by another name."""
    frame = pl.DataFrame(
        {
            "customer_id": [names.get(line.owner, line.owner) for line in log],
            "item_id": [f"i{line.item}" for line in log],
            "event_type": [line.kind.value for line in log],
            "event_time": pl.Series([line.time for line in log], dtype=pl.Int64) * 1_000_000,
            "quantity": [line.quantity for line in log],
        },
        schema_overrides=dict.fromkeys(("customer_id", "item_id", "event_type"), pl.String),
    ).with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")),
        session_id=pl.lit(None, pl.String),
        basket_id=pl.lit(None, pl.String),
    )
    try:
        end_time = max((line.time for line in log), default=0) + 1
        return Interactions.from_events(frame.lazy(), items=ITEMS, end_time=end_time)
    except DataError:
        return None  # nothing, or everything was returned


def columns(log: list[Line]) -> EventColumns:
    return EventColumns(
        np.array([line.item for line in log], np.int32),
        np.array([EVENT_CODES[line.kind] for line in log], np.uint8),
        np.array([line.time for line in log], np.int64),
        np.array([line.quantity for line in log], np.float64),
    )


def empty() -> StateRows:
    return StateRows(
        np.zeros(0, np.int32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.float32),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, len(HALF_LIVES)), np.float32),
    )


def of_all(log: list[Line], scale: DecayScale) -> StateRows:
    """Returns the rows of a log that one customer did all of."""
    read = fitted(log, {"visitor/1": "anna", "visitor/2": "anna"})
    if read is None:
        return empty()
    return add_events(empty(), read.item_nums, read.event_types, read.times, scale)


def bundle_of(log: list[Line], linked: set[str]) -> tuple[list[StateRows], DecayScale]:
    """Returns what a bundle knows of the customer and of visitors that are not linked yet."""
    read = fitted(log, dict.fromkeys(linked, "anna"))
    if read is None:
        return [empty()], DecayScale(HALF_LIVES, max((line.time for line in log), default=0) + 1)
    states = CustomerStates.from_interactions(read, HALF_LIVES)
    numbers = [read.customers.number(name) for name in ("anna", "visitor/1", "visitor/2")]
    return [empty() if num is None else states.of(num) for num in numbers], states.scale


def again(log: list[Line], linked: set[str], items: set[int] | None = None) -> list[EventColumns]:
    """Returns the events that a bundle counts, by whom it counts them for."""
    wanted = [line for line in log if items is None or line.item in items]
    owners = ["anna" if line.owner in linked else line.owner for line in wanted]
    return [
        columns([line for line, owner in zip(wanted, owners, strict=True) if owner == name])
        for name in ("anna", "visitor/1", "visitor/2")
    ]


def assert_same(found: StateRows, expected: StateRows) -> None:
    np.testing.assert_array_equal(found.item_nums, expected.item_nums)
    np.testing.assert_array_equal(found.event_types, expected.event_types)
    np.testing.assert_array_equal(found.days, expected.days)
    np.testing.assert_array_equal(found.first_times, expected.first_times)
    np.testing.assert_array_equal(found.last_times, expected.last_times)
    np.testing.assert_allclose(found.decayed, expected.decayed, rtol=1e-5)


@settings(max_examples=100)
@given(lines, st.integers(0, 40), st.sets(st.sampled_from(["visitor/1", "visitor/2"])))
def test_bundle_and_tail_are_all_events_whatever_their_order(log, cut, linked):
    counted, tail = log[:cut], log[cut:]
    histories, scale = bundle_of(counted, linked)
    fresh = columns(tail)
    unclear = set(unclear_items(histories, fresh, scale).tolist())
    merged = merge(histories, fresh, again(counted, linked, unclear), scale)
    assert_same(merged, of_all(log, scale))


@settings(max_examples=40)
@given(lines, st.integers(0, 40), st.sets(st.sampled_from(["visitor/1", "visitor/2"])))
def test_more_than_what_is_unclear_may_be_read_again(log, cut, linked):
    histories, scale = bundle_of(log[:cut], linked)
    merged = merge(histories, columns(log[cut:]), again(log[:cut], linked), scale)
    assert_same(merged, of_all(log, scale))


@settings(max_examples=40)
@given(lines, st.integers(0, 40))
def test_without_the_counted_events_no_day_counts_twice(log, cut):
    """A bundle of files: the log gives all of its events a second time."""
    log = [line._replace(owner="anna", kind=EventType.VIEW) for line in log]
    histories, scale = bundle_of(log[:cut], set())
    merged = merge(histories, columns(log), [], scale)
    exact = of_all(log, scale)
    np.testing.assert_array_equal(merged.item_nums, exact.item_nums)
    np.testing.assert_array_equal(merged.last_times, exact.last_times)
    assert (merged.days <= exact.days).all()
    known = of_all(log[:cut], scale)
    places = np.searchsorted(merged.item_nums, known.item_nums)
    assert (merged.days[places] >= known.days).all()


def test_a_late_event_between_two_counted_days_is_a_day_of_its_own():
    log = [Line("anna", 0, EventType.VIEW, day * DAY_S, 1.0) for day in (1, 9)]
    histories, scale = bundle_of(log, set())
    late = columns([Line("anna", 0, EventType.VIEW, 5 * DAY_S, 1.0)])
    assert unclear_items(histories, late, scale).tolist() == [0]
    assert merge(histories, late, again(log, set()), scale).days.tolist() == [3.0]
    assert merge(histories, late, again(log[:1], set()), scale).days.tolist() == [2.0]


def test_nothing_is_read_again_for_what_comes_in_order():
    log = [Line("anna", 0, kind, day * DAY_S, 1.0) for day in (1, 2) for kind in KINDS[:2]]
    histories, scale = bundle_of(log, set())
    later = columns([line._replace(time=line.time + 2 * DAY_S) for line in log])
    assert unclear_items(histories, later, scale).tolist() == []


def test_a_return_takes_off_what_the_bundle_counts():
    log = [Line("anna", item, EventType.PURCHASE, DAY_S, 1.0) for item in (0, 1)]
    histories, scale = bundle_of(log, set())
    back = columns([Line("anna", 1, EventType.RETURN, 3 * DAY_S, 1.0)])
    assert unclear_items(histories, back, scale).tolist() == [1]
    assert merge(histories, back, again(log, set()), scale).item_nums.tolist() == [0]
    assert merge(histories, back, [], scale).item_nums.tolist() == [0, 1]
