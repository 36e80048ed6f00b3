"""Check 5: lists of a bundle read from disk are judged as those of the pipeline in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation.benchmark.definitions import Benchmark
from evaluation.benchmark.opening import open_benchmark
from recsys.assembly import assemble, load_recommender
from recsys.backtest.compare import Study, compare
from recsys.backtest.contenders import loaded
from recsys.backtest.rows import Row as Figure
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.recommender import Recommender
from recsys.protocols.holdout import HoldOut
from tests.qualification.quality.benchmarked import definitions
from tests.qualification.reads import note
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, equal

SETS = ("complete-journey", "amazonelectronics")


def run(room: Room) -> Iterator[Row]:
    """Judges the default configuration of an event log and of plain pairs, both ways."""
    for name in SETS:
        benchmark = definitions().sets[name]
        holdout = open_benchmark(name, benchmark, room.of_commit("data"))
        room.step(f"{name}: fit, write, read")
        fitted = fit(holdout.split.train, load_config(), end_time=holdout.split.cutoff)
        with TemporaryDirectory(dir=room.folder) as folder:
            path = write_fitted(fitted, Path(folder), now=datetime.now(UTC))
            there = _figures(benchmark, holdout, load_recommender(path))
        here = _figures(benchmark, holdout, assemble(fitted.pipeline, path.name))
        different = [
            f"{one.placement} {one.metric}@{one.k}"
            for one, other in zip(here, there, strict=True)
            if _said(one) != _said(other)
        ]
        found = ", ".join(different) or "none"
        yield at_least(f"{name}: figures compared", len(here), 10)
        yield from note(
            "qualify-quality", name, [equal(f"{name}: figures that differ", found, "none")]
        )


def _figures(benchmark: Benchmark, holdout: HoldOut, recommender: Recommender) -> list[Figure]:
    study = Study(
        dataset="check",
        variant=holdout.variant,
        placements=tuple(table.placement for table in benchmark.tables),
        ks=(benchmark.tables[0].k,),
        protocol=holdout.protocol,
        mask=holdout.mask,
    )
    return compare(holdout.split, [loaded("it", recommender, mask=holdout.mask)], study)


def _said(row: Figure) -> Figure:
    """Returns a figure without what it took."""
    return row.model_copy(update={"seconds": None, "peak_mb": None})
