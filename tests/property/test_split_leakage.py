"""Nothing that happens after the cutoff may reach the side that is learnt from."""

from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.splits import Split, temporal_split
from tests.shops import Event, day, tiny_shop

CUTOFF = 10
KINDS = ["purchase", "purchase", "return", "view", "juggled"]
CUSTOMERS = ["ann", "bob", "cat"]
ITEMS = ["tea", "milk", "cup"]
# Both sides hold something whatever is drawn.
ANCHORS = [Event("ann", "tea", 0), Event("ann", "milk", CUTOFF + 90)]


def histories(first: int, last: int, items: list[str]) -> st.SearchStrategy[list[Event]]:
    event = st.builds(
        Event,
        customer=st.sampled_from(CUSTOMERS),
        item=st.sampled_from(items),
        day=st.integers(first, last - 1),
        kind=st.sampled_from(KINDS),
        quantity=st.sampled_from([1.0, 2.0]),
    )
    return st.lists(event, max_size=12)


def learnt(split: Split) -> list[object]:
    """Returns all that a fit can read, in values that compare."""
    events = split.train.events.collect().drop("event_id")
    return [
        sorted(events.rows(), key=repr),
        split.train.items.rows(),
        split.train.customers.rows(),
        split.items.series().to_list(),
        split.buyers.tolist(),
        split.train_buyers,
    ]


@settings(deadline=None, max_examples=60)  # a first query of polars is slow
@given(
    past=histories(0, CUTOFF, ITEMS),
    future=histories(CUTOFF, CUTOFF + 50, [*ITEMS, "novelty"]),
    other=histories(CUTOFF, CUTOFF + 50, [*ITEMS, "gadget"]),
    least=st.integers(0, 2),
)
def test_another_future_leaves_the_training_side_as_it_is(
    past: list[Event], future: list[Event], other: list[Event], least: int
) -> None:
    past = [
        *past,
        *ANCHORS,
        Event("ann", "milk", 0),
        Event("ann", "milk", 1),
        Event("ann", "tea", 1),
    ]
    # A return would take the anchors away.
    past = [event for event in past if event.kind != "return" or event.customer != "ann"]
    future, other = (
        [event for event in events if event.kind != "return" or event.customer != "ann"]
        for events in (future, other)
    )
    one = temporal_split(tiny_shop(past + future), cutoff=day(CUTOFF), min_item_events=least)
    two = temporal_split(tiny_shop(past + other), cutoff=day(CUTOFF), min_item_events=least)
    assert learnt(one) == learnt(two)


def test_an_item_of_the_future_is_nowhere_in_the_past() -> None:
    future = [Event("ann", "planted", CUTOFF + 1), Event("bob", "planted", CUTOFF + 2)]
    split = temporal_split(
        tiny_shop([*ANCHORS, Event("ann", "milk", 1), *future]), cutoff=day(CUTOFF)
    )
    assert "planted" not in split.train.items["item_id"].to_list()
    assert "planted" not in split.train.events.collect()["item_id"].to_list()
    assert split.items.number("planted") is None  # type: ignore[arg-type]  # a plain text will do
