"""Whether a deployment file fits a bundle: what it names must be there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from recsys.live.deployment import Deployment, Experiment, PlacementChanges


@dataclass(frozen=True, slots=True)
class PlacementParts:
    """What a bundle has of one placement, as far as a file may speak of it."""

    sources: tuple[str, ...]
    """Blended ones."""
    has_ranker: bool


@dataclass(frozen=True, slots=True)
class BundleParts:
    """What a bundle has, as far as a file may speak of it."""

    sources: frozenset[str]
    placements: Mapping[str, PlacementParts]


class Misfit(NamedTuple):
    """A part of the file that a bundle cannot do."""

    part: str
    """Dotted path of the part as a whole: `experiments.NAME` or `exploration.PLACEMENT`."""
    problem: str
    """One sentence, with the path within the part."""


def misfits(deployment: Deployment, bundle: BundleParts) -> list[Misfit]:
    """Returns everything that the file names and the current bundle does not have."""
    return [
        *(
            Misfit(f"experiments.{name}", problem)
            for name, experiment in deployment.experiments.items()
            for problem in _of_experiment(experiment, bundle)
        ),
        *(
            Misfit(f"exploration.{placement}", problem)
            for placement in deployment.exploration
            for problem in _missing([placement], bundle)
        ),
    ]


def without(deployment: Deployment, left_out: list[Misfit]) -> Deployment:
    """Returns the file without the parts that do not fit."""
    parts = {misfit.part for misfit in left_out}
    return deployment.model_copy(
        update={
            field: {
                name: part
                for name, part in getattr(deployment, field).items()
                if f"{field}.{name}" not in parts
            }
            for field in ("experiments", "exploration")
        }
    )


def missing_placements(experiment: Experiment, bundle: BundleParts) -> list[str]:
    """Returns a sentence for each of its placements that a bundle does not have."""
    return list(_missing(experiment.placements, bundle))


def _of_experiment(experiment: Experiment, bundle: BundleParts) -> Iterator[str]:
    yield from _missing(experiment.placements, bundle)
    for name, arm in experiment.arms.items():
        for placement, changes in arm.placements.items():
            if placement in bundle.placements:
                for problem in _of_changes(changes, bundle, bundle.placements[placement]):
                    yield f"arms.{name}.placements.{placement}: {problem}"


def _of_changes(
    changes: PlacementChanges, bundle: BundleParts, own: PlacementParts
) -> Iterator[str]:
    blended = [use.name for use in changes.sources or ()]
    for source in (*blended, *(changes.fill or ())):
        if source not in bundle.sources:
            known = ", ".join(sorted(bundle.sources))
            yield f"source {source!r} is not one of the bundle's {known}"
    if own.has_ranker and changes.ranker and blended and tuple(blended) != own.sources:
        names = ", ".join(own.sources)
        yield f"the bundle's ranker knows the sources {names} in this order; set ranker = false"


def _missing(placements: tuple[str, ...] | list[str], bundle: BundleParts) -> Iterator[str]:
    for placement in placements:
        if placement not in bundle.placements:
            known = ", ".join(bundle.placements)
            yield f"placement {placement!r} is not one of the bundle's {known}"
