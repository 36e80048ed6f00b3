"""Check 7: a batch gives what single calls give; how many customers a second in bulk."""

from collections.abc import Iterator, Sequence

import numpy as np

from recsys.assembly import load_recommender
from recsys.backtest.rows import read_figures
from recsys.bundle import current
from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.recommender import Recommender
from tests.qualification.queries import random_queries
from tests.qualification.room import Room
from tests.qualification.rows import Row, equal, figure

QUERIES, BATCHES, SEED = 1_000, (7, 1_000), 7


def run(room: Room) -> Iterator[Row]:
    """Asks the same random queries in batches of several sizes; then measures bulk lists."""
    bundles, data = room.demo_bundles(), room.demo_data()
    recommender = load_recommender(current(bundles))
    queries = random_queries(recommender, QUERIES, np.random.default_rng(SEED))
    room.step(f"{QUERIES} queries one by one")
    single = _asked(recommender, queries, 1)
    yield figure("queries", len(queries))
    yield figure("distinct placements", len({query.placement for query in queries}))
    yield figure("items listed", sum(len(answer.items) for answer in single))
    yield figure("empty lists", sum(not a.items for a in single))
    for size in BATCHES:
        room.step(f"in batches of {size}")
        batched = _asked(recommender, queries, size)
        other = sum(one != many for one, many in zip(single, batched, strict=True))
        yield equal(f"lists that differ in batches of {size}", other, 0)
    figures = room.folder / "bulk.json"
    script = room.root / "tests" / "benchmarks" / "bench_bulk.py"
    words = ["--bundles", bundles, "--data", data, "--json", figures]
    room.must("7-bulk", script, *words)
    for row in read_figures(figures):
        yield figure(f"{row.variant}, {row.protocol}: customers per second", row.value)
        yield figure(f"{row.variant}, {row.protocol}: peak MiB of a process", row.peak_mb or 0)


def _asked(recommender: Recommender, queries: Sequence[Query], size: int) -> list[Recommendations]:
    starts = range(0, len(queries), size)
    return [
        answer
        for start in starts
        for answer in recommender.recommend(queries[start : start + size])
    ]
