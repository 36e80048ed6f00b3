"""What each benchmark is: its data, protocol, lists to compare, and what others printed."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from recsys.config import StrictModel, validated
from recsys.errors import ConfigError
from recsys.protocols.mask import Mask
from recsys.protocols.single import ProtocolName

ALL = "all"


class Environment(StrictModel):
    """Where another library lives: a virtual environment that nothing else is installed in."""

    steps: tuple[tuple[str, ...], ...] = Field(min_length=1)
    """Requirements with exact versions, installed one group after the other."""


class Peer(StrictModel):
    """A model of another library, and the same model of ours."""

    environment: str
    """An environment, or `own`."""
    program: str
    """A module of `evaluation.benchmark.peers`."""
    options: Mapping[str, Any] = {}
    """What the program is told."""
    learns_from: Literal["purchases", "all"] = "purchases"
    """Which events make a pair of customer and item."""
    ours: str
    """The list, by name, that it is compared with."""


class ListPart(StrictModel):
    """One model of a simple list, and the kind of source that asks it."""

    source: str
    model: Mapping[str, Any]
    weight: float = Field(default=1.0, gt=0)


class ListBoost(StrictModel):
    """A model that multiplies a simple list."""

    model: Mapping[str, Any]
    power: float


class SimpleList(StrictModel):
    """A configuration in short: the same parts for every placement."""

    parts: tuple[ListPart, ...] = Field(min_length=1)
    boost: ListBoost | None = None
    fill: Mapping[str, Any] | None = None
    """A popularity model that makes short lists full."""


class Printed(StrictModel):
    """A row that others printed, or that an independent evaluator computed on these files."""

    name: str
    by: Literal["P", "C"]
    """P: published; C: computed on exactly these files by an independent evaluator."""
    figures: Mapping[str, float]
    """By metric, at the table's k."""


class Table(StrictModel):
    """One table: what is asked, how it is judged, and what is known of others."""

    placement: str
    title: str
    k: int = Field(ge=1)
    metrics: tuple[str, ...] = Field(min_length=1)
    judged_by: str
    """The metric that decides which baseline is the best."""
    must: Mapping[str, float] = {}
    aim: Mapping[str, float] = {}
    printed: tuple[Printed, ...] = ()

    @model_validator(mode="after")
    def _metrics_are_known(self) -> Self:
        named = {self.judged_by, *self.must, *self.aim}
        named |= {metric for row in self.printed for metric in row.figures}
        if unknown := named - set(self.metrics):
            message = f"{min(unknown)!r} is not one of the metrics of the table"
            raise ValueError(message)
        return self


class Benchmark(StrictModel):
    """One data set with its protocol."""

    about: str
    prepare: tuple[str, ...] | None = None
    """Words for `recsys prepare`; `{data}` is the folder of evaluation data."""
    train: str | None = None
    """A file of the evaluation data that others have split; with `test`."""
    test: str | None = None
    log: str | None = None
    """A file of the evaluation data that `protocol` splits."""
    protocol: ProtocolName = ProtocolName.TEMPORAL
    cutoff: datetime | None = None
    min_item_events: int = 0
    mask: Mask | None = None
    tuned: str | None = None
    """A committed configuration, besides the one that is chosen."""
    must_bind: Literal["default", "tuned"] = "default"
    """Which of ours the must figures are for."""
    bought_only: bool = False
    """Also chooses and fits by purchases alone, to say what the other events are worth."""
    baselines: tuple[str, ...] = ()
    """Lists, by name."""
    peers: tuple[str, ...] = ()
    """Models of other libraries, by name."""
    tables: tuple[Table, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [self.prepare is not None, self.log is not None, self.train is not None]
        if sum(given) != 1 or (self.train is None) != (self.test is None):
            message = "needs one of prepare, log, and train with test"
            raise ValueError(message)
        return self


class Benchmarks(StrictModel):
    """The whole file."""

    environments: Mapping[str, Environment]
    lists: Mapping[str, SimpleList]
    peers: Mapping[str, Peer]
    sets: Mapping[str, Benchmark]

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        sets = self.sets.values()
        wanted: list[tuple[str, Mapping[str, Any]]] = [
            (name, self.lists) for one in sets for name in one.baselines
        ]
        wanted += [(name, self.peers) for one in sets for name in one.peers]
        wanted += [(peer.ours, self.lists) for peer in self.peers.values()]
        wanted += [(peer.environment, self.environments) for peer in self.peers.values()]
        for name, known in wanted:
            if name not in known:
                message = f"{name!r} is not defined"
                raise ValueError(message)
        return self

    def named(self, names: list[str]) -> dict[str, Benchmark]:
        """Returns benchmarks by name, in the file's order for `all`.

        Raises:
            ConfigError: there is none of that name.
        """
        if ALL in names:
            return dict(self.sets)
        for name in names:
            if name not in self.sets:
                message = f"no benchmark {name!r}; there are {', '.join(self.sets)}"
                raise ConfigError(message)
        return {name: self.sets[name] for name in dict.fromkeys(names)}


@cache
def load_benchmarks() -> Benchmarks:
    """Returns what `benchmarks.toml` defines."""
    text = files("evaluation.benchmark").joinpath("benchmarks.toml").read_text("utf-8")
    return validated(Benchmarks, tomllib.loads(text), where="benchmarks.toml")
