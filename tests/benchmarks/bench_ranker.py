"""Measures what a ranker adds to a list: the same queries with it and without, turn by turn.

    python tests/benchmarks/bench_ranker.py --bundles var/ranked --json FILE

The bundle needs a ranker: fit one with `[placements.for_you.ranker]` in a configuration file.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from threadpoolctl import threadpool_limits

from recsys.assembly import load_recommender
from recsys.backtest.rows import Row, write_figures
from recsys.bundle import current
from recsys.pipeline.query import Query
from recsys.pipeline.ranker import ranker_rows
from recsys.pipeline.recommender import Recommender

ROUNDS, LIMIT, SEED = 3, 20, 1
NAMES = ("blend", "ranked", "features", "trees")


def queries(recommender: Recommender, placement: str, customers: int) -> list[Query]:
    """Returns questions of customers of the bundle, the same in every run."""
    known = recommender.resolver.customers
    drawn = np.random.default_rng(SEED).permutation(len(known))[:customers]
    now = recommender.trained_until
    return [Query(placement, now, known.id(int(num)), LIMIT) for num in drawn]


def timed(recommender: Recommender, plain: Recommender, query: Query) -> list[float]:
    """Returns the seconds of a list without and with the ranker, and of the ranker's two parts."""
    ranker, table = recommender.rankers[query.placement], recommender.item_table
    marks = [time.perf_counter()]
    plain.recommend([query])
    marks.append(time.perf_counter())
    recommender.recommend([query])
    marks.append(time.perf_counter())
    request, pool, ranked = recommender.first_stage(query)
    parts = [time.perf_counter()]
    _, rows = ranker_rows(ranker.config, request, ranked, pool, table)
    parts.append(time.perf_counter())
    ranker.scores(rows)
    parts.append(time.perf_counter())
    return [*np.diff(marks), *np.diff(parts)]


def measured(recommender: Recommender, asked: list[Query]) -> dict[str, float]:
    """Returns the median microseconds of each."""
    plain = replace(recommender, rankers={})
    for query in asked[:50]:
        timed(recommender, plain, query)
    found = [
        timed(recommender, plain, query)
        for _ in track(range(ROUNDS), description="measuring")
        for query in asked
    ]
    return dict(zip(NAMES, (np.median(found, axis=0) * 1e6).tolist(), strict=True))


def rows(medians: dict[str, float], placement: str, dataset: str) -> Iterator[Row]:
    """Yields the figures in the one shape that figures have."""
    for name, value in medians.items():
        yield Row(
            dataset=dataset,
            protocol="one list, in this process",
            variant=name,
            placement=placement,
            metric="p50_us",
            k=LIMIT,
            value=value,
        )


def main(
    *,
    bundles: Annotated[Path, typer.Option(help="Bundle root whose current bundle has a ranker.")],
    placement: Annotated[str, typer.Option(help="The ranked placement.")] = "for_you",
    customers: Annotated[int, typer.Option(help="Customers to ask for.")] = 400,
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    dataset: Annotated[str, typer.Option(help="Name of the data set in the figures.")] = "demo",
) -> None:
    """Time lists with and without the ranker, on one thread."""
    console, recommender = Console(), load_recommender(current(bundles))
    if placement not in recommender.rankers:
        message = f"{placement!r} has no ranker; ranked: {', '.join(recommender.rankers) or None}"
        raise typer.BadParameter(message)
    with threadpool_limits(1):
        medians = measured(recommender, queries(recommender, placement, customers))
    table = Table(title=f"{placement}, {LIMIT} items, median of one list on one thread")
    table.add_column("")
    table.add_column("us", justify="right")
    table.add_column("of blend", justify="right")
    for name, value in medians.items():
        table.add_row(name, f"{value:,.0f}", f"{value / medians['blend']:.2f}")
    console.print(table)
    if json is not None:
        write_figures(json, rows(medians, placement, dataset))
        console.print(f"figures: {json}")


if __name__ == "__main__":
    typer.run(main)
