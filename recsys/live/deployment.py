"""The deployment file: what a shop changes about a running server without fitting anew.

It says which experiments run, where lists explore and by which rules they are made. It names
things of a bundle, and a bundle may come or go while the file stays, so what it names is checked
against bundles in `recsys.live.fit_to_bundle`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from recsys.config import StrictModel, read_toml_file, validated
from recsys.errors import ConfigError
from recsys.live.attribution import (
    ARM_BYTES,
    BUNDLE_BYTES,
    EXPERIMENT_BYTES,
    PLACEMENT_BYTES,
)
from recsys.live.contact_limits import ContactLimits
from recsys.live.placement_settings import PlacementSettings
from recsys.live.rule_checks import contradictions
from recsys.live.rules import EVERYWHERE, NamedFilter, Rule, RuleName, RuleSet
from recsys.toml_lines import TomlLines

HOLD_OUT = "hold-out"
"""The arm of those whom an experiment leaves out; no arm may have this name."""
MAX_ARM_BUNDLES = 4
"""Bundles that a file may name: each is held in memory beside the current one."""

# Names travel in every attribution token, so they are short and plain.
_PLAIN = r"^[a-z0-9][a-z0-9_-]*$"
ExperimentName = Annotated[str, StringConstraints(pattern=_PLAIN, max_length=EXPERIMENT_BYTES)]
ArmName = Annotated[str, StringConstraints(pattern=_PLAIN, max_length=ARM_BYTES)]
PlacementName = Annotated[str, StringConstraints(pattern=_PLAIN, max_length=PLACEMENT_BYTES)]
BundleVersion = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]*$", max_length=BUNDLE_BYTES)
]


class SourceWeight(StrictModel):
    """One source's part in a placement."""

    name: str
    """A source of the bundle."""
    weight: float = Field(gt=0, allow_inf_nan=False)
    """Multiplies the source's normalised score."""


class PlacementChanges(StrictModel):
    """What an arm does otherwise than the bundle's own configuration of a placement."""

    sources: tuple[SourceWeight, ...] | None = Field(default=None, min_length=1)
    """Blended in place of the bundle's. Other names need `ranker = false` where the bundle has a
    ranker: it was fitted on the shares of its own sources."""
    fill: tuple[str, ...] | None = None
    """Sources asked while the list is short, in place of the bundle's."""
    boost: bool = True
    """False: without the bundle's boost."""
    ranker: bool = True
    """False: in the blend's order, without the bundle's ranker."""
    exploration: bool = True
    """False: without the placement's exploration, to measure what that costs."""
    rules: bool = True
    """False: without the placement's rules, to measure what they cost."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        blended = [use.name for use in self.sources or ()]
        if len(set(blended)) < len(blended):
            message = "sources: one of them stands twice"
            raise ValueError(message)
        if self == PlacementChanges.model_construct():
            message = "changes nothing; an arm without any change is the control"
            raise ValueError(message)
        return self


class Arm(StrictModel):
    """One way to answer; an arm with neither a bundle nor changes is the control."""

    weight: float = Field(default=1.0, ge=0, le=1e6)
    """Its part of the sum of all arms' weights is its share of those not held out."""
    bundle: BundleVersion | None = None
    """The version that answers, in place of the current one."""
    placements: dict[str, PlacementChanges] = Field(default_factory=dict)
    """Laid over the current bundle's configuration."""

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if self.bundle and self.placements:
            message = "has a bundle and changes of placements: nobody could say which one worked"
            raise ValueError(message)
        return self

    @property
    def is_control(self) -> bool:
        """Whether it answers as if there were no experiment."""
        return not (self.bundle or self.placements)


class Experiment(StrictModel):
    """Ways to answer some placements, compared on customers who are drawn to them."""

    placements: tuple[str, ...] = Field(min_length=1)
    """Which lists it is about; all others are as ever."""
    arms: dict[ArmName, Arm] = Field(min_length=1)
    hold_out: float = Field(default=0.0, ge=0, lt=1)
    """Share of customers in no arm: answered as by the control, and named `HOLD_OUT`."""
    start_time: AwareDatetime | None = None
    """First moment; none: since the file is there."""
    end_time: AwareDatetime | None = None
    """First moment after it; none: until it leaves the file."""

    @model_validator(mode="after")
    def _can_compare(self) -> Self:
        if HOLD_OUT in self.arms:
            message = f"arms: {HOLD_OUT!r} is the name of those in no arm; set hold_out"
            raise ValueError(message)
        weighted = sum(arm.weight > 0 for arm in self.arms.values())
        if weighted + (self.hold_out > 0) < 2 or weighted == 0:  # noqa: PLR2004  compare what?
            message = "arms: needs two with a weight above 0, or one and a hold_out"
            raise ValueError(message)
        for name, arm in self.arms.items():
            if foreign := arm.placements.keys() - set(self.placements):
                message = f"arms.{name}: the experiment is not about {min(foreign)!r}"
                raise ValueError(message)
        if self.start_time and self.end_time and self.start_time >= self.end_time:
            message = "end_time: is not after start_time"
            raise ValueError(message)
        return self

    def runs_at(self, time: int) -> bool:
        """Says whether a query of this time, Unix seconds, belongs to it."""
        begun = self.start_time is None or self.start_time.timestamp() <= time
        return begun and not self.ended_by(time)

    def ended_by(self, time: float) -> bool:
        """Says whether it has ended at a time, Unix seconds."""
        return self.end_time is not None and self.end_time.timestamp() <= time


class Exploration(StrictModel):
    """One place of a placement's lists, drawn with known probabilities."""

    place_from_end: int = Field(default=1, ge=1, le=500)
    """1: the last place of the list. The first place of a list that is shorter."""
    temperature: float = Field(default=0.2, ge=0.01, le=100)
    """Of the softmax over scores as parts of the best candidate's: small draws nearly always the
    best, large all alike."""
    candidates: int = Field(default=50, ge=2, le=1_000)
    """Best items outside the list that are drawn from."""
    new_item_days: float | None = Field(default=None, gt=0, le=3_650)
    """Items that came into the catalogue within so many days are drawn from as well, the newest
    `candidates` of them, whether or not a source knows them; none: no such favour."""
    new_item_boost: float = Field(default=0.0, ge=0, le=50)
    """Added to a new item's logit: 1 makes it 2.7 times as likely."""

    @model_validator(mode="after")
    def _boosts_something(self) -> Self:
        if self.new_item_boost and self.new_item_days is None:
            message = "new_item_boost: needs new_item_days, which says what is new"
            raise ValueError(message)
        return self


class Deployment(StrictModel):
    """Everything that the file says; an empty one changes nothing."""

    experiments: dict[ExperimentName, Experiment] = Field(default_factory=dict)
    exploration: dict[str, Exploration] = Field(default_factory=dict)
    """By placement; the others do not explore."""
    filters: dict[RuleName, NamedFilter] = Field(default_factory=dict)
    """Filters that requests and rules use by name."""
    rules: dict[str, dict[RuleName, Rule]] = Field(default_factory=dict)
    """By placement, or `EVERYWHERE`, and then by name."""

    placements: dict[PlacementName, PlacementSettings] = Field(default_factory=dict)
    """Placements beside the bundle's, made of its sources."""
    contacts: ContactLimits = ContactLimits()
    """What holds for all offers."""

    @model_validator(mode="after")
    def _no_two_at_once(self) -> Self:
        for (first, one), (second, other) in combinations(self.experiments.items(), 2):
            shared = set(one.placements) & set(other.placements)
            if shared and _overlap(one, other):
                message = (
                    f"experiments.{second}: placement {min(shared)!r} is part of "
                    f"experiments.{first} at the same time"
                )
                raise ValueError(message)
        if len(self.bundles()) > MAX_ARM_BUNDLES:
            message = f"experiments: name more than {MAX_ARM_BUNDLES} bundles"
            raise ValueError(message)
        return self

    def rule_set(self, placement: str) -> RuleSet | None:
        """Returns the rules of a placement, and the filters; None: there are neither."""
        rules = {**self.rules.get(EVERYWHERE, {}), **self.rules.get(placement, {})}
        return RuleSet(rules, self.filters) if rules or self.filters else None

    def bundles(self, time: float | None = None) -> frozenset[str]:
        """Returns the versions that arms name; with a time, those of arms that may still answer.

        Args:
            time: Unix seconds: experiments that ended by then do not count.
        """
        return frozenset(
            arm.bundle
            for experiment in self.experiments.values()
            if time is None or not experiment.ended_by(time)
            for arm in experiment.arms.values()
            if arm.bundle
        )


class DeploymentText(NamedTuple):
    """A deployment file that was read."""

    deployment: Deployment
    lines: TomlLines
    """Where its parts stand, for what else is found wrong with it."""


def read_deployment(path: Path) -> Deployment:
    """Reads a deployment file.

    Raises:
        ConfigError: it is missing, not TOML, or says something wrong; one line for each thing
            wrong, with the file's line and its dotted path.
    """
    return read_deployment_text(path).deployment


def read_deployment_text(path: Path) -> DeploymentText:
    """Reads a deployment file, and where its parts stand.

    Raises:
        ConfigError: as `read_deployment`.
    """
    values, lines = read_toml_file(path)
    deployment = validated(Deployment, values, where=str(path), lines=lines)
    refuse(path, lines, contradictions(deployment.rules, deployment.filters))
    return DeploymentText(deployment, lines)


def refuse(path: Path, lines: TomlLines, found: Iterable[tuple[Sequence[str], str]]) -> None:
    """Refuses a file of which something is wrong.

    Args:
        path: of the file.
        lines: of the same.
        found: the path of each part that is wrong, and why.

    Raises:
        ConfigError: anything was found; one line for each.
    """
    told = [f"{lines.place(str(path), part)}: {'.'.join(part)}: {why}" for part, why in found]
    if told:
        raise ConfigError("\n".join(told), file=str(path))


def _overlap(one: Experiment, other: Experiment) -> bool:
    return _before(one.start_time, other.end_time) and _before(other.start_time, one.end_time)


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end
