"""Configurations in short, written out."""

from typing import Any

from evaluation.benchmark.definitions import SimpleList
from recsys.assembly import FitConfig
from recsys.config import validated

PLACEMENTS = {"for_you": "nothing", "discover": "bought"}
"""By placement: what it excludes by itself."""
FILL = "fill"


def configuration(name: str, simple: SimpleList) -> FitConfig:
    """Returns the configuration that a simple list stands for.

    Raises:
        ConfigError: one of its models or sources is wrong.
    """
    models: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    uses: list[dict[str, Any]] = []
    for number, part in enumerate(simple.parts):
        key = f"{part.source}-{number}"
        models[key] = dict(part.model)
        sources[key] = {"kind": part.source, "model": key}
        uses.append({"name": key, "weight": part.weight})
    placement: dict[str, Any] = {"sources": uses, "candidates": 1_000}
    if simple.boost:
        models["boost"] = dict(simple.boost.model)
        sources["boost"] = {"kind": "popular", "model": "boost"}
        placement["boost"] = {"name": "boost", "power": simple.boost.power}
    if simple.fill:
        models[FILL] = dict(simple.fill)
        sources[FILL] = {"kind": "popular", "model": FILL}
        placement["fill"] = [FILL]
    placements = {place: {**placement, "exclude": what} for place, what in PLACEMENTS.items()}
    return validated(
        FitConfig,
        {"models": models, "sources": sources, "placements": placements},
        where=f"benchmarks.toml: lists.{name}",
    )
