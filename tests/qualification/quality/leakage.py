"""Check 4: another future leaves everything that is learnt before a cut-off as it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from recsys.assembly import FitConfig, assemble
from recsys.data.dataset import Dataset
from recsys.data.splits import Split
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from recsys.fitting.rankers import Rows, rows_at
from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.ranker import RankerConfig
from recsys.protocols.clock import REAL
from recsys.protocols.customers import strong, weak
from recsys.protocols.hold_back import Halves, HoldBack, last_basket, random_share
from recsys.protocols.single import Cut, Log, ProtocolName, hold_out
from recsys.protocols.temporal import rolling_origin, temporal
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, equal

CUSTOMERS, SEED, K = 150, 4, 20
PLANTED = "planted-item"
DAYS = 28


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some customers' events of a real shop, and what random futures are made of."""

    dataset: Dataset
    events: pl.DataFrame
    end: datetime

    @classmethod
    def of(cls, data: Path) -> "Sample":
        """Takes the same customers every time; each event gets a second of its own."""
        dataset = Dataset.open(data)
        ids = dataset.events.select(pl.col("customer_id").unique().sort()).collect()
        chosen = ids.sample(CUSTOMERS, seed=SEED)["customer_id"]
        events = dataset.events.filter(pl.col("customer_id").is_in(chosen.implode())).collect()
        moved = pl.col("event_time") + pl.duration(seconds=pl.int_range(pl.len()) % 60)
        events = events.with_columns(moved.over("customer_id", "event_time")).sort(
            "event_time", "event_id"
        )
        known = dataset.items.join(events, on="item_id", how="semi", maintain_order="left")
        last = events["event_time"].max()
        if not isinstance(last, datetime):
            message = "the sample has no events"
            raise TypeError(message)
        end = last + timedelta(seconds=1)
        return cls(replace(dataset, events=events.lazy(), items=known), events, end)

    def futures(self, chosen: pl.Series) -> Iterator[Dataset]:
        """Yields the shop twice, with random items in chosen events, one of them planted."""
        for seed in (1, 2):
            yield self.with_events(self.scrambled(self.events, chosen, seed))

    def scrambled(self, events: pl.DataFrame, chosen: pl.Series, seed: int) -> pl.DataFrame:
        """Returns events with random items in the place of those of some."""
        ids = self.dataset.items["item_id"].to_list()
        drawn = pl.Series(np.random.default_rng(seed).choice(ids, size=len(events)).tolist())
        drawn = drawn.scatter(int(chosen.arg_true()[0]), PLANTED)
        item = pl.when(chosen).then(drawn).otherwise(pl.col("item_id"))
        return events.with_columns(item_id=item)

    def with_events(self, events: pl.DataFrame) -> Dataset:
        """Returns the shop with other events, and the planted item in today's catalogue."""
        planted = self.dataset.items.head(1).with_columns(
            item_id=pl.lit(PLANTED), group_id=None, created_at=pl.lit(self.end)
        )
        types = self.dataset.items.schema
        planted = planted.cast(dict(types))  # type: ignore[arg-type]  # what a schema is
        items = pl.concat([self.dataset.items, planted]).sort("item_id")
        return replace(self.dataset, events=events.lazy(), items=items)


def run(room: Room) -> Iterator[Row]:
    """Compares learnt tables, counts, candidates and features under two random futures."""
    sample = Sample.of(room.demo_data())
    # At midnight, where the earliest of the rolling cut-offs lies, too.
    midnight = sample.end.replace(hour=0, minute=0, second=0, microsecond=0)
    cutoff = midnight - timedelta(days=DAYS - 1)
    for name, make, held_out in _protocols(cutoff):
        room.step(f"leakage: {name}")
        one, two = (make(shop) for shop in sample.futures(held_out(sample.events)))
        yield from _compared(name, one, two)
    for name, whole in (("random", weak), ("strong-generalisation", strong)):
        room.step(f"leakage: {name}")
        shop = sample.with_events(sample.events)
        one, two = (
            whole(shop, _other(sample, seed), REAL, sample.end, all_items=False) for seed in (1, 2)
        )
        yield from _compared(name, one, two)
    room.step("leakage: training rows of rankers")
    yield from _rankers(sample, cutoff)


def _protocols(
    cutoff: datetime,
) -> list[tuple[str, Callable[[Dataset], Split], Callable[[pl.DataFrame], pl.Series]]]:
    def late(events: pl.DataFrame) -> pl.Series:
        return events.select(pl.col("event_time") >= cutoff).to_series()

    def last(events: pl.DataFrame) -> pl.Series:
        return events.select(
            pl.col("event_time") == pl.col("event_time").max().over("customer_id")
        ).to_series()

    def basket(events: pl.DataFrame) -> pl.Series:
        return events["event_id"].is_in(last_basket(events).held["event_id"].implode())

    def single(protocol: ProtocolName, cut: Cut | None = None) -> Callable[[Dataset], Split]:
        return lambda shop: hold_out(Log(shop), protocol, cut).split

    leave_one = Cut(fit_validation=True)
    return [
        ("temporal", lambda shop: temporal(shop, cutoff=cutoff).split, late),
        (
            "rolling-origin",
            lambda shop: rolling_origin(shop, test_days=7, folds=4)[0].split,
            late,
        ),
        ("leave-last-one", single(ProtocolName.LEAVE_LAST_ONE, leave_one), last),
        ("next-basket", single(ProtocolName.NEXT_BASKET), basket),
        ("next-item", single(ProtocolName.NEXT_ITEM, Cut(cutoff=cutoff)), late),
    ]


def _other(sample: Sample, seed: int) -> HoldBack:
    """Returns a hold-back with random items in what is held back."""

    def hold_back(events: pl.DataFrame) -> Halves:
        halves = random_share(events)
        all_of_it = pl.repeat(value=True, n=len(halves.held), eager=True)
        return halves._replace(held=sample.scrambled(halves.held, all_of_it, seed))

    return hold_back


def _compared(name: str, one: Split, two: Split) -> Iterator[Row]:
    same = _learnt(one) == _learnt(two)
    yield equal(f"{name}: tables and counts under two futures", _word(same=same), "equal")
    differ = one.after.rows() != two.after.rows()
    yield equal(f"{name}: the futures do differ", str(differ), "True")
    known = one.train.events.select(pl.col("customer_id").unique().sort()).collect()
    queries = [
        Query(placement, one.cutoff_time, customer, limit=K)
        for customer in known["customer_id"]
        for placement in ("for_you", "discover")
    ]
    first, second = _lists(one, queries), _lists(two, queries)
    yield equal(f"{name}: {len(queries)} lists", _word(same=first == second), "equal")
    listed = {item.item_id for answer in [*first, *second] for item in answer.items}
    seen = PLANTED in listed or PLANTED in one.items.series().to_list()
    yield equal(f"{name}: the planted item is seen", str(seen), "False")


def _learnt(split: Split) -> list[object]:
    events = split.train.events.collect().drop("event_id")
    return [
        sorted(events.rows(), key=repr),
        split.train.items.rows(),
        split.items.series().to_list(),
        split.buyers.tolist(),
        split.train_buyers,
    ]


def _lists(split: Split, queries: list[Query]) -> list[Recommendations]:
    fitted = fit(split.train, load_config(), end_time=split.cutoff)
    return assemble(fitted.pipeline, "leakage").recommend(queries)


def _ranked() -> FitConfig:
    config = load_config()
    placements = {
        name: config.placements[name].model_copy(update={"ranker": RankerConfig()})
        for name in ("for_you", "discover")
    }
    return config.model_copy(update={"placements": placements})


def _rankers(sample: Sample, cutoff: datetime) -> Iterator[Row]:
    def late(events: pl.DataFrame) -> pl.Series:
        return events.select(pl.col("event_time") >= cutoff).to_series()

    config, ends = _ranked(), (int(cutoff.timestamp()), int(sample.end.timestamp()))
    one, two = (
        rows_at(shop, config, *ends, ["for_you", "discover"])
        for shop in sample.futures(late(sample.events))
    )
    for name, rows in one.items():
        first, second = _by_customer(rows), _by_customer(two[name])
        both = first.keys() & second.keys()
        same = all(first[customer] == second[customer] for customer in both)
        yield at_least(f"ranker, {name}: customers with rows in both futures", len(both), 10)
        yield equal(f"ranker, {name}: candidates and features", _word(same=same), "equal")
        seen = PLANTED in rows.item_ids or PLANTED in two[name].item_ids
        yield equal(f"ranker, {name}: the planted item is a candidate", str(seen), "False")


def _by_customer(rows: Rows) -> dict[str, tuple[tuple[str, ...], bytes]]:
    ends = np.cumsum(rows.sizes)
    parts = [slice(end - size, end) for end, size in zip(ends, rows.sizes, strict=True)]
    return {
        customer: (tuple(rows.item_ids[part]), rows.features[part].tobytes())
        for customer, part in zip(rows.customer_ids, parts, strict=True)
    }


def _word(*, same: bool) -> str:
    return "equal" if same else "different"
