"""Check 8: what a fit takes, and whether ten times the events take what was predicted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from recsys.data.dataset import CUSTOMERS_FILE, EVENTS_FILE, ITEMS_FILE
from tests.qualification.room import Room
from tests.qualification.rows import Row, between, figure

SMALL, LARGE = (1, 2), 10
LOW, HIGH = 0.5, 1.5
IDS = ("event_id", "customer_id", "session_id", "basket_id")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fit took."""

    events: int
    seconds: float
    peak_mb: float


def run(room: Room) -> Iterator[Row]:
    """Fits the demo data once and twice over, writes down what ten times will take, fits that."""
    room.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=room.folder, prefix="scale-") as folder:
        yield from _scaled(room, Path(folder))


def _scaled(room: Room, folder: Path) -> Iterator[Row]:
    costs = []
    for times in SMALL:
        costs.append(_fitted(room, folder, times))
        yield from _rows(f"{times} x", costs[-1])
    predicted = _line(*costs, events=LARGE * costs[0].events)
    # On disk before the large fit starts.
    text = json.dumps({"seconds": predicted.seconds, "peak_mb": predicted.peak_mb})
    (room.folder / "fit_prediction.json").write_text(text, encoding="utf-8")
    yield from _rows(f"{LARGE} x, predicted", predicted)
    large = _fitted(room, folder, LARGE)
    yield from _rows(f"{LARGE} x", large)
    yield between(f"{LARGE} x: seconds / predicted", large.seconds / predicted.seconds, LOW, HIGH)
    ratio = large.peak_mb / predicted.peak_mb
    yield between(f"{LARGE} x: peak memory / predicted", ratio, LOW, HIGH)


def _rows(what: str, cost: Cost) -> Iterator[Row]:
    yield figure(f"{what}: events", cost.events)
    yield figure(f"{what}: seconds", cost.seconds)
    yield figure(f"{what}: peak MiB", cost.peak_mb)


def _line(first: Cost, second: Cost, *, events: int) -> Cost:
    """Returns what a straight line through two costs gives for some events."""
    steps = (events - first.events) / (second.events - first.events)
    return Cost(
        events,
        first.seconds + steps * (second.seconds - first.seconds),
        first.peak_mb + steps * (second.peak_mb - first.peak_mb),
    )


def _fitted(room: Room, folder: Path, times: int) -> Cost:
    room.step(f"write {times} x the demo data")
    data, bundles = folder / f"data-{times}", folder / f"bundles-{times}"
    events = repeat(room.demo_data(), data, times)
    words = ["-m", "training", "run", "--no-choose", "--data", data, "--bundles", bundles]
    outcome = room.must(f"8-fit-{times}", *words)
    return Cost(events, outcome.seconds, outcome.peak_mb)


def repeat(data: Path, target: Path, times: int) -> int:
    """Writes a prepared data set in which every customer stands so often, under other ids.

    Returns:
        The number of its events.
    """
    target.mkdir(parents=True, exist_ok=True)
    copies = pl.LazyFrame({"copy": [f"-{number}" for number in range(times)]})
    events = pl.scan_parquet(data / EVENTS_FILE).join(copies, how="cross")
    renamed = events.with_columns(pl.col(name) + pl.col("copy") for name in IDS).drop("copy")
    renamed.sort("event_time", "event_id").sink_parquet(target / EVENTS_FILE)
    customers = pl.scan_parquet(data / CUSTOMERS_FILE).join(copies, how="cross")
    own = customers.with_columns(pl.col("customer_id") + pl.col("copy")).drop("copy")
    own.sort("customer_id").sink_parquet(target / CUSTOMERS_FILE)
    pl.scan_parquet(data / ITEMS_FILE).sink_parquet(target / ITEMS_FILE)
    count = pl.scan_parquet(target / EVENTS_FILE).select(pl.len()).collect().item()
    return int(count)
