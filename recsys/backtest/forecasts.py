"""Whether what customers were told to need again was then bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.errors import ConfigError
from recsys.metrics.hits import ValueArray
from recsys.metrics.reliability import ReliabilityBins, brier, log_loss, reliability_bins
from recsys.models.replenishment_model import HORIZONS_DAYS
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, NumArray

BATCH = 256

Which = Literal["all", "shown"]


@dataclass(frozen=True, slots=True, eq=False)
class ForecastQuality:
    """How the probabilities of one horizon came true."""

    which: Which
    """Of every pair of a customer and an item bought before, or of those in the lists."""
    days: int
    """The horizon."""
    expected: float
    """Mean of the probabilities."""
    happened: float
    """Share that was bought."""
    error: float
    """Expected calibration error: by how much a probability is wrong, in the mean of ten bins."""
    brier: float
    """Lower is better."""
    brier_skill: float
    """1 - the score over that of telling everybody the share that was then bought."""
    likelihood_skill: float
    """The same of the log loss."""
    auc: float
    """Of two pairs of which one was bought, how often it has the larger probability."""
    bins: ReliabilityBins

    @property
    def pairs(self) -> int:
        """Returns how many pairs were told a probability."""
        return int(self.bins.rows.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What was told at the cutoff."""

    keys: NumArray
    """Shape (pairs,) int64: customer and item in one number."""
    chances: ValueArray
    """Shape (pairs, horizons)."""


def forecast_quality(
    recommender: Recommender,
    split: Split,
    *,
    end_time: int,
    placement: str = "buy_again",
    limit: int = 20,
    bins: int = 10,
    progress: Progress = silent,
) -> list[ForecastQuality]:
    """Holds the probabilities told at the cutoff against what was bought after it.

    Every customer who bought anything before counts, whether they came back or not: leaving out
    those who stayed away would make any forecast look too low.

    Args:
        recommender: fitted on the training side.
        split: a temporal split.
        end_time: of the data, Unix seconds; horizons beyond the end of its UTC day are left out.
        placement: whose lists and model are judged.
        limit: places of the lists.
        bins: of equal size, for the calibration error.
        progress: hears of customers.

    Raises:
        ConfigError: the placement tells no probabilities.
    """
    config = recommender.placement_configs.get(placement)
    if config is None or config.replenishment not in recommender.forecasters:
        message = f"placement {placement!r} does not say when items are needed again"
        raise ConfigError(message, placement=placement)
    waits = _waits(recommender, split)
    last = -(-end_time // DAY_S) * DAY_S
    told: dict[Which, _Told] = {
        "all": _of_all(recommender, config.replenishment, split.cutoff_time),
        "shown": _of_lists(recommender, placement, split.cutoff_time, limit, progress),
    }
    return [
        _quality(which, days, answer.chances[:, column], _bought(answer.keys, waits, days), bins)
        for which, answer in told.items()
        for column, days in enumerate(HORIZONS_DAYS)
        if split.cutoff_time + days * DAY_S <= last
    ]


def _key(customer_num: int, item_num: int, items: int) -> int:
    return customer_num * items + item_num


def _waits(recommender: Recommender, split: Split) -> dict[int, int]:
    """Returns seconds from the cutoff to the first purchase of each pair, by key."""
    items = recommender.catalogue.items
    item_nums = items.numbers(split.items.series())
    owners = recommender.resolver.customers.numbers(split.customers.series())
    waits: dict[int, int] = {}
    rows = split.after.select("customer_num", "item_num", "time").sort("time", descending=True)
    for customer, item, time in rows.iter_rows():
        waits[_key(int(owners[customer]), int(item_nums[item]), len(items))] = (
            time - split.cutoff_time
        )
    return waits


def _of_all(recommender: Recommender, model: str, now: int) -> _Told:
    states, items = recommender.resolver.states, len(recommender.catalogue.items)
    keys, chances = [np.zeros(0, np.int64)], [np.zeros((0, len(HORIZONS_DAYS)))]
    for customer in range(len(states)):
        told = recommender.forecasters[model].forecast(states.of(customer), now)
        keys.append(customer * items + told.item_nums.astype(np.int64))
        chances.append(told.probabilities)
    return _Told(np.concatenate(keys), np.concatenate(chances))


def _of_lists(
    recommender: Recommender, placement: str, now: int, limit: int, progress: Progress
) -> _Told:
    customers, items = recommender.resolver.customers, len(recommender.catalogue.items)
    keys: list[int] = []
    chances: list[tuple[float, float, float]] = []
    for start in range(0, len(customers), BATCH):
        nums = range(start, min(start + BATCH, len(customers)))
        queries = [Query(placement, now, customers.id(num), limit) for num in nums]
        for num, answer in zip(nums, recommender.recommend(queries), strict=True):
            for item in answer.items:
                if (told := item.replenishment) is not None:
                    keys.append(_key(num, item.item_num, items))
                    chances.append(
                        (
                            told.probability_7_days,
                            told.probability_14_days,
                            told.probability_28_days,
                        )
                    )
        progress("ask for lists", nums[-1] + 1, len(customers))
    told_chances = np.array(chances, dtype=np.float64).reshape(len(keys), len(HORIZONS_DAYS))
    return _Told(np.array(keys, dtype=np.int64), told_chances)


def _bought(keys: Sequence[int] | NumArray, waits: dict[int, int], days: int) -> ValueArray:
    """Returns 1 for each pair that was bought within so many days, else 0."""
    never = days * DAY_S
    listed = [waits.get(key, never) < never for key in np.asarray(keys).tolist()]
    return np.array(listed, dtype=np.float64)


def _quality(
    which: Which, days: int, chances: ValueArray, bought: ValueArray, bins: int
) -> ForecastQuality:
    share = float(bought.mean())
    usual = np.full(len(bought), share)
    score = brier(chances, bought)
    found = reliability_bins(chances, bought, bins)
    return ForecastQuality(
        which=which,
        days=days,
        expected=float(chances.mean()),
        happened=share,
        error=found.error(),
        brier=score,
        brier_skill=1 - score / brier(usual, bought),
        likelihood_skill=1 - log_loss(chances, bought) / log_loss(usual, bought),
        auc=_auc(chances, bought),
        bins=found,
    )


def _auc(chances: ValueArray, bought: ValueArray) -> float:
    """Returns the area under the ROC curve over all pairs, NaN where all or none was bought."""
    some = float(bought.sum())
    others = len(bought) - some
    if not some or not others:
        return float("nan")
    return float((rankdata(chances)[bought > 0].sum() - some * (some + 1) / 2) / (some * others))
