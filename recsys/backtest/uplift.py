"""Learners of uplift judged on customers whom they were not fitted on, over many half splits.

One split says little: the effect of a campaign is small beside who happens to respond. So the
customers are cut into halves many times, each learner is fitted on one half and judged on the
other, and learners are compared split by split. The halves of two splits share customers, so the
spread of the splits understates what another campaign would give; `Spread` has both intervals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from recsys.backtest.significance import LEVEL, Interval
from recsys.data.progress import Progress
from recsys.metrics.auc import auc
from recsys.metrics.qini import qini
from recsys.metrics.uplift_at import uplift_at
from recsys.metrics.uplift_curve import qini_curve, uplift_curve
from recsys.models.small_trees import Numbers, TreesConfig
from recsys.models.uplift import Trial, UpliftConfig, mean_effect

RANDOM = "random"
"""Orders customers by lot."""
TOP_SHARES = (0.1, 0.3)
METRICS = ("qini", "auuc", *(f"uplift@{share:.0%}" for share in TOP_SHARES))
GRID = np.linspace(0.0, 1.0, 101)
"""Shares of customers at which curves are kept."""
STAGE = "half splits"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one contender reached."""

    figures: NDArray[np.float64]
    """Shape (splits, metrics): as `METRICS` has them, in the unit of the outcome."""
    curves: NDArray[np.float64]
    """Shape (splits, points): the Qini curve at `GRID`."""
    forecasts: Numbers
    """Shape (customers,): the mean of what was forecast for each by models that had not seen it;
    NaN where it was never judged."""

    def of(self, metric: str) -> Numbers:
        """Returns a metric of all splits."""
        return self.figures[:, METRICS.index(metric)]


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over splits with two 95 % intervals."""

    value: float
    splits: Interval
    """As if splits were independent: would other splits of these customers say the same?"""
    campaign: Interval
    """With the variance that shared customers hide put back: would another campaign?"""


def spread(values: Numbers) -> Spread:
    r"""Returns the mean over half splits and its intervals.

    The wider interval has the variance :math:`(1/J + n_{test}/n_{train}) s^2`, which is
    :math:`(1/J + 1) s^2` for halves.

    Source: Nadeau, Bengio: Inference for the generalization error, Machine Learning 52, 2003.

    Args:
        values: shape (splits,), at least two; differences of two contenders for a paired one.

    Raises:
        ValueError: there are fewer than two.
    """
    count = len(values)
    if count < 2:  # noqa: PLR2004
        message = "one split has no spread"
        raise ValueError(message)
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    reach = float(student.ppf(1 - (1 - LEVEL) / 2, count - 1))
    narrow, wide = reach * (variance / count) ** 0.5, reach * (variance * (1 / count + 1)) ** 0.5
    return Spread(
        mean,
        Interval(mean, mean - narrow, mean + narrow),
        Interval(mean, mean - wide, mean + wide),
    )


def halves(count: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the places of two halves of so many customers, drawn by a seed."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def judge(
    trial: Trial,
    contenders: Mapping[str, UpliftConfig],
    seeds: Sequence[int],
    *,
    progress: Progress,
) -> dict[str, Judged]:
    """Fits every contender on one half of each split and judges it on the other.

    Args:
        trial: all customers.
        contenders: by name, none of them `RANDOM`, which is judged as well.
        seeds: of the splits.
        progress: hears how many splits are done.

    Raises:
        ValueError: a half has only treated customers, or only untreated ones.
    """
    names = [*contenders, RANDOM]
    figures = {name: np.empty((len(seeds), len(METRICS))) for name in names}
    curves = {name: np.empty((len(seeds), len(GRID))) for name in names}
    sums = {name: np.zeros(len(trial)) for name in names}
    times = np.zeros(len(trial))
    for place, seed in enumerate(seeds):
        progress(STAGE, place, len(seeds))
        train, test = halves(len(trial), seed)
        fitted, judged = trial.part(train), trial.part(test)
        times[test] += 1
        for name in names:
            if name == RANDOM:
                scores = np.random.default_rng([seed, 1]).random(len(test))
            else:
                scores = contenders[name].fit(fitted).uplift(judged.rows)
            figures[name][place] = _figures(scores, judged)
            curves[name][place] = _curve(scores, judged)
            sums[name][test] += scores
    progress(STAGE, len(seeds), len(seeds))
    with np.errstate(invalid="ignore"):
        return {
            name: Judged(figures[name], curves[name], np.where(times, sums[name] / times, np.nan))
            for name in names
        }


def _figures(scores: Numbers, trial: Trial) -> list[float]:
    seen = scores, trial.treated, trial.outcomes
    weights = trial.weights()
    return [
        qini(*seen, weights),
        uplift_curve(*seen, weights).area(),
        *(uplift_at(*seen, share, weights) for share in TOP_SHARES),
    ]


def _curve(scores: Numbers, trial: Trial) -> Numbers:
    return qini_curve(scores, trial.treated, trial.outcomes, trial.weights()).at(GRID)


@dataclass(frozen=True, slots=True, eq=False)
class UpliftBins:
    """Customers in groups of like forecast, ascending; arrays of shape (bins,) float64."""

    expected: Numbers
    """Mean forecast."""
    happened: Numbers
    """Mean outcome of the treated less that of the untreated."""
    errors: Numbers
    """Standard error of `happened`."""
    rows: Numbers


def uplift_bins(forecasts: Numbers, trial: Trial, bins: int = 10) -> UpliftBins:
    """Says what became of customers by what was forecast: the calibration of uplift.

    Bins are of equal size; one without both sides is left out.

    Args:
        forecasts: shape (customers,); rows of NaN are left out.
        trial: the same customers.
        bins: from 1.
    """
    known = np.isfinite(forecasts)
    trial, forecasts = trial.part(known), forecasts[known]
    order = np.argsort(forecasts, kind="stable")
    found = []
    for rows in np.array_split(order, bins):
        part = trial.part(rows)
        if 1 < part.treated.sum() < len(part) - 1:
            effect, error = mean_effect(part)
            found.append((forecasts[rows].mean(), effect, error, len(rows)))
    return UpliftBins(*np.array(found, dtype=np.float64).reshape(-1, 4).T)


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether the treated look like the untreated, as they must where they were drawn by lot."""

    auc: float
    """How well trees that had not seen a customer tell its side from its features; .5: not at
    all."""
    error: float
    """Standard error of it for sides drawn by lot."""

    @property
    def is_random(self) -> bool:
        """Says whether nothing speaks against a draw by lot."""
        return self.auc < 0.5 + 4 * self.error


def balance(trial: Trial, seed: int = 0) -> Balance:
    """Tries to tell treated from untreated by their features, with known chances weighed out.

    A draw by lot cannot be told. Where it can be, a difference between the sides is no effect.

    Args:
        trial: all customers.
        seed: of the halves.
    """
    sides = halves(len(trial), seed)
    found, weights = np.empty(len(trial)), trial.weights()
    for one, other in (sides, sides[::-1]):
        trees = TreesConfig(trees=60).fit(
            trial.rows[one],
            trial.treated[one].astype(np.float64),
            kind="probability",
            weights=weights[one],
            categories=trial.categories,
        )
        found[other] = trees.means(trial.rows[other])
    # Each half on its own: two forests need not have one scale.
    areas = [float(auc(found[None, half], trial.treated[None, half])[0]) for half in sides]
    treated = float(trial.treated.sum())
    untreated = len(trial) - treated
    error = ((len(trial) + 1) / (12 * treated * untreated)) ** 0.5
    return Balance(float(np.mean(areas)), error)
