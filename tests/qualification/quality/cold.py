"""Check 7: items without any event, and customers of whom only attributes are known."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from evaluation.benchmark.opening import open_benchmark
from recsys.assembly import FitConfig
from recsys.backtest.compare import Study, compare
from recsys.backtest.contenders import fitted
from recsys.backtest.rows import WHOLE_POPULATION
from recsys.backtest.rows import Row as Figure
from recsys.config import validated
from recsys.data.splits import Split
from tests.qualification.quality.benchmarked import definitions
from tests.qualification.reads import note
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_least, figure

SET, K, SEED, SHARE = "complete-journey", 20, 7, 0.1
ATTRIBUTES = ("income", "household_size", "kids_count", "age")
METRICS = ("recall", "ndcg")
POPULAR: dict[str, Any] = {"kind": "popularity", "half_life_days": 14}


def run(room: Room) -> Iterator[Row]:
    """Holds back all that is known of some items, then of some customers."""
    holdout = open_benchmark(SET, definitions().sets[SET], room.of_commit("data"))
    room.step("cold items")
    configs = {"content": _content(), "popularity": _popularity("discover")}
    rows = _judged(cold_items(holdout.split), configs, "discover")
    yield from note("qualify-quality", SET, _told("cold items", rows, "content", surely=True))
    room.step("cold customers")
    configs = {"segments": _segments(), "popularity": _popularity("for_you")}
    rows = _judged(cold_customers(holdout.split), configs, "for_you")
    yield from note(
        "qualify-quality", SET, _told("cold customers", rows, "segments", surely=False)
    )


def cold_items(split: Split) -> Split:
    """Takes every event from a tenth of the items; these alone can be shown and are right."""
    count = len(split.items)
    nums = np.random.default_rng(SEED).permutation(count)[: int(SHARE * count)]
    ids = pl.Series(split.items.ids(np.sort(nums).astype(np.int32))).implode()
    numbers = pl.Series(nums.astype(np.int32)).implode()
    return replace(
        split,
        train=replace(
            split.train,
            events=split.train.events.filter(~pl.col("item_id").is_in(ids)),
            items=split.train.items.with_columns(available=pl.col("item_id").is_in(ids)),
        ),
        before=split.before.filter(~pl.col("item_num").is_in(numbers)),
        after=split.after.filter(pl.col("item_num").is_in(numbers)),
    )


def cold_customers(split: Split) -> Split:
    """Takes every event from half of the customers whose attributes are known."""
    known = split.train.customers["customer_id"].sort()
    chosen = known.sample(fraction=0.5, seed=SEED).implode()
    judged = pl.Series(split.customers.series()).is_in(chosen)
    numbers = judged.arg_true().cast(pl.Int32).implode()
    events = split.train.events.filter(~pl.col("customer_id").is_in(chosen))
    return replace(
        split,
        train=replace(split.train, events=events),
        before=split.before.clear(),
        after=split.after.filter(pl.col("customer_num").is_in(numbers)),
    )


def _judged(split: Split, configs: dict[str, FitConfig], placement: str) -> list[Figure]:
    study = Study(dataset=SET, variant="cold", placements=(placement,), ks=(K,))
    contenders = [fitted(name, config, split) for name, config in configs.items()]
    rows = compare(split, contenders, study)
    return [row for row in rows if row.slice == WHOLE_POPULATION and row.metric in METRICS]


def _told(what: str, rows: list[Figure], ours: str, *, surely: bool) -> Iterator[Row]:
    for row in rows:
        if row.configuration in (ours, "popularity"):
            yield figure(f"{what}: {row.configuration} {row.metric}@{K}", row.value)
        else:
            low, high = row.low or 0.0, row.high or 0.0
            lead = f"{what}: {row.configuration} {row.metric}@{K} {row.value:+.4f}"
            if surely:
                yield above(f"{lead}, lower bound", low, 0.0)
            else:
                yield at_least(f"{lead}, upper bound", high, 0.0)


def _config(parts: dict[str, Any]) -> FitConfig:
    return validated(FitConfig, parts, where="cold")


def _popularity(placement: str) -> FitConfig:
    return _config(
        {
            "models": {"popular": POPULAR},
            "sources": {"popular": {"kind": "popular", "model": "popular"}},
            "placements": {placement: {"sources": [{"name": "popular", "weight": 1.0}]}},
        }
    )


def _content() -> FitConfig:
    return _config(
        {
            "models": {"words": {"kind": "content"}, "popular": POPULAR},
            "sources": {
                "alike": {"kind": "neighbours", "model": "words"},
                "popular": {"kind": "popular", "model": "popular"},
            },
            "placements": {
                "discover": {
                    "sources": [{"name": "alike", "weight": 1.0}],
                    "fill": ["popular"],
                }
            },
        }
    )


def _segments() -> FitConfig:
    return _config(
        {
            "segment_columns": ATTRIBUTES,
            "models": {"popular": POPULAR},
            "sources": {
                "segment": {"kind": "popular-in-segment", "model": "popular"},
                "popular": {"kind": "popular", "model": "popular"},
            },
            "placements": {
                "for_you": {
                    "sources": [
                        {"name": "segment", "weight": 1.0},
                        {"name": "popular", "weight": 1.0},
                    ],
                    "fill": ["popular"],
                }
            },
        }
    )
