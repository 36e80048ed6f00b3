"""Everything that decides what a bundle is, apart from the data: models, sources, placements."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from recsys.config import StrictModel
from recsys.index.config import IndexConfig
from recsys.live.attribution import PLACEMENT_BYTES, checked_name
from recsys.models.als import Als
from recsys.models.arrivals import Arrivals
from recsys.models.content import Content
from recsys.models.customer_neighbours import CustomerNeighbours
from recsys.models.ease import Ease
from recsys.models.graph_filter import GraphFilter
from recsys.models.ials import Ials
from recsys.models.item_item import ItemItem
from recsys.models.markov import Markov
from recsys.models.popularity import Popularity
from recsys.models.ppmi import Ppmi
from recsys.models.replenishment import Replenishment
from recsys.models.repurchase import Repurchase
from recsys.models.sequence import Sequences
from recsys.models.slim import Slim
from recsys.models.trend import Trend
from recsys.models.viewed import Viewed
from recsys.pipeline.own_source import OwnSource, is_own, own_source
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.worth import BACKWARD_KINDS

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
