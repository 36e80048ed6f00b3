"""Check 6: what a default fit takes, and fitting what it chose on ten million events."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from recsys.bundle import current, read_manifest
from recsys.data.dataset import EVENTS_FILE
from tests.qualification.check_08_fit_scale import repeat
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, figure

EVENTS = 10_000_000
MINUTES = 15


def run(room: Room) -> Iterator[Row]:
    """Chooses and fits on the demo data, then fits the same on many more customers."""
    data = room.demo_data()
    with TemporaryDirectory(dir=room.folder, prefix="scale-") as name:
        folder = Path(name)
        chosen, bundles = folder / "chosen.toml", folder / "bundles"
        outcome = room.must(
            "q6-default",
            *("-m", "training", "run", "--data", data, "--bundles", bundles),
            *("--save-config", chosen),
        )
        yield figure("default, choice and fit: seconds", outcome.seconds)
        yield figure("default, choice and fit: peak MiB", outcome.peak_mb)
        yield from _dominating("default", bundles)
        once = int(pl.scan_parquet(data / EVENTS_FILE).select(pl.len()).collect().item())
        times = -(-EVENTS // once)
        room.step(f"write {times} x the demo data")
        large, bundles = folder / "large", folder / "large-bundles"
        yield at_least("generated events", repeat(data, large, times), EVENTS)
        outcome = room.must(
            "q6-large",
            *("-m", "training", "run", "--data", large, "--bundles", bundles),
            *("--config", chosen),
        )
        yield at_most("ten million events: minutes", outcome.seconds / 60, MINUTES)
        yield figure("ten million events: peak MiB", outcome.peak_mb)
        yield from _dominating("ten million events", bundles)


def _dominating(what: str, bundles: Path) -> Iterator[Row]:
    """Yields the three steps of a fit that took longest."""
    seconds = dict(read_manifest(current(bundles)).metrics["fit_seconds"])
    for step, took in sorted(seconds.items(), key=lambda pair: -pair[1])[:3]:
        yield figure(f"{what}: {step}, seconds", took)
