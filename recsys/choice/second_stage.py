"""Says whether a ranker beats the blend on an inner split: only then it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl

from recsys.assembly import FitConfig, assemble
from recsys.backtest.run import judge
from recsys.backtest.significance import Interval, bootstrap
from recsys.data.progress import Progress
from recsys.data.splits import Split
from recsys.fitting.first_stage import Steps, fit_first_stage
from recsys.fitting.rankers import fit_rankers
from recsys.fitting.reduce import needed
from recsys.metrics.ndcg import ndcg_at
from recsys.pipeline.ranker import RankerConfig
from recsys.protocols.cases import Cases

CUSTOMERS = 2_000
"""Asked at most, to choose by."""
SECONDS_PER_ROW_AND_TREE = 3e-7
"""To fit trees on one core: 450,000 rows and 100 trees take 14 seconds."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A ranker beside the blend whose candidates it orders."""

    blend: float
    """Mean ndcg@k of the blend."""
    gain: Interval
    """Mean of the ranker's ndcg@k minus the blend's, customer by customer, with its bounds."""

    @property
    def used(self) -> bool:
        """Says whether the ranker is better, and not by luck."""
        return self.gain.low > 0


def with_rankers(config: FitConfig, rankers: Mapping[str, RankerConfig | None]) -> FitConfig:
    """Returns the configuration with these rankers, None to have none; others stay."""
    placements = {
        name: placement.model_copy(update={"ranker": rankers[name]})
        if name in rankers
        else placement
        for name, placement in config.placements.items()
    }
    return config.model_copy(update={"placements": placements})


def has_past(split: Split, ranker: RankerConfig) -> bool:
    """Says whether the latest cut-off of a ranker has events before it.

    Without times, or in a young shop, it has none, and a trial would fit all for nothing.
    """
    first = split.train.events.select(pl.col("event_time").min()).collect().item()
    return first is not None and first < split.cutoff - timedelta(days=ranker.horizon_days)


def trial_seconds(
    ranker: RankerConfig,
    customers: int,
    fit_seconds: float,
    question_seconds: float,
) -> float:
    """Returns about how long it takes to try a ranker on a placement.

    Args:
        ranker: to try.
        customers: there are.
        fit_seconds: to fit all sources once.
        question_seconds: to ask about one customer.
    """
    learnt_from = min(ranker.customers, customers) * ranker.cut_offs
    trees = learnt_from * ranker.candidates * ranker.trees * SECONDS_PER_ROW_AND_TREE
    questions = learnt_from + 2 * min(CUSTOMERS, customers)
    return fit_seconds * (ranker.cut_offs + 1) + questions * question_seconds + trees


def try_rankers(
    split: Split,
    config: FitConfig,
    cases: Mapping[str, Cases],
    *,
    k: int,
    seed: int,
    progress: Progress,
) -> dict[str, Trial]:
    """Fits rankers inside the training side and compares lists with and without.

    Args:
        split: the inner split; rows are made at cut-offs before its own.
        config: with the rankers to try.
        cases: by placement.
        k: places of a list that count.
        seed: of the interval's draws.
        progress: hears of every step.

    Returns:
        By placement; without those whose ranker found no rows to learn from.
    """
    steps = Steps(progress)
    wanted = needed(config, list(cases))
    first = fit_first_stage(split.train, wanted, end_time=split.cutoff, steps=steps).pipeline
    rankers = fit_rankers(split.train, first, steps=steps)
    plain, ranked = (assemble(replace(first, rankers=those), "choice") for those in ({}, rankers))
    trials: dict[str, Trial] = {}
    for name in rankers:
        values = [
            ndcg_at(found.hits, found.truth_sizes, k)
            for found in (judge(each, split, cases[name]) for each in (plain, ranked))
        ]
        (gain,) = bootstrap((values[1] - values[0])[:, None], seed=seed)
        trials[name] = Trial(float(values[0].mean()), gain)
    return trials


def sampled(cases: Cases, most: int, seed: int) -> Cases:
    """Returns some of the cases, drawn without replacement, in their order."""
    drawn = np.random.default_rng(seed).permutation(len(cases))[:most]
    rows = np.sort(drawn)
    sizes = cases.truth_sizes[rows]
    parts = [
        cases.truth_item_nums[cases.truth_offsets[row] : cases.truth_offsets[row + 1]]
        for row in rows.tolist()
    ]
    return replace(
        cases,
        queries=tuple(cases.queries[row] for row in rows.tolist()),
        customer_nums=cases.customer_nums[rows],
        truth_offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        truth_item_nums=np.concatenate(parts),
    )
