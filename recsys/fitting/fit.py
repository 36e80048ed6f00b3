"""From a prepared data set to a fitted pipeline, and to a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys.assembly import FitConfig, FittedPipeline, save
from recsys.bundle import write_bundle
from recsys.data.dataset import Dataset
from recsys.data.progress import Progress, silent
from recsys.fitting.first_stage import Steps, fit_first_stage
from recsys.fitting.rankers import fit_rankers
from recsys.index.build import IndexReport
from recsys.pipeline.features import schema_hash
from recsys.types import LogPosition


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted pipeline, and what is worth keeping about how it came about."""

    pipeline: FittedPipeline
    data_digest: str
    event_count: int
    seconds: dict[str, float]
    """Wall time of each step."""
    index_reports: dict[str, IndexReport]
    """What was built for each source that searches vectors, and how well it finds."""
    model_reports: dict[str, dict[str, float]]
    """What models report of their own fit, by model."""
    log: LogPosition | None = None
    """How far the event log of a store was read; None: only files were."""


def fit(
    dataset: Dataset,
    config: FitConfig,
    *,
    end_time: datetime | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Fits everything a configuration names on all events of a data set.

    Args:
        dataset: all its events must lie before `end_time`.
        config: what to fit.
        end_time: when the data ends: ages are counted from here. Default: one second after the
            last event.
        progress: hears about each step.

    Raises:
        DataError: no usable event, or one at or after `end_time`.
        ConfigError: the configuration names a customer attribute that does not exist.
    """
    steps = Steps(progress)
    first = fit_first_stage(dataset, config, end_time=end_time, steps=steps)
    rankers = fit_rankers(dataset, first.pipeline, steps=steps)
    return Fitted(
        replace(first.pipeline, rankers=rankers),
        dataset.digest,
        first.event_count,
        steps.seconds,
        first.index_reports,
        first.model_reports,
        dataset.log,
    )


def write_fitted(
    fitted: Fitted, root: Path, *, now: datetime, metrics: Mapping[str, Any] | None = None
) -> Path:
    """Writes a fitted pipeline as a new bundle version under `root`; it is not yet current.

    Args:
        fitted: what to write.
        root: the bundle root.
        now: the version's time.
        metrics: what else the manifest should keep, beside what the fit says of itself.
    """
    pipeline = fitted.pipeline
    return write_bundle(
        root,
        lambda folder: save(pipeline, folder),
        config=pipeline.config.model_dump(mode="json"),
        data={
            "digest": fitted.data_digest,
            "end_time": pipeline.states.scale.reference_time,
            "events": fitted.event_count,
            "customers": len(pipeline.customers),
            "items": len(pipeline.catalogue),
            **({} if fitted.log is None else {"store": _as_told(fitted.log)}),
        },
        metrics={
            "indexes": {
                name: report.model_dump(mode="json")
                for name, report in fitted.index_reports.items()
            },
            "models": fitted.model_reports,
            "fit_seconds": fitted.seconds,
            **(metrics or {}),
        },
        features={name: schema_hash(ranker.names) for name, ranker in pipeline.rankers.items()},
        now=now,
    )


def _as_told(log: LogPosition) -> dict[str, str | int]:
    """Returns what a manifest says of a log; `Manifest.log_position` reads it."""
    return {"id": log.store_id, "position": log.position, "links": log.links}
