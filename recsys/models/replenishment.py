"""Replenishment: when each customer needs an item again, and how likely it is bought until then.

A pair of a customer and an item follows the MBG/NBD process (`purchase_process.py`). Its pace and
its end are expected from the item's other customers, the item's from its category, the category's
from the shop: empirical Bayes on every level, so that a customer's own intervals count for as
much as there are of them. Amazon's buy-it-again lists rest on the same gamma-Poisson idea (Bhagat
et al.: Buy it again, modeling repeat purchase recommendations, KDD 2018). A last step holds the
probabilities against what was bought lately (`replenishment_correction.py`).
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field, field_validator
from scipy.optimize import minimize

from recsys.config import StrictModel
from recsys.models.protocol import NO_HALF_LIFE, Arrays, TrainingData
from recsys.models.purchase_log import PURCHASE, PurchaseLog
from recsys.models.purchase_process import (
    Histories,
    Priors,
    Values,
    expected_drops,
    expected_rates,
    log_likelihood,
)
from recsys.models.replenishment_correction import UNCORRECTED, correction
from recsys.models.replenishment_model import ReplenishmentModel, histories_of, priors_of
from recsys.types import DAY_S, UNKNOWN, NumArray

USUAL = np.log([0.5, 30.0, 1.0, 1.0])
"""Logarithms of shape, scale in days, drops, stays: where a shop that says nothing stays."""
DOUBT = 2.0
"""Standard deviation of these logarithms over shops; a few customers outweigh it."""
FARTHEST = 8.0
"""How far they may move, lest a strange shop ends in infinities."""
PROCESS_PAIRS = 50_000
"""Pairs that the four numbers of the process are fitted on: more change no digit that counts."""


class Replenishment(StrictModel):
    """Learns paces of items, and how far to trust them."""

    kind: Literal["replenishment"] = "replenishment"
    half_life_days: None = None
    """Purchases do not fade: a silence says itself how old they are."""
    item_prior: float = Field(default=5.0, gt=0)
    """Customers' worth of its category that an item is taken to have had."""
    category_prior: float = Field(default=50.0, gt=0)
    """Customers' worth of the shop that a category is taken to have had."""
    customer_prior: float = Field(default=5.0, gt=0)
    """Purchases at the usual pace that a customer is taken to have made."""
    rounds: int = Field(default=6, ge=1, le=100)
    """How often paces and what they are expected from are brought together."""
    correct_days: int = Field(default=28, ge=0)
    """Last days of the data by which probabilities are corrected; 0: they are not."""
    most_pairs: int = Field(default=2_000_000, ge=1_000)
    """Pairs of customers and items that are learned from; of more, customers spread evenly."""

    @field_validator("half_life_days", mode="before")
    @classmethod
    def _spelled_out(cls, value: object) -> object:
        return None if value == NO_HALF_LIFE else value

    def fit(self, data: TrainingData) -> ReplenishmentModel:
        """Learns the shop's process, paces of items, and the correction.

        The correction is learned on the last days, with what is learned on those before. Where
        the past is shorter than twice these days there is none.
        """
        pairs = int((data.states.rows.event_types == PURCHASE).sum())
        log = PurchaseLog.of(data.interactions, max(-(-pairs // self.most_pairs), 1))
        category_nums, end = data.catalogue.category_nums, data.interactions.end_time
        model = self._fitted(log, category_nums, end)
        cut = end - self.correct_days * DAY_S
        if not self.correct_days or not len(log.times) or log.times[0] > 2 * cut - end:
            return model
        return replace(
            model, correction=correction(self._fitted(log, category_nums, cut), log, cut, end)
        )

    def restore(self, arrays: Arrays) -> ReplenishmentModel:
        """Returns the model with these arrays."""
        return ReplenishmentModel(self.customer_prior, **arrays)  # type: ignore[arg-type]  # arrays() wrote these

    def _fitted(self, log: PurchaseLog, category_nums: NumArray, end: int) -> ReplenishmentModel:
        """Learns all but the correction from what was bought before a time."""
        _, rows = log.until(end)
        histories = histories_of(rows, end)
        process = _process(histories)
        rates, ends = self._levels(histories, rows.item_nums, category_nums, process)
        return ReplenishmentModel(
            self.customer_prior,
            process,
            rates.astype(np.float32),
            ends.astype(np.float32),
            UNCORRECTED,
        )

    def _levels(
        self, histories: Histories, item_nums: NumArray, category_nums: NumArray, process: Values
    ) -> tuple[Values, Values]:
        """Returns mean rates and means of drops of all items, each shape (items,).

        A prior's mean becomes the mean of what is expected of its pairs afterwards (the EM step of
        a gamma prior of known shape), together with some pairs of the level above.
        """
        shape, scale, drops, stays = process.tolist()
        count = len(category_nums)
        above = (shape / scale, drops / (drops + stays))
        rates, ends = np.full(count, above[0]), np.full(count, above[1])
        bought = np.bincount(item_nums, minlength=count).astype(np.float64)
        for _ in range(self.rounds):
            priors = priors_of(process, rates[item_nums], ends[item_nums])
            rates, ends = (
                self._mean(_sums(item_nums, of, count), bought, category_nums, top)
                for of, top in zip(
                    (expected_rates(histories, priors), expected_drops(histories, priors)),
                    above,
                    strict=True,
                )
            )
        return rates, ends

    def _mean(self, sums: Values, pairs: Values, category_nums: NumArray, top: float) -> Values:
        """Returns each item's mean, with some pairs of its category's, shape (items,).

        Args:
            sums: of what is averaged, over each item's pairs, shape (items,).
            pairs: of each item, shape (items,).
            category_nums: of each item, shape (items,).
            top: the shop's mean: a category's own, where it has no pairs.
        """
        known = category_nums != UNKNOWN
        owners = category_nums[known]
        prior = self.category_prior
        category = (np.bincount(owners, sums[known]) + prior * top) / (
            np.bincount(owners, pairs[known]) + prior
        )
        above = np.full(len(category_nums), top)
        above[known] = category[owners]
        mean: Values = (sums + self.item_prior * above) / (pairs + self.item_prior)
        return mean


def _sums(nums: NumArray, values: Values, count: int) -> Values:
    sums: Values = np.bincount(nums, values, minlength=count).astype(np.float64)
    return sums


def _process(histories: Histories) -> Values:
    """Returns shape, scale, drops and stays of the shop: the most likely, with a little doubt."""
    step = max(len(histories.repeats) // PROCESS_PAIRS, 1)
    some = Histories(*(column[::step] for column in histories))

    def surprise(logs: Values) -> float:
        fits = log_likelihood(some, Priors(*np.exp(logs))).sum()
        doubt = (((logs - USUAL) / DOUBT) ** 2).sum() / 2
        return float((doubt - fits) / max(len(some.repeats), 1))

    bounds = list(zip(USUAL - FARTHEST, USUAL + FARTHEST, strict=True))
    process: Values = np.exp(minimize(surprise, USUAL, method="L-BFGS-B", bounds=bounds).x)
    return process
