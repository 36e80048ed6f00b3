"""Who answers a query: what the deployment file makes of the bundles that are at hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from recsys.live.deployment import Deployment, Experiment, Exploration, PlacementChanges
from recsys.live.experiments import arm_of, note_of
from recsys.live.fit_to_bundle import (
    BundleParts,
    Misfit,
    PlacementParts,
    misfits,
    missing_placements,
    placement_problems,
    rules_fit,
    without,
)
from recsys.live.placement_settings import PlacementSettings
from recsys.live.rules import RuleSet
from recsys.pipeline.learned_source import can_be_asked_backwards
from recsys.pipeline.placements import PlacementConfig, SourceUse
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.impressions import ExperimentNote

NOT_LOADED = "not loaded"
"""Problem of an arm whose bundle is not at hand, or not yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Who answers one query, and how."""

    recommender: Recommender
    experiment: ExperimentNote | None = None
    """None: the answer is part of none."""
    arm: str = ""
    """Empty without an experiment."""
    exploration: Exploration | None = None
    rules: RuleSet | None = None

    def asked(self, query: Query, seed: str) -> Query:
        """Returns a query with all that the file says of its answer.

        Args:
            query: as the caller asked.
            seed: of what is drawn.
        """
        if self.exploration is not None:
            query = replace(query, exploration=self.exploration, seed=seed)
        return query if self.rules is None else replace(query, rules=self.rules)


class LostArm(NamedTuple):
    """An arm that cannot answer; the control does, and its customers are not counted."""

    experiment: str
    arm: str
    bundle_version: str
    problem: str


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Answers who answers; immutable, and safe to share between threads."""

    control: Recommender
    """Of the current bundle, as it is, with the placements that the file adds."""
    deployment: Deployment
    """The parts of the file that fit it."""
    arms: Mapping[tuple[str, str], Recommender]
    """By experiment and arm: those that answer otherwise than the control."""
    notes: Mapping[str, ExperimentNote] = field(default_factory=dict)
    """By experiment."""
    left_out: tuple[Misfit, ...] = ()
    """Parts of the file that do not fit the current bundle."""
    lost: tuple[LostArm, ...] = ()
    rules: Mapping[str, RuleSet] = field(default_factory=dict)
    """By placement: those that have any."""

    @property
    def recommenders(self) -> tuple[Recommender, ...]:
        """Returns everybody who may answer, the control first."""
        return (self.control, *self.arms.values())

    def without_experiments(self) -> "Arrangement":
        """Returns the same with the control for everybody."""
        plain = self.deployment.model_copy(update={"experiments": {}})
        return Arrangement(self.control, plain, {}, rules=self.rules)

    def choose(self, query: Query) -> Choice:
        """Returns who answers a query.

        A query for nobody in particular is part of no experiment: there is nothing to know them
        by the next time.
        """
        plain = Choice(
            self.control,
            exploration=self.deployment.exploration.get(query.placement),
            rules=self.rules.get(query.placement),
        )
        if query.customer_id is not None:
            for name, experiment in self.deployment.experiments.items():
                if query.placement in experiment.placements and experiment.runs_at(
                    query.query_time
                ):
                    return self._in_experiment(name, experiment, query, plain)
        return plain

    def _in_experiment(
        self, name: str, experiment: Experiment, query: Query, plain: Choice
    ) -> Choice:
        arm = arm_of(name, experiment, str(query.customer_id))
        settings = experiment.arms.get(arm)
        if settings is None or settings.is_control:
            return replace(plain, experiment=self.notes[name], arm=arm)
        recommender = self.arms.get((name, arm))
        if recommender is None:
            return plain
        chosen = replace(plain, recommender=recommender, experiment=self.notes[name], arm=arm)
        changes = settings.placements.get(query.placement)
        if changes is not None and not changes.exploration:
            chosen = replace(chosen, exploration=None)
        if changes is not None and not changes.rules and chosen.rules is not None:
            # Filters that requests name stay.
            chosen = replace(chosen, rules=RuleSet({}, chosen.rules.filters))
        return chosen


def arrange(
    deployment: Deployment, control: Recommender, bundles: Mapping[str, Recommender]
) -> Arrangement:
    """Puts together what the file says and the bundles that are there.

    Args:
        deployment: of the file; its parts that do not fit the current bundle are left out.
        control: of the current bundle.
        bundles: by version; arms of other versions are lost.
    """
    if deployment == Deployment():
        return Arrangement(control, deployment, {})
    left_out = misfits(deployment, parts_of(control))
    fitting = without(deployment, left_out)
    control = with_placements(control, fitting.placements)
    arms: dict[tuple[str, str], Recommender] = {}
    lost: list[LostArm] = []
    for name, experiment in fitting.experiments.items():
        for arm, settings in experiment.arms.items():
            if settings.bundle is None:
                if settings.placements:
                    arms[name, arm] = with_changes(control, settings.placements)
                continue
            found = bundles.get(settings.bundle)
            if found is not None:
                found = with_placements(found, fitting.placements)
            missing = _lacks(fitting, experiment, found) if found else [NOT_LOADED]
            if found is None or missing:
                lost.append(LostArm(name, arm, settings.bundle, missing[0]))
            else:
                arms[name, arm] = found
    notes = {name: note_of(name, each) for name, each in fitting.experiments.items()}
    rules = {
        name: rule_set
        for name in control.placement_configs
        if (rule_set := fitting.rule_set(name)) is not None
    }
    return Arrangement(control, fitting, arms, notes, tuple(left_out), tuple(lost), rules)


def _lacks(deployment: Deployment, experiment: Experiment, found: Recommender) -> list[str]:
    """Returns what the bundle of an arm cannot do of its experiment."""
    parts = parts_of(found)
    missing = missing_placements(experiment, parts)
    if not (missing or rules_fit(deployment, experiment.placements, parts)):
        return ["rules of its placements do not fit its catalogue"]
    return missing


def parts_of(recommender: Recommender) -> BundleParts:
    """Returns what a deployment file may name of a recommender's bundle."""
    return BundleParts(
        frozenset(recommender.sources),
        {
            name: PlacementParts(
                tuple(use.name for use in config.sources), name in recommender.rankers
            )
            for name, config in recommender.placement_configs.items()
        },
        recommender.catalogue.frame.drop("markets").schema,
        backward=frozenset(
            name for name, source in recommender.sources.items() if can_be_asked_backwards(source)
        ),
        forecasters=frozenset(recommender.forecasters),
    )


def with_placements(
    recommender: Recommender, placements: Mapping[str, PlacementSettings]
) -> Recommender:
    """Returns the recommender with more placements, those of them that its bundle can have."""
    parts = parts_of(recommender)
    more = {
        name: PlacementConfig.model_validate(settings.model_dump())
        for name, settings in placements.items()
        if name not in parts.placements and not any(placement_problems(settings, parts))
    }
    if not more:
        return recommender
    return replace(recommender, placement_configs={**recommender.placement_configs, **more})


def with_changes(recommender: Recommender, changes: Mapping[str, PlacementChanges]) -> Recommender:
    """Returns the recommender with other placements, over the same models and indexes."""
    configs = dict(recommender.placement_configs)
    configs |= {name: _changed(configs[name], each) for name, each in changes.items()}
    rankers = {
        name: ranker
        for name, ranker in recommender.rankers.items()
        if name not in changes or changes[name].ranker
    }
    return replace(recommender, placement_configs=configs, rankers=rankers)


def _changed(config: PlacementConfig, changes: PlacementChanges) -> PlacementConfig:
    update: dict[str, object] = {}
    if changes.sources is not None:
        update["sources"] = tuple(
            SourceUse(name=use.name, weight=use.weight) for use in changes.sources
        )
    if changes.fill is not None:
        update["fill"] = changes.fill
    if not changes.boost:
        update["boost"] = None
    if not changes.ranker:
        update["ranker"] = None
    return config.model_copy(update=update)
