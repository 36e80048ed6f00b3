import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.protocols.hold_back import Halves, HoldBack, last_basket, last_item, random_share
from tests.shops import Event, event_table

EVENTS = [
    Event("ann", "tea", 1),
    Event("ann", "cup", 2, kind="view"),
    Event("ann", "milk", 3, basket="a"),
    Event("ann", "jam", 3, basket="a"),
    Event("ann", "pie", 4, kind="view"),
    Event("bob", "tea", 1),
    Event("cat", "tea", 2, kind="view"),
    Event("dan", "tea", 1, kind="view"),
    Event("dan", "tea", 2),
]


def pairs(events: pl.DataFrame) -> list[tuple[str, str]]:
    return events.select("customer_id", "item_id").sort("customer_id", "item_id").rows()


def test_the_last_item_takes_with_it_what_came_after() -> None:
    kept, held, timed = last_item(event_table(EVENTS))
    (ann, dan) = pairs(held)
    assert ann in {("ann", "milk"), ("ann", "jam")}, "rows of one time have no order"
    assert dan == ("dan", "tea")
    other = ({"milk", "jam"} - {ann[1]}).pop()
    assert pairs(kept) == [
        ("ann", "cup"),
        *sorted([("ann", other), ("ann", "tea")]),
        ("bob", "tea"),
        ("cat", "tea"),
        ("dan", "tea"),
    ]
    assert timed


def test_the_last_item_of_one_time_is_drawn_by_the_seed() -> None:
    drawn = {pairs(last_item(event_table(EVENTS), seed=seed).held)[0][1] for seed in range(20)}
    assert drawn == {"milk", "jam"}


def test_the_last_basket_is_held_back_whole() -> None:
    kept, held, _ = last_basket(event_table(EVENTS))
    assert pairs(held) == [("ann", "jam"), ("ann", "milk"), ("dan", "tea")]
    assert pairs(kept) == [
        ("ann", "cup"),
        ("ann", "tea"),
        ("bob", "tea"),
        ("cat", "tea"),
        ("dan", "tea"),
    ]


def test_a_share_takes_everything_with_the_items_drawn() -> None:
    events = [Event("ann", f"i{n}", n, kind) for n in range(10) for kind in ("view", "purchase")]
    kept, held, timed = random_share(event_table([*events, Event("bob", "i0", 1)]), share=0.3)
    assert len(held) == 3
    assert set(held["customer_id"]) == {"ann"}
    assert len(kept) == 2 * 7 + 1
    assert not timed


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.builds(
            Event,
            customer=st.sampled_from(["ann", "bob", "cat"]),
            item=st.sampled_from(["tea", "milk", "cup", "jam"]),
            day=st.integers(0, 5),
            kind=st.sampled_from(["purchase", "purchase", "view"]),
        ),
        min_size=1,
        max_size=25,
    ),
    hold_back=st.sampled_from([last_item, last_basket, random_share]),
)
def test_halves_hold(rows: list[Event], hold_back: HoldBack) -> None:
    events = event_table(rows)
    halves = hold_back(events)
    kept, held = halves.kept, halves.held
    ids = set(kept["event_id"]) | set(held["event_id"])
    assert ids <= set(events["event_id"])
    assert not set(kept["event_id"]) & set(held["event_id"])
    assert kept.schema == held.schema == events.schema
    judged = set(held["customer_id"])
    assert judged <= set(kept["customer_id"]), "something is kept of everybody judged"
    whole = events.filter(~pl.col("customer_id").is_in(list(judged)))
    assert set(whole["event_id"]) <= set(kept["event_id"])
    assert set(held["event_type"]) <= {"purchase"}
    _refute_the_future(halves)


def _refute_the_future(halves: Halves) -> None:
    if not halves.timed:
        pair = ["customer_id", "item_id"]
        assert halves.kept.join(halves.held, on=pair, how="semi").is_empty()
        return
    first = halves.held.group_by("customer_id").agg(first=pl.col("event_time").min())
    late = halves.kept.join(first, on="customer_id").filter(pl.col("event_time") > pl.col("first"))
    assert late.is_empty()


@pytest.mark.parametrize("hold_back", [last_item, last_basket, random_share])
def test_the_order_of_rows_decides_nothing(hold_back: HoldBack) -> None:
    one, two = (
        hold_back(event_table(EVENTS).sample(fraction=1.0, shuffle=True, seed=seed))
        for seed in (1, 2)
    )
    assert one.held.sort("event_id").rows() == two.held.sort("event_id").rows()
