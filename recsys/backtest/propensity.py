"""Who redeems: forecasts judged on later campaigns, against orders that need no learning."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.backtest.significance import LEVEL, Interval
from recsys.metrics.auc import auc
from recsys.models.small_trees import Numbers
from recsys.offers.value_features import FEATURES
from recsys.types import FloatArray

METRICS = ("auc", "precision@10%")
TOP = 0.1
NEVER_DAYS = 1e6
"""Since something that never happened."""
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A contender's figures, in the order of `METRICS`, with 95 % intervals."""

    figures: tuple[Interval, ...]
    leads: tuple[Interval, ...]
    """Of the first contender over this one, paired."""


def stand(
    scores: Mapping[str, Numbers],
    redeemed: Numbers,
    customers: NDArray[np.generic],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Standing]:
    """Compares the first contender with all others.

    Contacts of one customer are alike, so customers are drawn with replacement, with all their
    contacts: a bootstrap of clusters (Davison, Hinkley: Bootstrap Methods and their Application,
    1997, 3.8). All contenders have the same draws.

    Args:
        scores: by contender, shape (contacts,): larger is likelier; the one to compare first.
        redeemed: shape (contacts,), 0 or 1.
        customers: shape (contacts,): whose contact it is.
        seed: of the draws.
        resamples: how many.

    Raises:
        ValueError: all contacts were redeemed, or none.
    """
    if not 0 < redeemed.sum() < len(redeemed):
        message = "there must be contacts that were redeemed and contacts that were not"
        raise ValueError(message)
    matrix = np.stack(list(scores.values()))
    values = figures(matrix, redeemed)
    drawn = np.stack(
        [figures(matrix[:, rows], redeemed[rows]) for rows in _draws(customers, seed, resamples)]
    )
    names = list(scores)
    return {
        name: Standing(
            _intervals(values[place], drawn[:, place]),
            _intervals(values[0] - values[place], drawn[:, 0] - drawn[:, place]),
        )
        for place, name in enumerate(names)
    }


def figures(scores: NDArray[np.float64], redeemed: Numbers) -> NDArray[np.float64]:
    """Returns `METRICS` of each contender, shape (contenders, metrics).

    Of equal scores at the edge of the top part, each counts with the same part of itself.

    Args:
        scores: shape (contenders, contacts).
        redeemed: shape (contacts,).
    """
    right = np.broadcast_to(redeemed > 0, scores.shape)
    return np.stack([auc(scores, right), [_precision(each, redeemed) for each in scores]], axis=1)


def baselines(rows: FloatArray) -> dict[str, Numbers]:
    """Returns orders that need no learning, of purchases and of redemptions.

    Args:
        rows: shape (contacts, features), as `recsys.offers.value_features` makes them.
    """

    def of(name: str, sign: float, missing: float) -> Numbers:
        column = sign * rows[:, FEATURES.index(name)].astype(np.float64)
        return np.nan_to_num(column, nan=missing)

    return {
        "recency of purchases": of("days since purchase", -1.0, -NEVER_DAYS),
        "frequency of purchases": of("item-days bought", 1.0, 0.0),
        "recency of redemptions": of("days since redemption", -1.0, -NEVER_DAYS),
        "frequency of redemptions": of("redemptions so far", 1.0, 0.0),
    }


def _precision(scores: Numbers, redeemed: Numbers) -> float:
    places = max(1, round(TOP * len(scores)))
    edge = np.partition(scores, len(scores) - places)[len(scores) - places]
    above, at = scores > edge, scores == edge
    ties = (places - above.sum()) * redeemed[at].mean()
    return float((redeemed[above].sum() + ties) / places)


def _draws(customers: NDArray[np.generic], seed: int, resamples: int) -> list[NDArray[np.intp]]:
    """Returns the contacts of each draw."""
    _, nums = np.unique(customers, return_inverse=True)
    order = np.argsort(nums, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(nums[order])) + 1)
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([groups[each] for each in rng.integers(len(groups), size=len(groups))])
        for _ in range(resamples)
    ]


def _intervals(values: NDArray[np.float64], drawn: NDArray[np.float64]) -> tuple[Interval, ...]:
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
    return tuple(Interval(*map(float, each)) for each in zip(values, low, high, strict=True))
