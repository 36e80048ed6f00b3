"""Puts a fitted pipeline together: the only file that names concrete models and sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import polars as pl
from polars.exceptions import PolarsError
from pydantic import Field, model_validator

from recsys.bundle import Manifest, verify
from recsys.bundle_parts import (
    CATALOGUE,
    load_arrays,
    load_attributes,
    load_customers,
    load_segments,
    load_states,
    save_arrays,
    save_customers,
)
from recsys.config import StrictModel, validated
from recsys.data.catalogue import Catalogue
from recsys.data.events import CUSTOMER_SCHEMA
from recsys.data.segments import Segments
from recsys.data.state import CustomerStates, DecayScale
from recsys.data.vocabulary import Vocabulary
from recsys.errors import BundleError, ConfigError
from recsys.index.build import load_index
from recsys.index.config import IndexConfig
from recsys.index.protocol import VectorIndex
from recsys.live.attribution import PLACEMENT_BYTES, checked_name
from recsys.live.eligibility import Eligibility
from recsys.models.als import Als
from recsys.models.arrivals import Arrivals, ArrivalsModel
from recsys.models.content import Content
from recsys.models.customer_neighbours import CustomerNeighbours
from recsys.models.ease import Ease
from recsys.models.graph_filter import GraphFilter
from recsys.models.ials import Ials
from recsys.models.item_item import ItemItem
from recsys.models.linear import LinearConfig, LinearModel
from recsys.models.markov import Markov, MarkovModel
from recsys.models.popularity import Popularity, PopularityModel
from recsys.models.ppmi import Ppmi
from recsys.models.protocol import Model
from recsys.models.replenishment import Replenishment
from recsys.models.replenishment_model import ReplenishmentModel
from recsys.models.repurchase import Repurchase, RepurchaseModel
from recsys.models.sequence import SequenceModel, Sequences
from recsys.models.slim import Slim
from recsys.models.trend import Trend
from recsys.models.vectors import VectorModel
from recsys.models.viewed import Viewed, ViewedModel
from recsys.pipeline.features import item_table, schema_hash
from recsys.pipeline.own_source import OwnSource, is_own, own_source
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.popular_sources import (
    CategoryPopularSource,
    PopularSource,
    SegmentPopularSource,
)
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.resolve import Resolver
from recsys.pipeline.sequence_sources import NextItemSource, SequenceSource
from recsys.pipeline.shop_sources import NewSource, RisingSource
from recsys.pipeline.source import CandidateSource
from recsys.pipeline.sources import NeighbourSource, RepurchaseSource, VectorSource
from recsys.pipeline.viewed_source import ViewedSource
from recsys.pipeline.worth import BACKWARD_KINDS
from recsys.types import CustomerId, LogPosition

INDEXES = "indexes"
"""Folder of a bundle that holds the vector indexes."""
RANKERS = "rankers"
"""Folder of a bundle that holds the rankers, by placement."""

AlgorithmConfig = Annotated[
    Als
    | Arrivals
    | Content
    | CustomerNeighbours
    | Ease
    | GraphFilter
    | Ials
    | ItemItem
    | Markov
    | Popularity
    | Ppmi
    | Replenishment
    | Repurchase
    | Sequences
    | Slim
    | Trend
    | Viewed,
    Field(discriminator="kind"),
]


class SourceConfig(StrictModel):
    """A source: a way to ask a model for items."""

    kind: str
    """One of `MODELS_OF_SOURCE`, or the class of an own source: `module:Class`."""
    model: str = ""
    """The model it asks; an own source has its own."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Of an own source."""
    index: IndexConfig = IndexConfig()
    """How vectors are searched; only for the kind `vectors`."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if is_own(self.kind):
            if self.model:
                message = f"an own source asks no model of the configuration: {self.model!r}"
                raise ValueError(message)
            self.own()
        elif self.kind not in MODELS_OF_SOURCE:
            known = ", ".join(MODELS_OF_SOURCE)
            message = f"kind {self.kind!r} is not one of {known}, and not like 'module:Class'"
            raise ValueError(message)
        elif self.settings:
            message = f"settings are for own sources; the kind {self.kind!r} has its model's"
            raise ValueError(message)
        return self

    def own(self) -> OwnSource:
        """Returns the own source that the kind names, with its settings."""
        return own_source(self.kind, self.settings)


MODELS_OF_SOURCE: Mapping[str, tuple[type[StrictModel], ...]] = {
    "vectors": (Als, Ials, Ppmi),
    "neighbours": (ItemItem, Ease, Content, CustomerNeighbours, GraphFilter, Slim),
    "next-item": (Markov,),
    "sequence": (Sequences,),
    "repurchase": (Repurchase,),
    "popular": (Popularity, Trend),
    "popular-in-segment": (Popularity, Trend),
    "popular-in-category": (Popularity,),
    "rising": (Trend,),
    "new": (Arrivals,),
    "viewed": (Viewed,),
}


class FitConfig(StrictModel):
    """Everything that decides what a bundle is, apart from the data."""

    segment_columns: tuple[str, ...] = ()
    """Customer attributes that make segments, besides the RFM class."""
    models: dict[str, AlgorithmConfig]
    sources: dict[str, SourceConfig]
    placements: dict[str, PlacementConfig]

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        for name, source in self.sources.items():
            if is_own(source.kind):
                if name in self.models:
                    message = f"sources.{name}: an own source cannot have the name of a model"
                    raise ValueError(message)
                continue
            wanted = MODELS_OF_SOURCE[source.kind]
            if not isinstance(self.models.get(source.model), wanted):
                kinds = " or ".join(repr(kind.model_fields["kind"].default) for kind in wanted)
                message = (
                    f"sources.{name}: a source of kind {source.kind!r} needs a model of kind "
                    f"{kinds}; {source.model!r} is none"
                )
                raise ValueError(message)  # noqa: TRY004  # pydantic reports ValueErrors
        for name, placement in self.placements.items():
            checked_name(name, PLACEMENT_BYTES)
            for source_name in placement.asked():
                if source_name not in self.sources:
                    known = ", ".join(self.sources)
                    message = f"placements.{name}: source {source_name!r} is not one of {known}"
                    raise ValueError(message)
                kind = self.sources[source_name].kind
                if placement.answers == "customers" and kind not in BACKWARD_KINDS:
                    message = (
                        f"placements.{name}: source {source_name!r} of kind {kind!r} cannot be "
                        "asked for customers"
                    )
                    raise ValueError(message)
            model = self.models.get(placement.replenishment)
            if placement.replenishment and not isinstance(model, Replenishment):
                message = (
                    f"placements.{name}: replenishment needs a model of kind 'replenishment'; "
                    f"{placement.replenishment!r} is none"
                )
                raise ValueError(message)
        return self

    def algorithms(self) -> dict[str, AlgorithmConfig | OwnSource]:
        """Returns all that is fitted: the models, and own sources by their own names."""
        own = {name: source.own() for name, source in self.sources.items() if is_own(source.kind)}
        return {**self.models, **own}

    def half_lives_days(self) -> tuple[float, ...]:
        """Returns the half-lives that states must keep sums for."""
        wanted = {algorithm.half_life_days for algorithm in self.algorithms().values()} - {None}
        for placement in self.placements.values():
            wanted |= set(placement.ranker.half_lives_days) if placement.ranker else set()
        return tuple(sorted(days for days in wanted if days is not None))


@dataclass(frozen=True, slots=True, eq=False)
class FittedPipeline:
    """All that a recommender is made of."""

    config: FitConfig
    catalogue: Catalogue
    customers: Vocabulary[CustomerId]
    states: CustomerStates
    segments: Segments
    models: Mapping[str, Model]
    indexes: Mapping[str, VectorIndex]
    """By the name of the source that searches it."""
    rankers: Mapping[str, Ranker] = field(default_factory=dict)
    """By placement; not every one that is configured found rows to learn from."""
    attributes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CUSTOMER_SCHEMA))
    """What was given of customers, ordered by `customer_id`: what offers' eligibility asks for."""


def assemble(
    fitted: FittedPipeline, bundle_version: str, log_position: LogPosition | None = None
) -> Recommender:
    """Builds the recommender of a fitted pipeline."""
    resolver = Resolver(
        fitted.customers,
        fitted.states,
        fitted.segments,
        fitted.catalogue,
        Eligibility(fitted.catalogue.frame),
        attributes=fitted.attributes,
    )
    return Recommender(
        bundle_version=bundle_version,
        trained_until=fitted.states.scale.reference_time,
        resolver=resolver,
        sources={name: _source(name, fitted) for name in fitted.config.sources},
        placement_configs=fitted.config.placements,
        rankers=fitted.rankers,
        forecasters={
            name: model
            for name, model in fitted.models.items()
            if isinstance(model, ReplenishmentModel)
        },
        item_table=item_table(fitted.states, fitted.catalogue)
        if fitted.rankers
        else np.zeros((0, 0), dtype=np.float32),
        log_position=log_position,
    )


def _source(name: str, fitted: FittedPipeline) -> CandidateSource:
    config = fitted.config.sources[name]
    if is_own(config.kind):
        return config.own().source(name, fitted.models[name], fitted.catalogue)
    match config.kind, fitted.models[config.model], fitted.config.models[config.model]:
        case "vectors", VectorModel() as model, _:
            return VectorSource(name, model, fitted.indexes[name])
        case (
            "neighbours",
            LinearModel() as model,
            LinearConfig() | Content() | CustomerNeighbours() as algorithm,
        ):
            return NeighbourSource(name, algorithm, model, fitted.catalogue.items)
        case "next-item" | "sequence", MarkovModel() | SequenceModel() as model, _:
            return _ordered_source(name, model, fitted.catalogue)
        case kind, PopularityModel() as model, algorithm if kind.startswith("popular"):
            reason = "rising" if isinstance(algorithm, Trend) else "popular"
            return _popular_source(name, kind, model, fitted, reason)
        case kind, model, _:
            return _plain_source(name, kind, model, fitted.catalogue)


def _plain_source(name: str, kind: str, model: Model, catalogue: Catalogue) -> CandidateSource:
    """Returns a source that needs no more of the configuration than its kind."""
    match kind, model:
        case "repurchase", RepurchaseModel() as model:
            return RepurchaseSource(name, model)
        case "rising", PopularityModel() as model:
            return RisingSource(name, model)
        case "new", ArrivalsModel() as model:
            return NewSource.of(name, model, catalogue)
        case "viewed", ViewedModel() as model:
            return ViewedSource(name, model)
        case _:
            message = f"source {name!r} of kind {kind!r} cannot ask a {type(model).__name__}"
            raise TypeError(message)


def _ordered_source(
    name: str, model: MarkovModel | SequenceModel, catalogue: Catalogue
) -> CandidateSource:
    if isinstance(model, MarkovModel):
        return NextItemSource(name, model, catalogue.items)
    return SequenceSource(name, model, catalogue.items)


def _popular_source(
    name: str, kind: str, model: PopularityModel, fitted: FittedPipeline, reason: str
) -> CandidateSource:
    match kind:
        case "popular-in-segment":
            return SegmentPopularSource(name, model, fitted.segments.labels, reason)
        case "popular-in-category":
            return CategoryPopularSource(name, model, fitted.catalogue)
        case _:
            return PopularSource(name, model, reason)


def save(fitted: FittedPipeline, folder: Path) -> None:
    """Writes a fitted pipeline's files, all but its configuration, into an empty folder."""
    fitted.catalogue.frame.write_parquet(folder / CATALOGUE)
    save_customers(folder, fitted.customers, fitted.states, fitted.segments, fitted.attributes)
    for name, model in fitted.models.items():
        save_arrays(folder / "models" / name, model.arrays())
    for name, ranker in fitted.rankers.items():
        save_arrays(folder / RANKERS / name, ranker.arrays())
    (folder / INDEXES).mkdir()
    for name, index in fitted.indexes.items():
        index.save(folder / INDEXES, name)


def load(folder: Path, manifest: Manifest) -> FittedPipeline:
    """Reads what `save` wrote; arrays are memory-mapped and shared between processes.

    Call it only after the folder's checksums were verified.

    Raises:
        BundleError: a file is missing, or the configuration is not of this release.
    """
    parts = {
        name: manifest.config[name] for name in FitConfig.model_fields if name in manifest.config
    }
    config = validated(FitConfig, parts, where=f"{folder}/manifest.json: config")
    scale = DecayScale(config.half_lives_days(), int(manifest.data["end_time"]))
    return FittedPipeline(
        config=config,
        catalogue=Catalogue.from_frame(pl.read_parquet(folder / CATALOGUE)),
        customers=load_customers(folder),
        states=load_states(folder, scale),
        segments=load_segments(folder),
        attributes=load_attributes(folder),
        models={
            name: algorithm.restore(load_arrays(folder / "models" / name))
            for name, algorithm in config.algorithms().items()
        },
        indexes={
            name: load_index(folder / INDEXES, name)
            for name, source in config.sources.items()
            if source.kind == "vectors"
        },
        rankers=_load_rankers(folder, config, manifest),
    )


def _load_rankers(folder: Path, config: FitConfig, manifest: Manifest) -> dict[str, Ranker]:
    """Reads the rankers; each must know the features that this release would show it.

    Raises:
        BundleError: one was fitted on others.
    """
    rankers: dict[str, Ranker] = {}
    for name, placement in config.placements.items():
        part = folder / RANKERS / name
        if placement.ranker is None or not part.is_dir():
            continue
        ranker = Ranker.restore(placement.ranker, load_arrays(part))
        expected = placement.ranker_features()
        if ranker.names != expected or manifest.features.get(name) != schema_hash(expected):
            other = ", ".join(sorted(set(ranker.names) ^ set(expected))) or "their order or type"
            message = (
                f"{part}: the ranker of {name!r} was fitted on other features than this release "
                f"makes ({other}); fit a new bundle"
            )
            raise BundleError(message, file=str(part), placement=name)
        rankers[name] = ranker
    return rankers


def load_recommender(path: Path) -> Recommender:
    """Verifies a bundle and builds its recommender.

    Raises:
        BundleError: the bundle is damaged, or not of this release; the text names the file.
    """
    manifest = verify(path)
    try:
        return assemble(load(path, manifest), manifest.bundle_version, manifest.log_position())
    except (ConfigError, LookupError, OSError, PolarsError, TypeError, ValueError) as error:
        # The files are as they were written, so what does not fit comes from another release.
        message = f"{path}: is whole, but not a bundle that this release reads: {error}"
        raise BundleError(message, file=str(path)) from error
