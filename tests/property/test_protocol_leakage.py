"""For every protocol: what is held out leaves what is learnt and listed as it is, bit for bit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.assembly import FitConfig, assemble
from recsys.config import validated
from recsys.data.dataset import Dataset
from recsys.data.splits import Split
from recsys.fitting.fit import fit
from recsys.pipeline.query import Query, Recommendations
from recsys.protocols.cases import cases_for
from recsys.protocols.clock import REAL
from recsys.protocols.customers import strong, weak
from recsys.protocols.hold_back import Halves, random_share
from recsys.protocols.single import Cut, Log, ProtocolName, hold_out
from recsys.protocols.temporal import rolling_origin, temporal
from tests.small_shop import END, START, shop_dataset

PLANTED = "planted-item"
CUTOFF = START.replace(month=3, day=10)
BLEND = [{"name": name, "weight": 1.0} for name in ("popular", "again", "alike")]
CONFIG = validated(
    FitConfig,
    {
        "models": {
            "popular": {"kind": "popularity", "half_life_days": 14},
            "again": {"kind": "repurchase"},
            "alike": {"kind": "item-item", "over": "customers", "half_life_days": 120},
        },
        "sources": {
            "popular": {"kind": "popular", "model": "popular"},
            "again": {"kind": "repurchase", "model": "again"},
            "alike": {"kind": "neighbours", "model": "alike"},
        },
        "placements": {
            "for_you": {"sources": BLEND, "fill": ["popular"]},
            "discover": {"sources": BLEND, "fill": ["popular"], "exclude": "bought"},
        },
    },
    where="test",
)


def learnt(split: Split) -> list[object]:
    """Returns all that a fit can read and all counts, in values that compare."""
    events = split.train.events.collect().drop("event_id")
    return [
        sorted(events.rows(), key=repr),
        split.train.items.rows(),
        split.items.series().to_list(),
        split.buyers.tolist(),
        split.train_buyers,
    ]


def lists(split: Split, queries: list[Query]) -> list[Recommendations]:
    pipeline = fit(split.train, CONFIG, end_time=split.cutoff).pipeline
    return assemble(pipeline, "test").recommend(queries)


def scrambled(events: pl.DataFrame, chosen: pl.Series, seed: int) -> pl.DataFrame:
    """Puts random items, and a planted one, in the place of those of some purchases."""
    random = np.random.default_rng(seed)
    items = [*(f"item-{number:02}" for number in range(48)), PLANTED]
    drawn = pl.Series(random.choice(items, size=len(events)).tolist())
    first = int(chosen.arg_true()[0])
    drawn = drawn.scatter(first, PLANTED)
    return events.with_columns(item_id=pl.when(chosen).then(drawn).otherwise(pl.col("item_id")))


def with_planted(dataset: Dataset, events: pl.DataFrame) -> Dataset:
    """Returns a data set with other events, and the planted item in its catalogue of today."""
    planted = dataset.items.head(1).with_columns(
        item_id=pl.lit(PLANTED), group_id=None, created_at=pl.lit(END)
    )
    items = pl.concat([dataset.items, planted]).sort("item_id")
    return replace(dataset, events=events.lazy(), items=items)


def late(events: pl.DataFrame) -> pl.Series:
    return events.select(pl.col("event_time") >= CUTOFF).to_series()


def last_day_of_each(events: pl.DataFrame) -> pl.Series:
    last = pl.col("event_time").max().over("customer_id")
    return events.select(pl.col("event_time") == last).to_series()


def single(protocol: ProtocolName, cut: Cut | None = None) -> Callable[[Dataset], Split]:
    return lambda dataset: hold_out(Log(dataset), protocol, cut).split


PROTOCOLS: dict[str, tuple[Callable[[Dataset], Split], Callable[[pl.DataFrame], pl.Series]]] = {
    "temporal": (lambda data: temporal(data, cutoff=CUTOFF).split, late),
    "rolling-origin": (lambda data: rolling_origin(data, test_days=7, folds=4)[0].split, late),
    "leave-last-one": (
        single(ProtocolName.LEAVE_LAST_ONE, Cut(fit_validation=True)),
        last_day_of_each,
    ),
    "next-basket": (single(ProtocolName.NEXT_BASKET), last_day_of_each),
    "next-item": (single(ProtocolName.NEXT_ITEM, Cut(cutoff=CUTOFF)), late),
}


def distinct_times(dataset: Dataset) -> Dataset:
    """Gives each event a minute of its own, so that one item is the last."""
    events = dataset.events.collect()
    moved = pl.col("event_time") + pl.duration(seconds=pl.int_range(pl.len()) % 50)
    return replace(dataset, events=events.with_columns(moved).sort("event_time").lazy())


@pytest.mark.parametrize("name", PROTOCOLS)
def test_another_future_changes_nothing_that_is_learnt_or_listed(name: str) -> None:
    make, held_out = PROTOCOLS[name]
    shop = shop_dataset()
    if name == "leave-last-one":
        shop = distinct_times(shop)
    events = shop.events.collect()
    one, two = (
        make(with_planted(shop, scrambled(events, held_out(events), seed))) for seed in (1, 2)
    )
    assert learnt(one) == learnt(two)
    assert one.after.rows() != two.after.rows(), "the futures do differ"
    queries = list(cases_for("for_you", one, limit=20, seed=0).queries)
    if name == "next-item":  # queries bring what the session did, so they are of the future
        queries = [Query("for_you", one.cutoff_time, customer) for customer in _known(one)]
    first, second = lists(one, queries), lists(two, queries)
    assert first == second
    for split, answers in ((one, first), (two, second)):
        assert PLANTED not in split.items.series().to_list()
        assert PLANTED not in split.train.events.collect()["item_id"].to_list()
        assert PLANTED not in {item.item_id for answer in answers for item in answer.items}


def _known(split: Split) -> list[str]:
    return split.train.events.collect()["customer_id"].unique().sort().to_list()


def with_other_items(hold_back: Callable[[pl.DataFrame], Halves], seed: int):
    """Returns the same hold-back with random items in what is held back."""

    def other(events: pl.DataFrame) -> Halves:
        halves = hold_back(events)
        everything = pl.repeat(value=True, n=len(halves.held), eager=True)
        return halves._replace(held=scrambled(halves.held, everything, seed))

    return other


@pytest.mark.parametrize("apart", [False, True], ids=["random", "strong-generalisation"])
def test_other_held_out_items_change_nothing(apart: bool) -> None:  # noqa: FBT001
    splits = []
    for seed in (1, 2):
        hold_back = with_other_items(random_share, seed)
        data = with_planted(shop_dataset(), shop_dataset().events.collect())
        make = strong if apart else weak
        splits.append(make(data, hold_back, REAL, END, all_items=False))
    one, two = splits
    assert learnt(one) == learnt(two)
    assert one.after.rows() != two.after.rows()
    queries = [Query("discover", one.cutoff_time, customer, 20) for customer in _known(one)]
    assert lists(one, queries) == lists(two, queries)
    assert PLANTED not in one.items.series().to_list()


def test_other_pasts_of_held_out_customers_change_nothing() -> None:
    shop = shop_dataset()
    log = Log(shop)
    one = hold_out(log, ProtocolName.STRONG_GENERALISATION).split
    events = shop.events.collect()
    theirs = events["customer_id"].is_in(one.customers.series().implode())
    two = hold_out(
        Log(with_planted(shop, scrambled(events, theirs, 3))), ProtocolName.STRONG_GENERALISATION
    ).split
    assert learnt(one) == learnt(two)
    queries = list(cases_for("discover", one, limit=20, seed=0).queries)
    assert lists(one, queries) == lists(two, queries)
