"""Says what placements there are, and what each of them is."""

from dataclasses import dataclass

from recsys.live.placement_settings import Answers, SourceUse
from recsys.pipeline.learned_source import LearnedSource
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.popular_sources import PopularSource
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.source import CandidateSource


@dataclass(frozen=True, slots=True)
class PlacementListing:
    """What a placement is."""

    name: str
    description: str
    answers: Answers
    uses_context: bool
    """Whether it starts from context items."""
    sources: tuple[SourceUse, ...]
    ranked: bool
    """Whether a ranker orders what the sources give."""
    fill: tuple[str, ...]
    may_be_short: bool
    """Whether a list may be short, or empty, although the shop has more items to show."""


def placement_listings(recommender: Recommender) -> tuple[PlacementListing, ...]:
    """Returns all placements, in the configuration's order."""
    return tuple(
        PlacementListing(
            name=name,
            description=config.description,
            answers=config.answers,
            uses_context=config.seeds == "context" or config.answers == "customers",
            sources=config.sources,
            ranked=name in recommender.rankers,
            fill=config.fill,
            may_be_short=_may_be_short(recommender, config),
        )
        for name, config in recommender.placement_configs.items()
    )


def _may_be_short(recommender: Recommender, config: PlacementConfig) -> bool:
    if config.answers == "customers":
        return False
    asked = [use.name for use in config.sources] if not config.rotation_weeks else []
    everything = any(
        _ranks_everything(recommender.sources[name])
        for name in (*config.fill, *(() if config.within else asked))
    )
    return not everything or config.only_bought or bool(config.filter)


def _ranks_everything(source: CandidateSource) -> bool:
    inner = source.source if isinstance(source, LearnedSource) else source
    return isinstance(inner, PopularSource)
