"""Measures what a changing catalogue costs: a refresh at many items, and lists with new items.

    python tests/benchmarks/bench_catalogue.py --bundles var/demo/bundles --items 100000

Seconds are of this thread's processor, so that a busy machine changes little.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.data.catalogue import Catalogue
from recsys.data.events import ITEM_SCHEMA
from recsys.live.eligibility import Eligibility
from recsys.live.likeness import Likeness
from recsys.live.overlay import Overlay
from recsys.pipeline.catalogue_follower import AT_ONCE, CatalogueFollower
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.catalogue import ItemRow, written

SEED, ROUNDS, NEW = 1, 5, 1_000


def made_items(count: int) -> pl.DataFrame:
    """Returns a catalogue like a department store's."""
    random = np.random.default_rng(SEED)
    weights = 1 / np.arange(1, 5_001)
    words = random.choice(5_000, size=(count, 5), p=weights / weights.sum())
    shelf, numbers = random.integers(0, 900, count), range(count)
    columns = {
        "item_id": [f"i{number:07}" for number in numbers],
        "group_id": [f"g{n // 3}" if n % 2 else None for n in numbers],
        "title": [" ".join(f"w{word}" for word in row) for row in words.tolist()],
        "category": [[f"a{s % 8}", f"b{s % 90}", f"c{s}"] for s in shelf.tolist()],
        "brand": [f"brand{number}" for number in random.integers(0, 2_000, count).tolist()],
        "price": random.uniform(1, 100, count),
        "available": [True] * count,
        "tags": [[f"t{number}"] for number in random.integers(0, 300, count).tolist()],
    }
    missing = {name: [None] * count for name in ITEM_SCHEMA if name not in columns}
    return pl.DataFrame({**columns, **missing}, schema_overrides=ITEM_SCHEMA).select(*ITEM_SCHEMA)


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Returns the least seconds of a processor, all threads of this process together."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def part(ids: Sequence[str], number: int, **columns: object) -> list[ItemRow]:
    """Returns changes of some columns."""
    text = written(columns)
    return [
        ItemRow(item_id, replaces=False, removed=False, content=text, change_number=number)
        for item_id in ids
    ]


def fresh(rows: pl.DataFrame, number: int) -> list[ItemRow]:
    """Returns new items that are like the given ones."""
    return [
        ItemRow(
            f"new-{row['item_id']}",
            replaces=True,
            removed=False,
            content=written(
                {k: row[k] for k in ("title", "category", "brand", "price", "tags") if row[k]}
            ),
            change_number=number,
        )
        for row in rows.to_dicts()
    ]


def refreshes(count: int) -> Iterator[tuple[str, float]]:
    """Yields what a refresh costs in a made catalogue."""
    catalogue = Catalogue.from_frame(made_items(count))
    ids = catalogue.frame["item_id"].to_list()
    plain = Overlay.over(catalogue, Eligibility(catalogue.frame))
    busy = plain.changed(fresh(catalogue.frame[:NEW], 1))
    for name, overlay in (("", plain), (f", {NEW:,} new items there", busy)):
        for some in (1, NEW):
            rows = part(ids[:some], 2, price=3.0, available=False)
            yield f"price and stock of {some:,}{name}", seconds(partial(overlay.changed, rows))
    yield f"{NEW:,} new items", seconds(partial(plain.changed, fresh(catalogue.frame[:NEW], 1)))
    learned = np.arange(count, dtype=np.int32)
    yield (
        "words of the learned items, once for a bundle",
        seconds(lambda: Likeness.of(catalogue.frame, learned), rounds=1),
    )
    likeness = Likeness.of(catalogue.frame, learned)
    yield (
        f"the like of {AT_ONCE} new items",
        seconds(lambda: likeness.nearest(catalogue.frame[:AT_ONCE], 10), rounds=2),
    )


def lists(recommender: Recommender, customers: int) -> Iterator[tuple[str, float]]:
    """Yields the median milliseconds of lists without and with new items, turn by turn."""
    follower = CatalogueFollower(recommender)
    sold = np.unique(recommender.resolver.states.rows.item_nums)
    like = np.random.default_rng(SEED).permutation(sold)[:NEW]
    follower.follow(fresh(recommender.catalogue.frame[np.sort(like)], 1))
    while follower.waits:
        follower.follow([])
    known = recommender.resolver.customers
    drawn = np.random.default_rng(SEED).permutation(len(known))[:customers].tolist()
    seed = recommender.catalogue.items.id(int(sold[0]))
    for placement in recommender.placements:
        took: dict[Recommender, list[float]] = {recommender: [], follower.recommender: []}
        for num in drawn:
            query = Query(
                placement,
                recommender.trained_until,
                known.id(num),
                limit=20,
                context_item_ids=(seed,),
            )
            for each, times in took.items():
                start = time.thread_time()
                each.recommend([query])
                times.append(time.thread_time() - start)
        without, with_new = (float(np.median(times)) for times in took.values())
        yield f"{placement}, no new item", without
        yield f"{placement}, {NEW:,} new items ({with_new / without:.2f}x)", with_new


def main(
    *,
    bundles: Annotated[Path | None, typer.Option(help="Bundle root for lists; none: no lists.")],
    items: Annotated[int, typer.Option(help="Of the made catalogue.")] = 100_000,
    customers: Annotated[int, typer.Option(help="Asked on every placement.")] = 300,
) -> None:
    """Print the milliseconds of refreshes and lists."""
    console = Console()
    console.print(f"{items:,} items; milliseconds of a processor", style="bold")
    with threadpool_limits(1):
        for what, took in refreshes(items):
            console.print(f"{took * 1e3:10,.1f}  {what}", highlight=False)
        if bundles is not None:
            for what, took in lists(load_recommender(current(bundles)), customers):
                console.print(f"{took * 1e3:10,.2f}  {what}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
