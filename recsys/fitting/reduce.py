"""Configurations cut down to what some placements use."""

from collections.abc import Sequence

from recsys.assembly import FitConfig


def needed(config: FitConfig, placements: Sequence[str] | None = None) -> FitConfig:
    """Returns the configuration without what no placement uses.

    Args:
        config: what to reduce.
        placements: those to keep; default: all.
    """
    kept = {
        name: placement
        for name, placement in config.placements.items()
        if placements is None or name in placements
    }
    asked: set[str] = set()
    for placement in kept.values():
        asked |= set(placement.asked())
    sources = {name: source for name, source in config.sources.items() if name in asked}
    wanted = {source.model for source in sources.values()}
    wanted |= {placement.replenishment for placement in kept.values()}
    models = {name: model for name, model in config.models.items() if name in wanted}
    return FitConfig(
        segment_columns=config.segment_columns,
        models=models,
        sources=sources,
        placements=kept,
    )
