"""How a fitted model is asked for items: the source of each kind."""

from recsys.assembly.fitted import FittedPipeline
from recsys.data.catalogue import Catalogue
from recsys.models.arrivals import ArrivalsModel
from recsys.models.content import Content
from recsys.models.customer_neighbours import CustomerNeighbours
from recsys.models.linear import LinearConfig, LinearModel
from recsys.models.markov import MarkovModel
from recsys.models.popularity import PopularityModel
from recsys.models.protocol import Model
from recsys.models.repurchase import RepurchaseModel
from recsys.models.sequence import SequenceModel
from recsys.models.trend import Trend
from recsys.models.vectors import VectorModel
from recsys.models.viewed import ViewedModel
from recsys.pipeline.own_source import is_own
from recsys.pipeline.popular_sources import (
    CategoryPopularSource,
    PopularSource,
    SegmentPopularSource,
)
from recsys.pipeline.sequence_sources import NextItemSource, SequenceSource
from recsys.pipeline.shop_sources import NewSource, RisingSource
from recsys.pipeline.source import CandidateSource
from recsys.pipeline.sources import NeighbourSource, RepurchaseSource, VectorSource
from recsys.pipeline.viewed_source import ViewedSource


def source_of(name: str, fitted: FittedPipeline) -> CandidateSource:
    """Returns the source of this name, as the configuration says."""
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
