from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.pipeline.query import RecentEvent
from recsys.protocols.cases import cases_for
from recsys.protocols.clock import CUTOFF
from recsys.protocols.mask import Mask
from recsys.protocols.presplit import read_holdout
from recsys.types import DAY_S, EventType

END = int(CUTOFF.timestamp())


def part(folder: Path, name: str, columns: str, *rows: tuple[object, ...]) -> Path:
    names = columns.split(",")
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / f"{name}.parquet")
    return folder / f"{name}.parquet"


def fitted_on(split: Split) -> list[tuple[object, ...]]:
    """Returns customer, item and days before the cutoff of all that a fit may see."""
    days = (pl.lit(split.cutoff) - pl.col("event_time")).dt.total_days()
    rows = split.train.events.select("customer_id", "item_id", days).collect()
    return sorted(rows.rows())


def found(split: Split) -> dict[str, set[str]]:
    customers, items = split.customers.series(), split.items.series()
    truth: dict[str, set[str]] = {}
    for customer, item in split.after.select("customer_num", "item_num").rows():
        truth.setdefault(customers[customer], set()).add(items[item])
    return truth


def test_pairs_have_one_time_and_all_items(tmp_path: Path) -> None:
    train = part(
        tmp_path, "train", "customer_id,item_id", ("ann", "tea"), ("ann", "milk"), ("bob", "tea")
    )
    test = part(tmp_path, "test", "customer_id,item_id", ("ann", "jam"), ("bob", "milk"))
    held = read_holdout(train, test)
    assert fitted_on(held.split) == [("ann", "milk", 1), ("ann", "tea", 1), ("bob", "tea", 1)]
    assert found(held.split) == {"ann": {"jam"}, "bob": {"milk"}}
    assert held.split.items.series().to_list() == ["jam", "milk", "tea"]
    assert held.split.train.items["item_id"].to_list() == ["jam", "milk", "tea"]
    assert (held.mask, held.placements) == (Mask.BOUGHT, ("discover",))
    assert held.split.cutoff == CUTOFF
    assert held.split.buyers.tolist() == [0, 1, 2]


def test_pairs_repeat_the_protocol_by_a_share_of_each_customer(tmp_path: Path) -> None:
    rows = [(f"c{c:02}", f"i{i}") for c in range(20) for i in range(10)]
    train = part(tmp_path, "train", "customer_id,item_id", *rows, ("lone", "i0"))
    test = part(tmp_path, "test", "customer_id,item_id", ("c00", "only-in-test"))
    held = read_holdout(train, test)
    inner = held.inner(held.split)
    truth = found(inner)
    assert {len(items) for items in truth.values()} == {2}
    kept = {(customer, item) for customer, item, _ in fitted_on(inner)}
    assert kept | {(c, i) for c, items in truth.items() for i in items} == {*rows, ("lone", "i0")}
    assert not any((c, i) in kept for c, items in truth.items() for i in items)
    assert "lone" not in truth
    again = held.inner(held.split)
    assert found(again) == truth
    assert again.train.digest == inner.train.digest != held.split.train.digest
    assert read_holdout(train, test, seed=1).inner(held.split).train.digest != inner.train.digest


def test_sequences_are_aligned_at_their_ends(tmp_path: Path) -> None:
    columns = "customer_id,position,item_id"
    long = [("ann", place, item) for place, item in enumerate(["tea", "milk", "cup", "tea"])]
    train = part(tmp_path, "train", columns, *long, ("bob", 7, "tea"))
    test = part(tmp_path, "test", columns, ("ann", 4, "jam"))
    held = read_holdout(train, test)
    assert fitted_on(held.split) == [
        ("ann", "cup", 2),
        ("ann", "milk", 3),
        ("ann", "tea", 1),
        ("ann", "tea", 4),
        ("bob", "tea", 1),
    ]
    inner = held.inner(held.split)
    assert found(inner) == {"ann": {"tea"}}
    assert fitted_on(inner) == [
        ("ann", "cup", 1),
        ("ann", "milk", 2),
        ("ann", "tea", 3),
        ("bob", "tea", 1),
    ]
    assert inner.query_times is None


BASKETS = "split,customer_id,basket_no,item_id"
ROWS = [
    ("train", "ann", 0, "tea"),
    ("train", "ann", 0, "milk"),
    ("train", "ann", 3, "tea"),
    ("train", "bob", 0, "cup"),
    ("train", "bob", 1, "tea"),
    ("validate", "dan", 0, "milk"),
    ("validate", "dan", 1, "tea"),
    ("test", "eve", 0, "cup"),
    ("test", "eve", 1, "tea"),
    ("test", "eve", 2, "jam"),
    ("test", "eve", 2, "cup"),
]


def test_strangers_bring_all_but_their_last_basket(tmp_path: Path) -> None:
    both = part(tmp_path, "all", BASKETS, *ROWS)
    held = read_holdout(both, both)
    assert fitted_on(held.split) == [
        ("ann", "milk", 14),
        ("ann", "tea", 7),
        ("ann", "tea", 14),
        ("bob", "cup", 14),
        ("bob", "tea", 7),
    ]
    assert found(held.split) == {"eve": {"jam", "cup"}}
    (query,) = cases_for("for_you", held.split, limit=5, seed=0, mask=held.mask).queries
    assert query.customer_id == "eve"
    assert query.events == (
        RecentEvent("cup", EventType.PURCHASE, END - 14 * DAY_S),
        RecentEvent("tea", EventType.PURCHASE, END - 7 * DAY_S),
    )
    assert (held.mask, held.placements) == (Mask.NONE, ("for_you",))
    assert held.split.train.events.collect()["basket_id"].n_unique() == 4


def test_baskets_repeat_the_protocol_with_other_strangers(tmp_path: Path) -> None:
    both = part(tmp_path, "all", BASKETS, *ROWS)
    held = read_holdout(both, both)
    inner = held.inner(held.split)
    (stranger,) = found(inner)
    assert stranger in {"ann", "bob"}
    assert found(inner) == {stranger: {"tea"}}
    assert {row[0] for row in fitted_on(inner)} == {"ann", "bob"} - {stranger}
    assert inner.given is not None
    days = (END - inner.given["time"].to_numpy()) // DAY_S
    assert set(days.tolist()) == {7}


def test_a_validation_part_is_what_choices_are_judged_by(tmp_path: Path) -> None:
    both = part(tmp_path, "all", BASKETS, *ROWS)
    held = read_holdout(both, both, validation=both)
    inner = held.inner(held.split)
    assert found(inner) == {"dan": {"tea"}}
    assert fitted_on(inner) == fitted_on(held.split)
    assert found(held.split) == {"eve": {"jam", "cup"}}
    fitted = read_holdout(both, both, validation=both, fit_validation=True)
    assert {row[0] for row in fitted_on(fitted.split)} == {"ann", "bob", "dan"}
    assert fitted_on(fitted.inner(fitted.split)) == fitted_on(inner)


def test_validation_items_are_the_customers_past_in_the_end(tmp_path: Path) -> None:
    columns = "customer_id,position,item_id"
    train = part(tmp_path, "train", columns, ("ann", 0, "tea"), ("ann", 1, "milk"))
    validation = part(tmp_path, "valid", columns, ("ann", 2, "cup"))
    test = part(tmp_path, "test", columns, ("ann", 3, "jam"))
    held = read_holdout(train, test, validation=validation)
    assert fitted_on(held.split) == [("ann", "milk", 2), ("ann", "tea", 3)]
    (query,) = cases_for("discover", held.split, limit=5, seed=0).queries
    assert query.events == (RecentEvent("cup", EventType.PURCHASE, END - DAY_S),)
    assert held.split.before.height == 3
    inner = held.inner(held.split)
    assert fitted_on(inner) == [("ann", "milk", 1), ("ann", "tea", 2)]
    assert found(inner) == {"ann": {"cup"}}
    assert inner.given is None


def test_given_rows_come_with_the_query(tmp_path: Path) -> None:
    train = part(tmp_path, "train", "customer_id,item_id", ("ann", "tea"), ("ann", "jam"))
    given = part(tmp_path, "given", "customer_id,item_id", ("eve", "tea"))
    test = part(tmp_path, "test", "customer_id,item_id", ("eve", "jam"), ("fay", "jam"))
    held = read_holdout(train, test, given=given)
    eve, fay = cases_for("discover", held.split, limit=5, seed=0).queries
    assert eve.events == (RecentEvent("tea", EventType.PURCHASE, END - DAY_S),)
    assert fay.events == ()
    assert {row[0] for row in fitted_on(held.split)} == {"ann"}


LOG = "customer_id,item_id,event_type,event_time"
DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(days: float) -> datetime:
    return DAY_0 + timedelta(days=days)


EVENTS = [
    ("ann", "tea", "view", at(1)),
    ("ann", "tea", "purchase", at(2)),
    ("ann", "milk", "transaction", at(3)),
    ("bob", "tea", "purchase", at(4)),
    ("bob", "milk", "purchase", at(9)),
    ("ann", "tea", "purchase", at(9.5)),
]


def test_a_log_keeps_its_times(tmp_path: Path) -> None:
    train = part(tmp_path, "train", LOG, *EVENTS)
    test = part(
        tmp_path, "test", LOG, ("ann", "jam", "view", at(10)), ("ann", "pie", "order", at(11))
    )
    held = read_holdout(train, test, mask=Mask.SEEN)
    assert held.split.cutoff == at(9.5) + timedelta(seconds=1)
    assert found(held.split) == {"ann": {"pie"}}, "what was only viewed is no aim"
    assert held.split.train.events.collect()["event_time"].to_list() == sorted(
        row[3] for row in EVENTS
    )
    inner = held.inner(held.split)
    assert inner.cutoff == at(9), "the last fifth of the purchases"
    assert found(inner) == {"ann": {"tea"}, "bob": {"milk"}}


def test_a_log_with_a_test_part_without_times_holds_back_items_whole(tmp_path: Path) -> None:
    train = part(tmp_path, "train", LOG, *EVENTS)
    test = part(tmp_path, "test", "customer_id,item_id", ("ann", "jam"), ("bob", "milk"))
    held = read_holdout(train, test)
    assert found(held.split) == {"ann": {"jam"}, "bob": {"milk"}}
    inner = held.inner(held.split)
    kept = {(customer, item) for customer, item, _ in fitted_on(inner)}
    for customer, items in found(inner).items():
        assert len(items) == 1
        assert not any((customer, item) in kept for item in items), "its views go, too"


def test_clicks_alone_are_what_is_looked_for(tmp_path: Path) -> None:
    log = "SessionId,ItemId,Time"
    train = part(tmp_path, "train", log, (1, 10, 100.0), (1, 11, 200.0))
    test = part(tmp_path, "test", log, (2, 11, 300.0))
    held = read_holdout(train, test)
    assert found(held.split) == {"2": {"11"}}


def test_parts_of_different_columns_are_refused(tmp_path: Path) -> None:
    train = part(tmp_path, "train", "customer_id,item_id", ("ann", "tea"))
    test = part(tmp_path, "test", "customer_id,position,item_id", ("ann", 1, "jam"))
    with pytest.raises(
        DataError, match=r"test\.parquet has the columns of sequences, but .*pairs"
    ):
        read_holdout(train, test)
    both = part(tmp_path, "b", "customer_id,position,item_id", ("ann", 1, "jam"))
    with pytest.raises(DataError, match="has no position: it can judge choices"):
        read_holdout(both, both, validation=train)


SESSION = "SessionId,ItemId,Time"


def test_every_step_of_every_test_session_is_asked(tmp_path: Path) -> None:
    steps = [(1, 10, 100.0), (1, 11, 200.0), (3, 11, 210.0), (3, 10, 220.0), (4, 10, 250.0)]
    train = part(tmp_path, "train", SESSION, *steps, (4, 11, 260.0))
    test = part(tmp_path, "test", SESSION, (2, 11, 300.0), (2, 10, 310.0), (2, 10, 320.0))
    held = read_holdout(train, test, every_step=True)
    assert (held.protocol, held.mask, held.placements) == ("next-item", Mask.NONE, ("for_you",))
    assert found(held.split) == {"2#000001": {"10"}, "2#000002": {"10"}}
    queries = cases_for("for_you", held.split, limit=5, seed=0, mask=held.mask).queries
    assert [len(query.events) for query in queries] == [1, 2]
    assert [query.query_time for query in queries] == [310, 320]
    inner = held.inner(held.split)
    assert set(found(inner)) == {"4#000001"}
    assert {row[0] for row in fitted_on(inner)} == {"1", "3"}


def test_steps_need_times_and_known_items(tmp_path: Path) -> None:
    train = part(tmp_path, "train", SESSION, (1, 10, 100.0), (1, 11, 200.0))
    alone = part(tmp_path, "alone", SESSION, (2, 11, 300.0), (5, 11, 301.0))
    with pytest.raises(DataError, match="no session has two events with items"):
        read_holdout(train, alone, every_step=True)
    pairs = part(tmp_path, "pairs", "customer_id,item_id", ("ann", "tea"))
    with pytest.raises(DataError, match="the next item of a session needs times"):
        read_holdout(train, pairs, every_step=True)
