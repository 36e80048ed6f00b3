from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

from recsys.data.splits import Split, split_for, temporal_split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from tests.shops import Event, day, tiny_shop

HISTORY = [
    Event("ann", "tea", 0, basket="a0"),
    Event("ann", "milk", 1),
    Event("ann", "cup", 1, kind="view"),
    Event("bob", "tea", 2),
    Event("bob", "tea", 3),
    Event("cat", "milk", 3),
]
LATER = [
    Event("ann", "tea", 10),
    Event("ann", "tea", 11),
    Event("ann", "cup", 12, basket="a1"),
    Event("bob", "novelty", 12),
    Event("bob", "milk", 13),
    Event("dan", "tea", 13),
]


def truth(split: Split) -> set[tuple[str, str]]:
    """Returns who bought what after the cutoff."""
    rows = split.after.select("customer_num", "item_num").rows()
    return {(split.customers.id(customer), split.items.id(item)) for customer, item in rows}


def test_what_lies_before_is_learnt_and_what_lies_after_is_truth() -> None:
    split = temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(10))

    assert split.cutoff_time == int(day(10).timestamp())
    learnt = split.train.events.collect()
    assert learnt.height == len(HISTORY)
    assert learnt["event_time"].max() < day(10)
    assert split.items.series().to_list() == ["cup", "milk", "tea"]
    assert split.train.items["item_id"].to_list() == ["cup", "milk", "tea"]
    # cat did nothing after, dan nothing before, nobody can recommend the novelty.
    assert split.customers.series().to_list() == ["ann", "bob"]
    assert truth(split) == {("ann", "tea"), ("ann", "cup"), ("bob", "milk")}
    assert split.counts.new_customers == 1
    assert split.counts.unknown_item_pairs == 1
    assert split.before.height == 5


def test_an_event_at_the_cutoff_belongs_to_the_test_side() -> None:
    split = temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(3))
    assert split.train.events.collect().height == 4
    assert ("bob", "tea") in truth(split)


def test_buyers_count_customers_once_and_views_not_at_all() -> None:
    split = temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(10))
    per_item = dict(zip(split.items.series(), split.buyers.tolist(), strict=True))
    assert per_item == {"cup": 0, "milk": 2, "tea": 2}
    assert split.train_buyers == 3


def test_test_days_count_back_from_the_end_of_the_last_day() -> None:
    events = [Event("ann", "tea", 0), Event("ann", "tea", 8.99), Event("ann", "tea", 9.5)]
    assert temporal_split(tiny_shop(events), test_days=1).cutoff == day(9)
    assert temporal_split(tiny_shop(events), test_days=2).cutoff == day(8)


def test_a_cutoff_in_another_zone_is_the_same_moment() -> None:
    there = day(10).astimezone(timezone(timedelta(hours=5)))
    split = temporal_split(tiny_shop(HISTORY + LATER), cutoff=there)
    assert split.cutoff == day(10)
    assert split.cutoff.tzinfo is UTC


def test_rare_items_leave_both_sides() -> None:
    split = temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(10), min_item_events=3)
    assert split.items.series().to_list() == ["tea"]
    assert split.train.events.collect()["item_id"].unique().to_list() == ["tea"]
    assert truth(split) == {("ann", "tea")}
    assert split.counts.unknown_item_pairs == 3


def test_events_without_an_item_stay_in_the_training_side() -> None:
    events = [*HISTORY, Event("ann", None, 4, kind="search"), *LATER]
    split = temporal_split(tiny_shop(events), cutoff=day(10), min_item_events=3)
    assert split.train.events.collect()["event_type"].to_list().count("search") == 1


def test_a_catalogue_row_alone_makes_an_item_known_only_if_it_was_created_before() -> None:
    events = [*HISTORY, *LATER]
    split = temporal_split(tiny_shop(events, created={"novelty": 9, "later": 10}), cutoff=day(10))
    assert split.items.series().to_list() == ["cup", "milk", "novelty", "tea"]
    assert ("bob", "novelty") in truth(split)


def test_a_return_after_the_cutoff_cancels_its_purchase_there() -> None:
    returned = [Event("ann", "cup", 14, kind="return"), Event("bob", "milk", 12, kind="return")]
    split = temporal_split(tiny_shop(HISTORY + LATER + returned), cutoff=day(10))
    # Bob's return came before his purchase of the same item: that one stands.
    assert truth(split) == {("ann", "tea"), ("bob", "milk")}


def test_a_return_after_the_cutoff_leaves_the_training_side_alone() -> None:
    returned = [Event("ann", "milk", 14, kind="return")]
    split = temporal_split(tiny_shop(HISTORY + LATER + returned), cutoff=day(10))
    assert split.before.equals(temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(10)).before)


def test_baskets_are_kept_apart() -> None:
    later = [
        Event("ann", "tea", 10, basket="x"),
        Event("ann", "cup", 10, basket="x"),
        Event("ann", "milk", 10, basket="y"),
    ]
    split = temporal_split(tiny_shop(HISTORY + later), cutoff=day(10))
    grouped = split.after.group_by("basket_num").len()["len"].sort().to_list()
    assert grouped == [1, 2]


def test_split_for_takes_the_items_it_is_given() -> None:
    items = Vocabulary.from_ids(["tea", "novelty"])
    split = split_for(tiny_shop(HISTORY + LATER), day(10), items)
    assert split.items is items
    assert truth(split) == {("ann", "tea"), ("bob", "novelty")}
    assert split.buyers.tolist() == [0, 2]


def test_the_training_sides_digest_depends_on_data_cutoff_and_items() -> None:
    data = tiny_shop(HISTORY + LATER)
    digests = {
        temporal_split(data, cutoff=day(10)).train.digest,
        temporal_split(data, cutoff=day(11)).train.digest,
        temporal_split(data, cutoff=day(10), min_item_events=2).train.digest,
    }
    assert len(digests) == 3
    assert temporal_split(data, cutoff=day(10)).train.digest in digests


@pytest.mark.parametrize(
    ("cutoff", "said"),
    [
        (day(-1), "nothing lies before the cut-off 2025-12-31 00:00 UTC: the data go from "),
        (day(20), "nothing lies after the cut-off 2026-01-21 00:00 UTC: the data go from "),
    ],
)
def test_an_empty_side_is_an_error_that_says_which(cutoff: datetime, said: str) -> None:
    with pytest.raises(DataError, match=said):
        temporal_split(tiny_shop(HISTORY + LATER), cutoff=cutoff)


def test_a_cut_that_nobody_crosses_is_an_error() -> None:
    strangers = tiny_shop([Event("ann", "tea", 0), Event("bob", "tea", 12)])
    with pytest.raises(DataError, match=r"no customer has events before .* and purchases after"):
        temporal_split(strangers, cutoff=day(10))


def test_items_that_are_all_left_out_are_an_error_that_says_why() -> None:
    with pytest.raises(DataError, match=r"no item is left before .* lower --min-item-events"):
        temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(10), min_item_events=1_000)


def test_no_events_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="no events"):
        temporal_split(tiny_shop([]), test_days=3)


@pytest.mark.parametrize("days", [0, -1])
def test_test_days_must_be_positive(days: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        temporal_split(tiny_shop(HISTORY), test_days=days)


def test_exactly_one_way_to_name_the_moment() -> None:
    for given in ({}, {"cutoff": day(1), "test_days": 1}):
        with pytest.raises(ValueError, match="either cutoff or test_days"):
            temporal_split(tiny_shop(HISTORY), **given)  # type: ignore[arg-type]  # wrong on purpose


def test_unknown_event_types_are_nobodys_past() -> None:
    events = [Event("eve", "tea", 1, kind="juggled"), Event("eve", "tea", 12), *HISTORY, *LATER]
    split = temporal_split(tiny_shop(events), cutoff=day(10))
    assert "eve" not in split.customers.series().to_list()
    assert split.counts.new_customers == 2


def test_rows_are_sorted_and_typed() -> None:
    split = temporal_split(tiny_shop(HISTORY + LATER), cutoff=day(10))
    assert split.before.schema == {
        "customer_num": pl.Int32,
        "item_num": pl.Int32,
        "code": pl.UInt8,
        "time": pl.Int64,
    }
    assert split.after.schema == {
        "customer_num": pl.Int32,
        "item_num": pl.Int32,
        "time": pl.Int64,
        "basket_num": pl.Int32,
    }
    for frame in (split.before, split.after):
        assert frame.equals(frame.sort("customer_num", "time", "item_num"))
