from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError
from recsys.protocols.cases import cases_for
from recsys.protocols.mask import Mask
from recsys.protocols.shapes import Shape
from recsys.protocols.sides import split_of
from recsys.protocols.single import Cut, Log, ProtocolName, hold_out, open_log
from recsys.protocols.temporal import rolling_origin
from tests.shops import Event, day, event_table, tiny_shop
from tests.small_shop import START, shop_dataset

EVENTS = [
    Event("ann", "tea", 1),
    Event("ann", "milk", 2),
    Event("ann", "cup", 3),
    Event("ann", "jam", 4, basket="last"),
    Event("ann", "tea", 4, basket="last"),
    Event("bob", "tea", 5),
    Event("bob", "milk", 6),
    Event("cat", "cup", 7),
    Event("cat", "jam", 7),
    Event("cat", "planted", 8),
]


def truth(split: Split) -> dict[str, set[str]]:
    customers, items = split.customers.series(), split.items.series()
    found: dict[str, set[str]] = {}
    for customer, item in split.after.select("customer_num", "item_num").rows():
        found.setdefault(customers[customer], set()).add(items[item])
    return found


def fitted(split: Split) -> set[tuple[str, str]]:
    return set(split.train.events.select("customer_id", "item_id").collect().rows())


def test_leave_last_one_brings_the_item_before() -> None:
    held = hold_out(Log(tiny_shop(EVENTS)), ProtocolName.LEAVE_LAST_ONE)
    found = truth(held.split)
    assert found.keys() == {"ann", "bob"}, "what only cat bought last is not known"
    assert held.split.counts.unknown_item_pairs == 1
    assert found["bob"] == {"milk"}
    cases = cases_for("discover", held.split, limit=5, seed=0, mask=held.mask)
    bob = cases.queries[-1]
    assert bob.customer_id == "bob"
    # Bob has nothing left but tea, so tea stays in the training side.
    assert bob.events == ()
    assert ("bob", "tea") in fitted(held.split)
    assert bob.query_time == int(day(6).timestamp())
    assert held.split.given is not None
    assert held.split.given["customer_num"].unique().to_list() == [0]
    assert "planted" not in held.split.train.items["item_id"].to_list()


def test_leave_last_one_can_fit_all_but_the_last() -> None:
    log = Log(tiny_shop(EVENTS))
    held = hold_out(log, ProtocolName.LEAVE_LAST_ONE, Cut(fit_validation=True))
    assert held.split.given is None
    strict = hold_out(log, ProtocolName.LEAVE_LAST_ONE)
    more = fitted(held.split) - fitted(strict.split)
    assert sorted(customer for customer, _ in more) == ["ann", "cat"]
    assert held.split.after.rows() == strict.split.after.rows()
    # Choices are made by the same item either way.
    one, two = truth(held.inner(held.split)), truth(strict.inner(strict.split))
    assert one["ann"] == two["ann"]


def test_next_basket_is_asked_at_its_time() -> None:
    held = hold_out(Log(tiny_shop(EVENTS)), ProtocolName.NEXT_BASKET)
    assert truth(held.split) == {"ann": {"tea", "jam"}, "bob": {"milk"}}
    assert held.split.counts.unknown_item_pairs == 1
    assert held.split.query_times is not None
    assert held.split.query_times.tolist() == [int(day(d).timestamp()) for d in (4, 6)]
    assert (held.mask, held.placements) == (Mask.NONE, ("for_you",))
    inner = held.inner(held.split)
    assert truth(inner) == {"ann": {"cup"}} or truth(inner) == {}


def test_strong_generalisation_fits_on_others_only() -> None:
    log = Log(shop_dataset())
    held = hold_out(log, ProtocolName.STRONG_GENERALISATION)
    asked = set(held.split.customers.series())
    assert len(asked) == 12, "a fifth of the 60 customers"
    assert not asked & {customer for customer, _ in fitted(held.split)}
    cases = cases_for("discover", held.split, limit=5, seed=0, mask=held.mask)
    assert all(query.events for query in cases.queries)
    within = held.inner(held.split)
    assert not set(within.customers.series()) & asked
    other = hold_out(log, ProtocolName.STRONG_GENERALISATION, Cut(seed=1))
    assert set(other.split.customers.series()) != asked


def test_random_is_asked_at_the_end() -> None:
    held = hold_out(Log(shop_dataset()), ProtocolName.RANDOM)
    assert held.split.query_times is None
    for customer, items in truth(held.split).items():
        assert not {(customer, item) for item in items} & fitted(held.split)
    assert held.inner(held.split).train.digest != held.split.train.digest


SESSIONS = [
    Event("s1", "tea", 1, kind="view"),
    Event("s1", "milk", 1.1, kind="view"),
    Event("s2", "cup", 2, kind="purchase"),
    Event("s2", "tea", 2.1, kind="purchase"),
    Event("s3", "tea", 10.0, kind="view"),
    Event("s3", "tea", 10.1, kind="purchase"),
    Event("s3", "planted", 10.2, kind="view"),
    Event("s3", "milk", 10.3, kind="view"),
    Event("s3", "tea", 10.4, kind="view"),
    Event("s4", "milk", 9.9, kind="view"),
]


def test_next_item_asks_at_every_step() -> None:
    held = hold_out(Log(tiny_shop(SESSIONS)), ProtocolName.NEXT_ITEM, Cut(cutoff=day(10)))
    found = truth(held.split)
    # Buying the tea that the page showed is no step, and the planted item is not known.
    assert list(found.values()) == [{"milk"}, {"tea"}]
    first, second = cases_for("for_you", held.split, limit=5, seed=0, mask=held.mask).queries
    assert [event.item_id for event in first.events] == ["tea"]
    assert [event.item_id for event in second.events] == ["tea", "milk"]
    assert second.query_time == int(day(10.4).timestamp())
    assert "planted" not in held.split.items.series().to_list()
    assert held.split.cutoff < day(10)


def test_sessions_that_began_before_are_on_neither_side() -> None:
    events = [*SESSIONS, Event("s4", "tea", 10.5, kind="view")]
    events = [Event(e.customer, e.item, e.day, e.kind, basket=e.customer) for e in events]
    held = hold_out(Log(tiny_shop(events)), ProtocolName.NEXT_ITEM, Cut(cutoff=day(10)))
    assert {name[:4] for name in held.split.customers.series()} == {"b/s3"}
    assert ("s4", "tea") not in fitted(held.split)


@pytest.mark.parametrize("protocol", [ProtocolName.TEMPORAL, ProtocolName.NEXT_ITEM])
def test_what_needs_times_says_so(protocol: ProtocolName) -> None:
    with pytest.raises(ConfigError, match=f"{protocol.value} needs times; baskets have none"):
        hold_out(Log(tiny_shop(EVENTS), Shape.BASKETS), protocol)


def test_several_cuts_are_made_elsewhere() -> None:
    with pytest.raises(ConfigError, match="rolling-origin makes several"):
        hold_out(Log(tiny_shop(EVENTS)), ProtocolName.ROLLING_ORIGIN)


@pytest.mark.parametrize(
    "protocol",
    [ProtocolName.LEAVE_LAST_ONE, ProtocolName.NEXT_BASKET, ProtocolName.STRONG_GENERALISATION],
)
def test_too_few_events_are_an_error(protocol: ProtocolName) -> None:
    with pytest.raises(DataError, match="no customer has enough events"):
        hold_out(Log(tiny_shop([Event("ann", "tea", 1)])), protocol)


def test_rolling_origins_follow_each_other() -> None:
    folds = rolling_origin(shop_dataset(), test_days=10, folds=3)
    cutoffs = [fold.split.cutoff for fold in folds]
    assert [(b - a).days for a, b in pairwise(cutoffs)] == [10, 10]
    for fold in folds:
        times = fold.split.after["time"]
        start = fold.split.cutoff_time
        assert start <= times.min()
        assert times.max() < start + 10 * 86_400
        assert fold.protocol == "rolling-origin"
        assert fold.variant == f"cutoff={fold.split.cutoff:%Y-%m-%d}"
    assert (shop_dataset().events.collect()["event_time"].max() - cutoffs[-1]).days < 10


def test_the_temporal_protocol_repeats_itself_earlier() -> None:
    held = hold_out(Log(shop_dataset()), ProtocolName.TEMPORAL, Cut(test_days=14))
    inner = held.inner(held.split)
    assert (held.split.cutoff - inner.cutoff).days == 14
    assert inner.train.events.collect()["event_time"].max() < inner.cutoff
    long = hold_out(Log(shop_dataset()), ProtocolName.TEMPORAL, Cut(test_days=40))
    short = long.inner(long.split)
    assert 0 < (long.split.cutoff - short.cutoff).days < 40, "its last fifth, there is no more"
    assert long.placements is None


def test_short_data_are_cut_before_their_last_fifth() -> None:
    """Four weeks to judge by would leave too little to learn from, or nothing at all."""
    shop = shop_dataset()
    whole = hold_out(Log(shop), ProtocolName.TEMPORAL)
    assert whole.split.cutoff.time() == time.min
    assert (shop.events.collect()["event_time"].max() - whole.split.cutoff).days == 27
    weeks = shop.before(START + timedelta(days=20))
    held = hold_out(Log(weeks), ProtocolName.TEMPORAL)
    bought = weeks.events.collect().filter(pl.col("event_type") == "purchase")["event_time"]
    assert (bought >= held.split.cutoff).mean() == pytest.approx(0.2, abs=0.05)
    assert len(held.split.customers) > 5
    asked = hold_out(Log(weeks), ProtocolName.TEMPORAL, Cut(test_days=7))
    assert (weeks.events.collect()["event_time"].max() - asked.split.cutoff).days == 6


def test_a_file_and_a_folder_can_be_opened(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    rows = [("ann", place, item) for place, item in enumerate(["tea", "milk", "cup", "tea"])]
    frame = pl.DataFrame(rows, schema=["customer_id", "position", "item_id"], orient="row")
    frame.write_csv(file)
    log = open_log(file)
    assert (log.shape, log.all_items) == (Shape.SEQUENCES, True)
    held = hold_out(log, ProtocolName.LEAVE_LAST_ONE)
    assert held.split.items.series().to_list() == ["cup", "milk", "tea"]
    assert held.variant == "sequences mask=bought"
    (query,) = cases_for("for_you", held.split, limit=5, seed=0, mask=Mask.NONE).queries
    assert [event.item_id for event in query.events] == ["cup"]
    assert held.split.cutoff_time - query.events[0].event_time == 86_400
    with pytest.raises(DataError, match="is not a prepared data set"):
        open_log(tmp_path)


def test_cuts_of_nothing_say_so() -> None:
    empty = tiny_shop([Event("ann", "tea", 1)])
    empty = replace(empty, events=empty.events.filter(pl.col("customer_id") == "nobody"))
    with pytest.raises(DataError, match="has no events to split"):
        rolling_origin(empty)
    views = tiny_shop([Event("ann", item, n, kind="view") for n, item in enumerate("abc")])
    with pytest.raises(DataError, match="no purchases to split by"):
        hold_out(Log(views), ProtocolName.NEXT_ITEM)


def test_sides_without_anybody_are_refused() -> None:
    shop = tiny_shop([Event("ann", "tea", 1)])
    unknown = event_table([Event("ann", "planted", 2)])
    with pytest.raises(DataError, match="1 held-out purchases are of items that the training"):
        split_of(shop, unknown, day(3))
    nothing = replace(shop, events=shop.events.filter(pl.col("item_id") == "planted"))
    with pytest.raises(DataError, match="the training side has no event that names an item"):
        split_of(nothing, unknown, day(3))


def test_sessions_are_cut_so_many_days_before_the_end() -> None:
    held = hold_out(Log(tiny_shop(SESSIONS)), ProtocolName.NEXT_ITEM, Cut(test_days=1))
    assert list(truth(held.split).values()) == [{"milk"}, {"tea"}]


def test_the_default_cut_is_four_weeks() -> None:
    held = hold_out(Log(shop_dataset()), ProtocolName.TEMPORAL, mask=Mask.SEEN)
    assert (day(90) - held.split.cutoff).days == 28
    assert held.variant == f"cutoff={held.split.cutoff:%Y-%m-%d} mask=seen"
