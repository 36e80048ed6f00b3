"""Measures lists for all customers beside implicit's own `recommend` for the same customers.

    python tests/benchmarks/bench_bulk.py --bundles var/demo/bundles --data var/demo/data

Everything is timed in processes of one thread each, after loading and after a first batch. The
two are not the same work: implicit ranks its factors alone, a list of ours blends four sources,
leaves out what is not available, shows one variant of each product and says why.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from implicit.als import AlternatingLeastSquares
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_matrix

from recsys.assembly import load_recommender
from recsys.backtest.outcomes import peak_mb
from recsys.backtest.rows import Row, write_figures
from recsys.bundle import current
from recsys.data.dataset import Dataset
from recsys.data.vocabulary import Vocabulary
from recsys.pipeline.query import Query
from recsys.types import CustomerId, ItemId
from serving.processes.supervisor import ONE_THREAD

PLACEMENT, LIMIT, BATCH = "for_you", 20, 1_000
EMBEDDING_SIZE, EPOCHS, SEED = 128, 5, 1
"""The time of `recommend` depends on the size of the factors, not on how well they are learnt."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """Lists for many customers, and the seconds that they took."""

    what: str
    processes: int
    customers: int
    items: int
    seconds: float
    peak_mb: float
    """Of the biggest process, MiB."""

    @property
    def customers_per_s(self) -> float:
        return self.customers / self.seconds


def customer_ids(bundles: Path) -> list[CustomerId]:
    """Returns all customers of the current bundle."""
    customers = load_recommender(current(bundles)).resolver.customers
    return customers.ids(np.arange(len(customers), dtype=np.int32))


def ours_in(processes: int, bundles: Path, ids: list[CustomerId]) -> Bulk:
    """Makes the lists in some processes, which begin together once all have loaded."""
    context = multiprocessing.get_context("spawn")
    shares = [(bundles, ids[part::processes]) for part in range(processes)]
    with context.Pool(processes, _begin_together, (context.Barrier(processes),)) as pool:
        parts = pool.map(_ours, shares, chunksize=1)
    return Bulk(
        "recsys",
        processes,
        sum(part.customers for part in parts),
        sum(part.items for part in parts),
        max(part.seconds for part in parts),
        max(part.peak_mb for part in parts),
    )


_together: list[threading.Barrier] = []
"""Of a process of the pool: where it waits for the others."""


def _begin_together(barrier: threading.Barrier) -> None:
    _together.append(barrier)


def _ours(arguments: tuple[Path, list[CustomerId]]) -> Bulk:
    """Makes the lists of some customers in this process."""
    bundles, ids = arguments
    recommender = load_recommender(current(bundles))
    queries = [Query(PLACEMENT, recommender.trained_until, name, LIMIT) for name in ids]
    recommender.recommend(queries[:100])
    _together[0].wait()
    began, items = time.perf_counter(), 0
    for start in range(0, len(queries), BATCH):
        answers = recommender.recommend(queries[start : start + BATCH])
        items += sum(len(answer.items) for answer in answers)
    return Bulk("recsys", 1, len(queries), items, time.perf_counter() - began, peak_mb())


def implicits_own(data: Path, ids: list[CustomerId]) -> Bulk:
    """Fits implicit's ALS on the same purchases and lets it rank all items for all customers."""
    purchases = pl.col("event_type") == "purchase"
    pairs = Dataset.open(data).events.filter(purchases).group_by("customer_id", "item_id").len()
    found = pairs.drop_nulls().collect()
    customers: Vocabulary[CustomerId] = Vocabulary.from_ids(found["customer_id"])
    items: Vocabulary[ItemId] = Vocabulary.from_ids(found["item_id"])
    places = (customers.numbers(found["customer_id"]), items.numbers(found["item_id"]))
    counts = found["len"].cast(pl.Float32).to_numpy()
    matrix = csr_matrix((counts, places), shape=(len(customers), len(items)))
    model = AlternatingLeastSquares(
        factors=EMBEDDING_SIZE, iterations=EPOCHS, random_state=SEED, num_threads=1
    )
    model.fit(matrix, show_progress=False)
    nums = customers.numbers(ids)
    nums = nums[nums >= 0]
    batches = [nums[start : start + BATCH] for start in range(0, len(nums), BATCH)]
    model.recommend(nums[:100], matrix[nums[:100]], N=LIMIT, filter_already_liked_items=False)
    began, size = time.perf_counter(), 0
    for batch in batches:
        found_nums, _ = model.recommend(
            batch, matrix[batch], N=LIMIT, filter_already_liked_items=False
        )
        size += found_nums.size
    return Bulk("implicit", 1, len(nums), size, time.perf_counter() - began, peak_mb())


def rows(found: list[Bulk], dataset: str) -> Iterator[Row]:
    """Yields the figures in the one shape that figures have."""
    for bulk in found:
        yield Row(
            dataset=dataset,
            protocol=f"bulk, processes={bulk.processes}",
            variant=bulk.what,
            placement=PLACEMENT,
            metric="customers_per_s",
            k=LIMIT,
            value=bulk.customers_per_s,
            customers=bulk.customers,
            seconds=bulk.seconds,
            peak_mb=bulk.peak_mb,
        )


def table(found: list[Bulk]) -> Table:
    whole = Table(title=f"{PLACEMENT}, {LIMIT} items, all customers", title_justify="left")
    for name in ("what", "processes", "customers", "items", "seconds", "customers/s", "peak MiB"):
        whole.add_column(name, justify="left" if name == "what" else "right")
    for bulk in found:
        whole.add_row(
            bulk.what,
            str(bulk.processes),
            f"{bulk.customers:,}",
            f"{bulk.items:,}",
            f"{bulk.seconds:.2f}",
            f"{bulk.customers_per_s:,.0f}",
            f"{bulk.peak_mb:,.0f}",
        )
    return whole


def main(
    *,
    bundles: Annotated[Path, typer.Option(help="Bundle root, such as var/demo/bundles.")],
    data: Annotated[Path, typer.Option(help="Prepared data set that the bundle was fitted on.")],
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    dataset: Annotated[str, typer.Option(help="Name of the data set in the figures.")] = "demo",
) -> None:
    """Measure bulk lists in one and two processes, and implicit's own, one after the other."""
    console = Console()
    os.environ |= ONE_THREAD  # before the processes that do the work start
    context = multiprocessing.get_context("spawn")
    with console.status("making lists for all customers"):
        with context.Pool(1) as pool:
            ids = pool.apply(customer_ids, (bundles,))
        found = [ours_in(processes, bundles, ids) for processes in (1, 2)]
        with context.Pool(1) as pool:
            found.append(pool.apply(implicits_own, (data, ids)))
    console.print(table(found))
    if json is not None:
        write_figures(json, rows(found, dataset))
        console.print(f"figures: {json}")


if __name__ == "__main__":
    typer.run(main)
