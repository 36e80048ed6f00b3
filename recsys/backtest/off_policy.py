r"""What another policy would have earned, from logged recommendations with their propensities.

A logged row shows one item that was drawn with a known probability, the propensity, and its
reward, such as a click. Rows that the other policy would show more often count for more.

Sources: Horvitz, Thompson: A generalization of sampling without replacement from a finite
universe, JASA 47, 1952 (IPS); Swaminathan, Joachims: The self-normalized estimator for
counterfactual learning, NeurIPS 2015 (SNIPS); Ionides: Truncated importance sampling, Journal of
Computational and Graphical Statistics 17(2), 2008 (clipping); Kish: Survey Sampling, 1965
(effective sample size).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from recsys.backtest.significance import LEVEL, RESAMPLES, Interval, resampled_sums
from recsys.metrics.hits import ValueArray
from recsys.types import OffsetArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate of what the policy earns for each row shown."""

    bootstrap: Interval
    """95 % percentile bootstrap over clusters."""
    normal: Interval
    """95 % by the normal approximation; for rows that are independent."""


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """What another policy would have earned, and how far the log can tell."""

    ips: Estimate
    """Unbiased without clipping; its variance grows with the weights."""
    snips: Estimate
    """Self-normalised: a little biased, usually far less variable; lies within the rewards."""
    logged: Interval
    """What the logging policy earned."""
    lead: Interval
    """SNIPS minus logged, bootstrapped together."""
    mean_weight: Interval
    """Without clipping, close to 1 where propensities and policy are right."""
    effective_rows: float
    """Rows of the policy itself that would say as much."""
    rows: int
    clusters: int
    largest_weight: float
    """Before clipping."""
    clipped_share: float
    """Share of rows whose weight was cut."""


def importance_weights(
    target: ValueArray, propensities: ValueArray, *, clip: float | None = None
) -> ValueArray:
    r"""Returns w = min(target / propensity, clip), shape (rows,), float64 from 0.

    >>> importance_weights(np.array([0.5, 0.9, 0.0]), np.array([0.25, 0.1, 0.3]), clip=5)
    array([2., 5., 0.])

    Args:
        target: shape (rows,): probability that the other policy shows the logged item.
        propensities: shape (rows,): that the logging policy did, above 0.
        clip: the largest weight; None: none is cut.

    Raises:
        ValueError: a probability or the bound is out of range.
    """
    if not (np.all((propensities > 0) & (propensities <= 1)) and np.all(target >= 0)):
        message = "propensities must lie above 0 and up to 1, target probabilities from 0"
        raise ValueError(message)
    if np.any(target > 1):
        message = "a probability above 1"
        raise ValueError(message)
    if clip is not None and not clip > 0:
        message = f"weights cannot be clipped at {clip}"
        raise ValueError(message)
    weights = target / propensities
    return weights if clip is None else np.minimum(weights, clip)


def ips(rewards: ValueArray, weights: ValueArray) -> float:
    r"""Returns :math:`\frac{1}{n} \sum_i w_i r_i` (Horvitz, Thompson 1952).

    >>> ips(np.array([1.0, 0.0, 1.0, 0.0]), np.array([2.0, 1.0, 0.5, 0.5]))
    0.625
    """
    return float(np.mean(weights * rewards))


def snips(rewards: ValueArray, weights: ValueArray) -> float:
    r"""Returns :math:`\sum_i w_i r_i / \sum_i w_i`; NaN where no weight is above 0.

    >>> snips(np.array([1.0, 0.0, 1.0, 0.0]), np.array([2.0, 1.0, 0.5, 0.5]))
    0.625

    Source: Swaminathan, Joachims, NeurIPS 2015.
    """
    total = float(weights.sum())
    return float(weights @ rewards) / total if total > 0 else float("nan")


def effective_rows(weights: ValueArray) -> float:
    r"""Returns :math:`(\sum_i w_i)^2 / \sum_i w_i^2`; 0 where no weight is above 0 (Kish 1965).

    >>> effective_rows(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def policy_value(
    rewards: ValueArray,
    propensities: ValueArray,
    target: ValueArray,
    *,
    clusters: ValueArray | None = None,
    clip: float | None = None,
    seed: int,
    resamples: int = RESAMPLES,
) -> PolicyValue:
    """Estimates what another policy would have earned for each row shown.

    Args:
        rewards: shape (rows,) float64.
        propensities: shape (rows,) float64, above 0 and up to 1.
        target: shape (rows,) float64: probability that the other policy shows the same item there.
        clusters: shape (rows,): rows of one number, such as those of one customer, are drawn
            together; None: each row is a cluster.
        clip: the largest weight.
        seed: of the bootstrap.
        resamples: draws of all clusters.

    Raises:
        ValueError: there is no row, a probability is out of range, or the other policy shows
            nothing that was logged.
    """
    if not len(rewards):
        message = "there is no logged row"
        raise ValueError(message)
    plain = importance_weights(target, propensities)
    weights = importance_weights(target, propensities, clip=clip)
    if not weights.any():
        message = "the policy shows nothing that was logged: the log cannot judge it"
        raise ValueError(message)
    members = np.arange(len(rewards)) if clusters is None else clusters
    labels, numbers = np.unique(members, return_inverse=True)
    sums = _cluster_sums(numbers, len(labels), rewards, weights)
    drawn = resampled_sums(sums, seed=seed, resamples=resamples)
    estimate, own = snips(rewards, weights), float(rewards.mean())
    return PolicyValue(
        ips=Estimate(
            _percentiles(ips(rewards, weights), drawn[:, 1] / drawn[:, 0]),
            _normal(ips(rewards, weights), _ips_error(rewards, weights)),
        ),
        snips=Estimate(
            _percentiles(estimate, _ratio(drawn[:, 1], drawn[:, 2])),
            _normal(estimate, _snips_error(rewards, weights, estimate)),
        ),
        logged=_percentiles(own, drawn[:, 3] / drawn[:, 0]),
        lead=_percentiles(
            estimate - own, _ratio(drawn[:, 1], drawn[:, 2]) - drawn[:, 3] / drawn[:, 0]
        ),
        mean_weight=_percentiles(float(weights.mean()), drawn[:, 2] / drawn[:, 0]),
        effective_rows=effective_rows(weights),
        rows=len(rewards),
        clusters=len(labels),
        largest_weight=float(plain.max()),
        clipped_share=float(np.mean(weights < plain)),
    )


def _cluster_sums(
    numbers: OffsetArray, count: int, rewards: ValueArray, weights: ValueArray
) -> ValueArray:
    """Returns rows, weighted rewards, weights and rewards of each cluster, shape (clusters, 4)."""
    columns = (np.ones(len(rewards)), weights * rewards, weights, rewards)
    return np.stack([np.bincount(numbers, column, minlength=count) for column in columns], axis=1)


def _ratio(above: ValueArray, below: ValueArray) -> ValueArray:
    """Returns NaN where a draw has no weight: it says nothing."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _percentiles(value: float, drawn: ValueArray) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def _normal(value: float, error: float) -> Interval:
    reach = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2) * error
    return Interval(value, value - reach, value + reach)


def _ips_error(rewards: ValueArray, weights: ValueArray) -> float:
    spread = float(np.std(weights * rewards, ddof=1)) if len(rewards) > 1 else float("nan")
    return spread / float(np.sqrt(len(rewards)))


def _snips_error(rewards: ValueArray, weights: ValueArray, value: float) -> float:
    """Returns the standard error by the delta method (Owen: Monte Carlo, 2013, chapter 9)."""
    return float(np.linalg.norm(weights * (rewards - value)) / weights.sum())
