"""Reliability: whether what is given a probability of p happens in a part p of all cases."""

from dataclasses import dataclass

import numpy as np

from recsys.metrics.hits import ValueArray


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """Rows in groups of like probability, ascending; arrays of shape (bins,) float64."""

    expected: ValueArray
    """Mean of the probabilities that were given, or of any other forecast."""
    happened: ValueArray
    """Mean of what happened."""
    errors: ValueArray
    """Standard error of `happened`."""
    rows: ValueArray
    """How many rows."""

    def error(self) -> float:
        r"""Returns the expected calibration error.

        .. math:: ECE = \sum_b \frac{n_b}{n} |\bar{y}_b - \bar{p}_b|

        Source: Naeini, Cooper, Hauskrecht: Obtaining well calibrated probabilities using Bayesian
        binning, AAAI 2015; here with bins of equal size, which are never empty.
        """
        return float(np.average(np.abs(self.happened - self.expected), weights=self.rows))


def reliability_bins(
    forecasts: ValueArray, outcomes: ValueArray, bins: int = 10
) -> ReliabilityBins:
    """Puts rows into bins of equal size by forecast; equal forecasts share a bin.

    >>> found = reliability_bins(np.array([0.1, 0.1, 0.6, 0.8]), np.array([0.0, 0, 1, 1]), bins=2)
    >>> found.expected, found.happened, found.rows
    (array([0.1, 0.7]), array([0., 1.]), array([2., 2.]))

    Args:
        forecasts: shape (rows,) float64; no NaN.
        outcomes: shape (rows,) float64.
        bins: from 1; fewer where forecasts are equal.

    Raises:
        ValueError: shapes differ, there is no row, or no bin.
    """
    if forecasts.shape != outcomes.shape or len(forecasts) == 0 or bins < 1:
        message = f"{forecasts.shape} forecasts, {outcomes.shape} outcomes, {bins} bins"
        raise ValueError(message)
    order = np.argsort(forecasts, kind="stable")
    ranked = forecasts[order]
    edges = ranked[(np.arange(1, bins) * len(ranked)) // bins]
    places = np.searchsorted(edges, ranked, side="right")
    _, members = np.unique(places, return_inverse=True)
    rows = np.bincount(members).astype(np.float64)
    happened = outcomes[order]
    mean = np.bincount(members, weights=happened) / rows
    spread = np.bincount(members, weights=(happened - mean[members]) ** 2)
    errors = np.sqrt(spread / np.maximum(rows - 1, 1) / rows)
    return ReliabilityBins(np.bincount(members, weights=ranked) / rows, mean, errors, rows)


def brier(probabilities: ValueArray, outcomes: ValueArray) -> float:
    r"""Returns the Brier score, lower is better.

    .. math:: \frac{1}{n} \sum_i (p_i - y_i)^2

    >>> brier(np.array([0.0, 0.5]), np.array([0.0, 1.0]))
    0.125

    Source: Brier: Verification of forecasts expressed in terms of probability, Monthly Weather
    Review 78, 1950.

    Args:
        probabilities: shape (rows,) float64.
        outcomes: shape (rows,) float64, 0 or 1.
    """
    return float(np.mean((probabilities - outcomes) ** 2))


def log_loss(probabilities: ValueArray, outcomes: ValueArray) -> float:
    r"""Returns the mean negative log likelihood in nats, lower is better.

    .. math:: -\frac{1}{n} \sum_i y_i \ln p_i + (1 - y_i) \ln (1 - p_i)

    Probabilities are kept 1e-15 from 0 and 1.

    >>> round(log_loss(np.array([0.5, 0.5]), np.array([0.0, 1.0])), 4)
    0.6931

    Args:
        probabilities: shape (rows,) float64.
        outcomes: shape (rows,) float64, 0 or 1.
    """
    kept = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(outcomes > 0, np.log(kept), np.log1p(-kept))))
