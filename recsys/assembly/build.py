"""From a fitted pipeline to the recommender that answers."""

import numpy as np

from recsys.assembly.fitted import FittedPipeline
from recsys.assembly.sources import source_of
from recsys.live.eligibility import Eligibility
from recsys.models.replenishment_model import ReplenishmentModel
from recsys.pipeline.features import item_table
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.resolve import Resolver
from recsys.types import LogPosition


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
        sources={name: source_of(name, fitted) for name in fitted.config.sources},
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
