"""What a study of uplift found: one value for the terminal, for JSON and for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.uplift.table import Feature, UpliftColumns
from recsys.backtest.uplift import (
    GRID,
    METRICS,
    RANDOM,
    Balance,
    Judged,
    Spread,
    UpliftBins,
    balance,
    judge,
    spread,
    uplift_bins,
)
from recsys.data.progress import Progress
from recsys.models.small_trees import Numbers
from recsys.models.uplift import Trial, UpliftConfig, mean_effect
from recsys.types import FloatArray

BEST = 0.2
"""Part of the customers who are described as those who respond most, and least."""


@dataclass(frozen=True, slots=True)
class Respondents:
    """What tells customers of high uplift from those of low."""

    feature: str
    share: float
    """How much of the fit the feature made; they add up to 1."""
    best: str
    """What the part with the highest forecasts is like: a mean, or the commonest text."""
    worst: str
    """The same of the part with the lowest."""


@dataclass(frozen=True, slots=True, eq=False)
class UpliftFindings:
    """All that is reported."""

    name: str
    columns: UpliftColumns
    customers: int
    treated: int
    effect: tuple[float, float]
    """Mean effect of the treatment and its standard error."""
    balance: Balance
    splits: int
    judged: Mapping[str, Judged]
    """By contender, the first one ours."""
    bins: UpliftBins
    respondents: tuple[Respondents, ...]

    @property
    def ours(self) -> str:
        """Returns the name of the learner that is reported on."""
        return next(iter(self.judged))

    def figure(self, contender: str, metric: str) -> Spread:
        """Returns a contender's mean over splits."""
        return spread(self.judged[contender].of(metric))

    def lead(self, contender: str, metric: str) -> Spread:
        """Returns ours less another's, paired by split."""
        return spread(self.judged[self.ours].of(metric) - self.judged[contender].of(metric))


def find(
    name: str,
    columns: UpliftColumns,
    trial: Trial,
    features: Sequence[Feature],
    contenders: Mapping[str, UpliftConfig],
    *,
    splits: int,
    seed: int,
    progress: Progress,
) -> UpliftFindings:
    """Judges learners of uplift on a table.

    Args:
        name: of the data.
        columns: that the trial was made of.
        trial: the customers.
        features: what the columns of their rows are.
        contenders: by name, ours first.
        splits: how many halves to cut, from 2.
        seed: of the first.
        progress: hears how many are done.

    Raises:
        ValueError: a half has nobody on one side, or a learner cannot learn such outcomes.
    """
    judged = judge(trial, contenders, range(seed, seed + splits), progress=progress)
    ours = next(iter(contenders))
    forecasts = judged[ours].forecasts
    model = contenders[ours].fit(trial)
    return UpliftFindings(
        name=name,
        columns=columns,
        customers=len(trial),
        treated=int(trial.treated.sum()),
        effect=mean_effect(trial),
        balance=balance(trial, seed),
        splits=splits,
        judged=judged,
        bins=uplift_bins(forecasts, trial),
        respondents=tuple(_respondents(trial, features, forecasts, model.shares())),
    )


def _respondents(
    trial: Trial, features: Sequence[Feature], forecasts: Numbers, shares: Numbers
) -> list[Respondents]:
    known = np.flatnonzero(np.isfinite(forecasts))
    order = known[np.argsort(-forecasts[known], kind="stable")]
    count = max(1, round(BEST * len(order)))
    best, worst = trial.rows[order[:count]], trial.rows[order[-count:]]
    found = [
        Respondents(
            feature.name,
            float(shares[place]),
            _typical(feature, best[:, place]),
            _typical(feature, worst[:, place]),
        )
        for place, feature in enumerate(features)
    ]
    return sorted(found, key=lambda each: -each.share)


def _typical(feature: Feature, column: FloatArray) -> str:
    values = column[np.isfinite(column)]
    if not len(values):
        return "unknown"
    if not feature.labels:
        return f"{values.mean():,.4g}"
    counts = np.bincount(values.astype(np.int64), minlength=len(feature.labels))
    most = int(counts.argmax())
    return f"{feature.labels[most]} ({counts[most] / len(values):.0%})"


def document(found: UpliftFindings) -> dict[str, Any]:
    """Returns the findings as JSON can carry them."""
    effect, error = found.effect
    return {
        "dataset": found.name,
        "treatment": found.columns.treatment,
        "treated_value": found.columns.treated,
        "control_value": found.columns.control,
        "outcome": found.columns.outcome,
        "features": list(found.columns.features),
        "customers": found.customers,
        "treated": found.treated,
        "effect": {"value": effect, "error": error},
        "balance": {
            "auc": found.balance.auc,
            "error": found.balance.error,
            "looks_random": found.balance.is_random,
        },
        "splits": found.splits,
        "figures": {
            name: {metric: _spread(found.figure(name, metric)) for metric in METRICS}
            for name in found.judged
        },
        "leads": {
            name: {metric: _spread(found.lead(name, metric)) for metric in METRICS}
            for name in found.judged
            if name != found.ours
        },
        "qini_curves": {
            "shares": GRID.tolist(),
            **{name: judged.curves.mean(axis=0).tolist() for name, judged in found.judged.items()},
        },
        "calibration": {
            "expected": found.bins.expected.tolist(),
            "happened": found.bins.happened.tolist(),
            "errors": found.bins.errors.tolist(),
            "customers": found.bins.rows.tolist(),
        },
        "respondents": [
            {"feature": e.feature, "share": e.share, "best": e.best, "worst": e.worst}
            for e in found.respondents
        ],
        "random": RANDOM,
    }


def _spread(found: Spread) -> dict[str, float]:
    return {
        "value": found.value,
        "low": found.campaign.low,
        "high": found.campaign.high,
        "splits_low": found.splits.low,
        "splits_high": found.splits.high,
    }
