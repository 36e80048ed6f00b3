"""The MBG/NBD process: purchases at random at a pace of one's own, until one has had enough.

A customer who bought an item buys it again at random times, at a rate that differs between
customers (gamma), and after every purchase, the first one too, drops it for good with a
probability that differs as well (beta). Batislam, Denizel, Filiztekin: Empirical validation and
comparison of models for customer base analysis, International Journal of Research in Marketing
24(3), 2007; after Fader, Hardie, Lee: "Counting your customers" the easy way, Marketing Science
24(2), 2005, where the first purchase drops nobody.

How often, first and last are all that the likelihood asks of a history, and a state row has them.
Days of purchase count as purchases.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

Values = NDArray[np.float64]


class Histories(NamedTuple):
    """What customers did with items, one pair of a customer and an item a row."""

    repeats: Values
    """Shape (pairs,): days of purchase after the first."""
    spans: Values
    """Shape (pairs,): days from the first purchase to the last."""
    silences: Values
    """Shape (pairs,): days from the last purchase to now, at least 0."""


class Priors(NamedTuple):
    """What is expected of a pair before its history; numbers, or one for each pair."""

    shape: Values
    """Of the gamma distribution of rates."""
    scale: Values
    """Of the gamma distribution of rates, in days: the mean rate is `shape / scale` a day."""
    drops: Values
    """Of the beta distribution of the probability to drop the item after a purchase."""
    stays: Values
    """The mean of that probability is `drops / (drops + stays)`."""


def log_likelihood(histories: Histories, priors: Priors) -> Values:
    """Returns the log likelihood of each pair, given its first purchase, shape (pairs,)."""
    repeats, spans, _ = histories
    shape, scale, drops, stays = priors
    counted = shape + repeats
    stayed = betaln(drops, stays + repeats + 1) - betaln(drops, stays)
    bought = shape * np.log(scale) + gammaln(counted) - gammaln(shape)
    bought = bought - counted * np.log(scale + spans)
    rested = np.log(_silent(histories, priors) + _dropped(repeats, priors))
    total: Values = stayed + bought + rested
    return total


def probability_dropped(histories: Histories, priors: Priors) -> Values:
    """Returns the probability that each pair is over, shape (pairs,)."""
    dropped = _dropped(histories.repeats, priors)
    odds: Values = dropped / (dropped + _silent(histories, priors))
    return odds


def probability_bought(histories: Histories, priors: Priors, days: float) -> Values:
    """Returns the probability of a purchase in the next days, given the silence until now.

    It never falls with `days`. Shape (pairs,), from 0 to 1.
    """
    longer = histories._replace(silences=histories.silences + days)
    now = _silent(histories, priors)
    bought: Values = (now - _silent(longer, priors)) / (now + _dropped(histories.repeats, priors))
    return bought


def expected_rates(histories: Histories, priors: Priors) -> Values:
    """Returns the expected purchases a day of each pair while it is not over, shape (pairs,)."""
    over = probability_dropped(histories, priors)
    counted, known = priors.shape + histories.repeats, priors.scale + histories.spans
    rates: Values = (1 - over) * counted / (known + histories.silences) + over * counted / known
    return rates


def expected_drops(histories: Histories, priors: Priors) -> Values:
    """Returns the expected probability of each pair to end with a purchase, shape (pairs,)."""
    over = probability_dropped(histories, priors)
    drops: Values = (priors.drops + over) / (priors.drops + priors.stays + histories.repeats + 1)
    return drops


def interval_days(histories: Histories, priors: Priors) -> Values:
    """Returns the days between two purchases that each pair is expected to keep, shape (pairs,).

    The mean of the pair's own intervals and of the prior's, weighted by their number and the
    prior's shape: `(scale + span) / (shape + repeats)`.
    """
    days: Values = (priors.scale + histories.spans) / (priors.shape + histories.repeats)
    return days


def _silent(histories: Histories, priors: Priors) -> Values:
    """Returns the probability of no purchase for so long, of a pair that is not over."""
    known = priors.scale + histories.spans
    silent: Values = (known / (known + histories.silences)) ** (priors.shape + histories.repeats)
    return silent


def _dropped(repeats: Values, priors: Priors) -> Values:
    """Returns the odds that the last purchase ended it, before its silence is known."""
    odds: Values = priors.drops / (priors.stays + repeats)
    return odds
