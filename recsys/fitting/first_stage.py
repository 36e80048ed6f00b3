"""The first stage of a pipeline: models fitted on a data set, and the indexes of their vectors."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from recsys.assembly import FitConfig, FittedPipeline, SourceConfig
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.progress import Progress, silent
from recsys.data.segments import build_segments
from recsys.data.state import CustomerStates, item_weights, type_weight_array
from recsys.errors import ConfigError
from recsys.index.build import BuiltIndex, IndexReport, build_index
from recsys.live.placement_fit import column_problems
from recsys.models.protocol import Model, ReportingModel, TrainingData
from recsys.models.vectors import VectorModel
from recsys.types import FloatArray


@dataclass(slots=True)
class Steps:
    """Times steps and tells of them."""

    progress: Progress = silent
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of each step so far."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done within."""
        self.progress(name, 0, 1)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.progress(name, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class FirstStage:
    """Sources that are ready, and what is worth keeping about them."""

    pipeline: FittedPipeline
    """Without rankers."""
    event_count: int
    index_reports: dict[str, IndexReport]
    """What was built for each source that searches vectors, and how well it finds."""
    model_reports: dict[str, dict[str, float]]
    """What models report of their own fit, by model."""


def fit_first_stage(
    dataset: Dataset, config: FitConfig, *, end_time: datetime | None, steps: Steps
) -> FirstStage:
    """Fits every model of a configuration on all events of a data set.

    Args:
        dataset: all its events must lie before `end_time`.
        config: what to fit; rankers are left out.
        end_time: when the data ends; default: one second after the last event.
        steps: times every part.

    Raises:
        DataError: no usable event, or one at or after `end_time`.
        ConfigError: the configuration names a customer attribute or a column of items that does
            not exist.
    """
    with steps.step("read events"):
        catalogue, data = training_side(
            dataset, config.half_lives_days(), config.segment_columns, end_time
        )
    _check_columns(config, catalogue)
    models = {}
    for name, algorithm in config.algorithms().items():
        with steps.step(f"model {name}"):
            models[name] = algorithm.fit(data)
    indexes, reports = {}, {}
    for name, source in config.sources.items():
        if source.kind == "vectors":
            with steps.step(f"index {name}"):
                built = fit_index(source, models[source.model], data.states)
                indexes[name] = built.index
                reports[name] = built.report
    pipeline = FittedPipeline(
        config=config,
        catalogue=catalogue,
        customers=data.interactions.customers,
        states=data.states,
        segments=data.segments,
        attributes=dataset.customers,
        models=models,
        indexes=indexes,
    )
    figures = {
        name: dict(model.report())
        for name, model in models.items()
        if isinstance(model, ReportingModel)
    }
    return FirstStage(pipeline, len(data.interactions), reports, figures)


def _check_columns(config: FitConfig, catalogue: Catalogue) -> None:
    """Refuses placements that speak of columns which the catalogue does not have.

    Raises:
        ConfigError: one line for each thing that is wrong.
    """
    columns = catalogue.frame.drop("markets").schema
    wrong = [
        f"placements.{name}.{'.'.join(within)}: {problem}"
        for name, placement in config.placements.items()
        for within, problem in column_problems(placement, columns)
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))


def training_side(
    dataset: Dataset,
    half_lives_days: Sequence[float],
    segment_columns: Sequence[str],
    end_time: datetime | None,
) -> tuple[Catalogue, TrainingData]:
    """Reads what all algorithms of a fit learn from.

    Args:
        dataset: all its events must lie before `end_time`.
        half_lives_days: that states keep sums for.
        segment_columns: customer attributes that make segments.
        end_time: when the data ends; default: one second after the last event.

    Raises:
        DataError: no usable event, or one at or after `end_time`.
        ConfigError: there is no such customer attribute.
    """
    catalogue = Catalogue.from_frame(dataset.items)
    interactions = Interactions.from_events(
        dataset.events,
        items=catalogue.items,
        # Whose attributes make segments has them before the first event.
        also=dataset.customers["customer_id"] if segment_columns else (),
        end_time=None if end_time is None else int(end_time.timestamp()),
    )
    states = CustomerStates.from_interactions(interactions, half_lives_days)
    segments = build_segments(
        interactions.customers, dataset.customers, dataset.events, segment_columns
    )
    return catalogue, TrainingData(interactions, states, segments, catalogue)


def fit_index(source: SourceConfig, model: Model, states: CustomerStates) -> BuiltIndex:
    """Builds the index that a source searches a model's vectors through.

    Raises:
        TypeError: the model has no vectors.
    """
    if not isinstance(model, VectorModel):
        message = f"a source of kind {source.kind!r} cannot search a {type(model).__name__}"
        raise TypeError(message)
    queries = sample_vectors(model, states, source.index.recall_queries)
    return build_index(model.vectors, model.item_nums, queries, source.index)


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
