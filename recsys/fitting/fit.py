"""From a prepared data set to a fitted pipeline, and to a bundle."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from recsys.assembly import FitConfig, FittedPipeline, save
from recsys.bundle import write_bundle
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.progress import Progress, silent
from recsys.data.segments import build_segments
from recsys.data.state import CustomerStates, item_weights, type_weight_array
from recsys.index.build import IndexReport, build_index
from recsys.models.protocol import ReportingModel, TrainingData
from recsys.models.vectors import VectorModel
from recsys.types import FloatArray


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
    seconds: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        progress(name, 0, 1)
        start = time.perf_counter()
        yield
        seconds[name] = round(time.perf_counter() - start, 3)
        progress(name, 1, 1)

    with step("read events"):
        catalogue = Catalogue.from_frame(dataset.items)
        interactions = Interactions.from_events(
            dataset.events,
            items=catalogue.items,
            end_time=None if end_time is None else int(end_time.timestamp()),
        )
    with step("customer states"):
        states = CustomerStates.from_interactions(interactions, config.half_lives_days())
        segments = build_segments(
            interactions.customers, dataset.customers, dataset.events, config.segment_columns
        )
    data = TrainingData(interactions, states, segments)
    models = {}
    for name, algorithm in config.models.items():
        with step(f"model {name}"):
            models[name] = algorithm.fit(data)
    indexes, reports = {}, {}
    for name, source in config.sources.items():
        model = models[source.model]
        if source.kind == "vectors" and isinstance(model, VectorModel):
            with step(f"index {name}"):
                queries = sample_vectors(model, states, source.index.recall_queries)
                built = build_index(model.vectors, model.item_nums, queries, source.index)
                indexes[name] = built.index
                reports[name] = built.report
    pipeline = FittedPipeline(
        config=config,
        catalogue=catalogue,
        customers=interactions.customers,
        states=states,
        segments=segments,
        models=models,
        indexes=indexes,
    )
    figures = {
        name: dict(model.report())
        for name, model in models.items()
        if isinstance(model, ReportingModel)
    }
    return Fitted(pipeline, dataset.digest, len(interactions), seconds, reports, figures)


def sample_vectors(model: VectorModel, states: CustomerStates, count: int) -> FloatArray:
    """Returns vectors of customers spread evenly over all, shape (at most count, embedding)."""
    chosen = np.unique(np.linspace(0, len(states) - 1, min(count, len(states))).astype(np.int64))
    weights = type_weight_array(model.config.event_weights)
    folded = [
        model.fold_in(
            *item_weights(states.of(num), weights, model.config.half_life_days, states.scale)
        )
        for num in chosen.tolist()
    ]
    vectors = [vector for vector in folded if vector is not None]
    return np.array(vectors, dtype=np.float32).reshape(len(vectors), model.vectors.shape[1])


def write_fitted(fitted: Fitted, root: Path, *, now: datetime) -> Path:
    """Writes a fitted pipeline as a new bundle version under `root`; it is not yet current.

    Args:
        fitted: what to write.
        root: the bundle root.
        now: the version's time.
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
        },
        metrics={
            "indexes": {
                name: report.model_dump(mode="json")
                for name, report in fitted.index_reports.items()
            },
            "models": fitted.model_reports,
            "fit_seconds": fitted.seconds,
        },
        now=now,
    )
