"""Refits two configurations at past cut-offs: what the release gate decides by."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recsys.assembly import FitConfig
from recsys.backtest.compare import figures
from recsys.backtest.contenders import fitted
from recsys.backtest.gate import Trials
from recsys.backtest.outcomes import Contender, Outcome, Study, measure
from recsys.backtest.rows import Row
from recsys.data.progress import Progress, silent
from recsys.metrics.hits import ValueArray
from recsys.protocols.holdout import HoldOut
from recsys.types import BoolArray, CustomerId

CANDIDATE, CURRENT = "candidate", "current"
METRIC, K = "ndcg", 20


def gate_trials(
    holdouts: Sequence[HoldOut],
    candidate: FitConfig,
    current: FitConfig,
    study: Study,
    *,
    progress: Progress = silent,
) -> tuple[list[Trials], list[Row]]:
    """Refits both configurations on each hold-out and asks them for the same customers.

    Args:
        holdouts: past cut-offs (`rolling_origin`).
        candidate: the new configuration.
        current: the one to be replaced; equal to `candidate`: only rows are measured.
        study: what to measure; variant, protocol and mask are the hold-outs' own.
        progress: hears of every fit and list.

    Returns:
        The trials of each placement that has any customer, and all figures of both.

    Raises:
        ConfigError: a placement has no protocol.
        DataError: a hold-out cannot be fitted on.
    """
    collected: dict[str, _Collected] = {}
    rows: list[Row] = []
    for holdout in holdouts:
        split = holdout.split
        contenders: list[Contender] = [fitted(CANDIDATE, candidate, split, mask=holdout.mask)]
        if current != candidate:
            contenders.append(fitted(CURRENT, current, split, mask=holdout.mask))
        own = replace(study, protocol=holdout.protocol, variant=holdout.variant, mask=holdout.mask)

        def told(stage: str, done: int, total: int | None = None, said: str = own.variant) -> None:
            progress(f"{said}: {stage}", done, total)

        outcomes = measure(split, contenders, own, progress=told)
        rows += figures(split, outcomes, own)
        for name, outcome in outcomes.items():
            if CURRENT in outcome.trials:
                who = split.customers.ids(outcome.cases.customer_nums)
                collected.setdefault(name, _Collected(name)).add(who, outcome)
    return [each.trials() for each in collected.values()], rows


@dataclass(slots=True)
class _Collected:
    """The values of one placement, cut-off after cut-off."""

    placement: str
    customers: list[CustomerId] = field(default_factory=list)
    current: list[ValueArray] = field(default_factory=list)
    candidate: list[ValueArray] = field(default_factory=list)
    groups: list[dict[str, BoolArray]] = field(default_factory=list)

    def add(self, customers: Sequence[CustomerId], outcome: Outcome) -> None:
        values = outcome.values(METRIC, K)
        self.customers += customers
        self.current.append(values[CURRENT])
        self.candidate.append(values[CANDIDATE])
        self.groups.append(outcome.slices.groups)

    def trials(self) -> Trials:
        _, people = np.unique(np.array(self.customers, dtype=np.str_), return_inverse=True)
        names = dict.fromkeys(name for groups in self.groups for name in groups)
        sizes = [len(values) for values in self.current]
        return Trials(
            placement=self.placement,
            people=people.astype(np.int64),
            current=np.concatenate(self.current),
            candidate=np.concatenate(self.candidate),
            groups={
                name: np.concatenate(
                    [
                        groups.get(name, np.zeros(size, dtype=np.bool_))
                        for groups, size in zip(self.groups, sizes, strict=True)
                    ]
                )
                for name in names
            },
        )
