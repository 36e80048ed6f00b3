"""Writes chosen blends into a configuration, and leaves everything else as it was."""

from collections.abc import Iterator, Mapping
from itertools import count

from recsys.assembly import FitConfig
from recsys.choice.gather import Variant
from recsys.choice.search import Blend
from recsys.fitting.reduce import needed
from recsys.pipeline.placements import Boost, SourceUse


def settled(
    base: FitConfig, blends: Mapping[str, Blend], variants: Mapping[str, Variant]
) -> FitConfig:
    """Returns the configuration with these blends; what no placement uses any more is left out.

    What other placements use stays as it is. A variant is called by its family's name where it is
    the only one of its family and the name is free.
    """
    names = _names(base, blends, variants)
    fresh = {name: variant for variant, name in names.items() if name not in _kept(base, blends)}
    models = dict(base.models) | {name: variants[key].algorithm for name, key in fresh.items()}
    sources = dict(base.sources) | {
        name: variants[key].source.model_copy(update={"model": name})
        for name, key in fresh.items()
    }
    placements = dict(base.placements)
    for placement, blend in blends.items():
        scale = max(blend.weights.values())
        placements[placement] = placements[placement].model_copy(
            update={
                "sources": tuple(
                    SourceUse(name=names[name], weight=float(f"{weight / scale:.4g}"))
                    for name, weight in sorted(blend.weights.items(), key=lambda pair: -pair[1])
                ),
                "boost": Boost(name=names[blend.boost[0]], power=blend.boost[1])
                if blend.boost
                else None,
            }
        )
    return needed(
        base.model_copy(update={"models": models, "sources": sources, "placements": placements})
    )


def _kept(base: FitConfig, blends: Mapping[str, Blend]) -> set[str]:
    """Returns the base's sources that are still asked when these placements have new blends."""
    kept: set[str] = set()
    for name, placement in base.placements.items():
        kept |= set(placement.fill) | ({placement.within} if placement.within else set())
        if name not in blends:
            kept |= {use.name for use in placement.sources}
            kept |= {placement.boost.name} if placement.boost else set()
    return kept


def _names(
    base: FitConfig, blends: Mapping[str, Blend], variants: Mapping[str, Variant]
) -> dict[str, str]:
    """Returns what each used variant is called: as the base does where it has the very same."""
    kept = _kept(base, blends)
    taken = kept | {base.sources[name].model for name in kept}
    used = sorted(set().union(*(blend.sources() for blend in blends.values())))
    families = [variants[name].family for name in used]
    names: dict[str, str] = {}
    for name, family in zip(used, families, strict=True):
        variant = variants[name]
        same = [
            other
            for other in sorted(kept)
            if base.models.get(base.sources[other].model) == variant.algorithm
            and base.sources[other].model_copy(update={"model": name}) == variant.source
        ]
        wanted = family if families.count(family) == 1 else name
        free = (call for call in _calls(wanted, name) if call not in taken)
        names[name] = same[0] if same else next(free)
        taken.add(names[name])
    return names


def _calls(*wanted: str) -> Iterator[str]:
    """Yields names to call something by, the nicest first, without end."""
    yield from wanted
    for number in count(2):
        yield f"{wanted[-1]}-chosen-{number}"
