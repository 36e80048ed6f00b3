"""Whether a deployment file fits a bundle: what it names must be there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import polars as pl

from recsys.live.deployment import Deployment, Experiment, PlacementChanges
from recsys.live.placement_fit import SourceParts, column_problems, source_problems
from recsys.live.placement_settings import PlacementSettings
from recsys.live.rules import EVERYWHERE, NamedFilter
from recsys.live.rules_fit import filter_problem, rule_problems


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
    columns: Mapping[str, pl.DataType] = field(default_factory=dict)
    """Of the catalogue."""
    backward: frozenset[str] = frozenset()
    """Sources that can be asked for customers."""
    forecasters: frozenset[str] = frozenset()
    """Models that say when an item is needed again."""

    def with_placements(self, placements: Mapping[str, PlacementSettings]) -> "BundleParts":
        """Returns the parts with the placements that a file adds."""
        more = {
            name: PlacementParts(tuple(use.name for use in each.sources), has_ranker=False)
            for name, each in placements.items()
        }
        return replace(self, placements={**more, **self.placements})


class Misfit(NamedTuple):
    """A part of the file that a bundle cannot do."""

    part: str
    """Dotted path of the part as a whole: `experiments.NAME`, `exploration.PLACEMENT`,
    `filters.NAME`, `placements.NAME` or `rules.PLACEMENT.NAME`."""
    problem: str
    """One sentence, with the path within the part."""
    within: tuple[str, ...] = ()
    """Path of what is wrong within the part, where it is known."""

    @property
    def path(self) -> tuple[str, ...]:
        """Returns the path of what is wrong in the file."""
        return (*self.part.split("."), *self.within)


def misfits(deployment: Deployment, bundle: BundleParts) -> list[Misfit]:
    """Returns everything that the file names and the current bundle does not have."""
    added = list(_of_placements(deployment, bundle))
    bundle = bundle.with_placements(deployment.placements)
    return [
        *added,
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
        *_of_rules(deployment, bundle),
    ]


def without(deployment: Deployment, left_out: list[Misfit]) -> Deployment:
    """Returns the file without the parts that do not fit."""
    parts = {misfit.part for misfit in left_out}
    kept: dict[str, object] = {
        field: {
            name: part
            for name, part in getattr(deployment, field).items()
            if f"{field}.{name}" not in parts
        }
        for field in ("experiments", "exploration", "filters", "placements")
    }
    kept["rules"] = {
        placement: {
            name: rule for name, rule in rules.items() if f"rules.{placement}.{name}" not in parts
        }
        for placement, rules in deployment.rules.items()
    }
    return deployment.model_copy(update=kept)


def placement_problems(
    settings: PlacementSettings, bundle: BundleParts
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields where within a placement something is wrong, and what."""
    parts = SourceParts(bundle.sources, bundle.backward, bundle.forecasters)
    yield from source_problems(settings, parts)
    yield from column_problems(settings, bundle.columns)


def _of_placements(deployment: Deployment, bundle: BundleParts) -> Iterator[Misfit]:
    for name, settings in deployment.placements.items():
        part = f"placements.{name}"
        if name in bundle.placements:
            yield Misfit(part, "is the bundle's own; an arm of an experiment may change it")
        for within, problem in placement_problems(settings, bundle):
            yield Misfit(part, problem, within)


def rules_fit(deployment: Deployment, placements: Iterable[str], bundle: BundleParts) -> bool:
    """Says whether all rules of some placements fit a bundle's catalogue."""
    found = list(_of_rules(deployment, bundle))
    concerned = {"filters", *(f"rules.{name}" for name in (EVERYWHERE, *placements))}
    return not any(misfit.part.rpartition(".")[0] in concerned for misfit in found)


def _of_rules(deployment: Deployment, bundle: BundleParts) -> Iterator[Misfit]:
    fitting: dict[str, NamedFilter] = {}
    for name, named in deployment.filters.items():
        problem = filter_problem(named, bundle.columns)
        if problem is None:
            fitting[name] = named
        else:
            yield Misfit(f"filters.{name}", problem, ("sql",))
    for placement, rules in deployment.rules.items():
        missing = [] if placement == EVERYWHERE else list(_missing([placement], bundle))
        for name, rule in rules.items():
            part = f"rules.{placement}.{name}"
            for problem in missing:
                yield Misfit(part, problem)
            for within, problem in rule_problems(rule, fitting, bundle.columns):
                yield Misfit(part, problem, within)


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
