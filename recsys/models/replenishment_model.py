"""What the replenishment model tells of one customer's own items."""

from dataclasses import dataclass

import numpy as np

from recsys.data.state import StateRows
from recsys.models.protocol import Arrays
from recsys.models.purchase_log import PURCHASE
from recsys.models.purchase_process import (
    Histories,
    Priors,
    Values,
    interval_days,
    probability_bought,
    probability_dropped,
)
from recsys.types import DAY_S, FloatArray, NumArray, TimeArray

HORIZONS_DAYS = (7, 14, 28)
"""What probabilities are told for."""
LEAST_HAZARD = 1e-12
"""Below every probability that can be told: keeps logarithms finite."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected of every item that a customer has bought."""

    item_nums: NumArray
    """Shape (items,), ascending."""
    days: FloatArray
    """Shape (items,): days with a purchase until now."""
    last_times: TimeArray
    """Shape (items,): of the last purchase, Unix seconds."""
    due_times: TimeArray
    """Shape (items,): the last purchase and the interval that is expected, Unix seconds."""
    probabilities: Values
    """Shape (items, horizons): bought within `HORIZONS_DAYS`; rows never fall."""


@dataclass(frozen=True, slots=True, eq=False)
class ReplenishmentModel:
    """Forecasts a customer's own items."""

    customer_prior: float
    """Purchases at the usual pace that a customer is taken to have made."""
    process: Values
    """Shape (4,): shape and scale of rates, drops and stays, of the shop as a whole."""
    item_rates: FloatArray
    """Shape (items,): purchases a day that are expected of a customer who just bought the item."""
    item_drops: FloatArray
    """Shape (items,): probability that such a customer's purchase is the last one."""
    correction: Values
    """Shape (3,): level, logarithm of the slope, weight of the customer's pace; zeros: none."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {
            "process": self.process,
            "item_rates": self.item_rates,
            "item_drops": self.item_drops,
            "correction": self.correction,
        }

    def forecast(self, rows: StateRows, now: int) -> Forecast:
        """Returns when a customer needs the items again that the rows have a purchase of.

        Args:
            rows: all rows of one customer: the pace of one item is judged by all of them.
            now: Unix seconds; probabilities are of the days after it.
        """
        bought = rows.take(np.flatnonzero(rows.event_types == PURCHASE))
        histories = histories_of(bought, now)
        priors = self.priors(bought.item_nums)
        one = np.zeros(len(bought.item_nums), dtype=np.int32)
        pace = paces(histories, priors, one, 1, self.customer_prior)[one]
        chances = [self.probability(histories, priors, pace, days) for days in HORIZONS_DAYS]
        return Forecast(
            item_nums=bought.item_nums,
            days=bought.days,
            last_times=bought.last_times,
            due_times=self.due_times(bought, now),
            probabilities=np.stack(chances, axis=1),
        )

    def due_times(self, purchases: StateRows, now: int) -> TimeArray:
        """Returns when items are needed again, shape (rows,), Unix seconds.

        Args:
            purchases: rows of purchases, of one customer or of many.
            now: Unix seconds.
        """
        histories = histories_of(purchases, now)
        days = interval_days(histories, self.priors(purchases.item_nums))
        due: TimeArray = purchases.last_times + np.round(days * DAY_S).astype(np.int64)
        return due

    def priors(self, item_nums: NumArray) -> Priors:
        """Returns what is expected of items, those that came later like the shop as a whole."""
        shape, scale, drops, stays = self.process.tolist()
        rates = _padded(self.item_rates, item_nums, shape / scale)
        ends = _padded(self.item_drops, item_nums, drops / (drops + stays))
        return priors_of(self.process, rates, ends)

    def probability(
        self, histories: Histories, priors: Priors, pace: Values, days: float
    ) -> Values:
        """Returns the corrected probability of a purchase within so many days, shape (pairs,)."""
        level, slope, weight = self.correction.tolist()
        hazard = hazards(histories, priors, days)
        raised = level + np.exp(slope) * np.log(hazard) + weight * pace
        corrected: Values = -np.expm1(-np.exp(raised))
        return corrected


def histories_of(rows: StateRows, now: int) -> Histories:
    """Returns the histories of rows of purchases, as seen from a time."""
    return Histories(
        repeats=np.maximum(rows.days.astype(np.float64) - 1.0, 0.0),
        spans=(rows.last_times - rows.first_times) / DAY_S,
        # Clocks differ: what seems to lie ahead has just happened.
        silences=np.maximum(now - rows.last_times, 0) / DAY_S,
    )


def priors_of(process: Values, rates: Values, ends: Values) -> Priors:
    """Returns the priors of pairs whose items have these mean rates and means of drops."""
    shape, _, drops, stays = process
    return Priors(shape, shape / rates, (drops + stays) * ends, (drops + stays) * (1.0 - ends))


def paces(
    histories: Histories,
    priors: Priors,
    owners: NumArray,
    count: int,
    prior: float,
) -> Values:
    """Returns how fast each customer buys again, beside what is usual for the items bought.

    Args:
        histories: of pairs.
        priors: of the same.
        owners: the customer of each pair, from 0.
        count: customers.
        prior: purchases at the usual pace that each is taken to have made.

    Returns:
        Logarithms, shape (count,): 0 is usual.
    """
    open_days = histories.spans + (1 - probability_dropped(histories, priors)) * histories.silences
    expected = np.bincount(owners, priors.shape / priors.scale * open_days, minlength=count)
    bought = np.bincount(owners, histories.repeats, minlength=count)
    pace: Values = np.log((bought + prior) / (expected + prior))
    return pace


def hazards(histories: Histories, priors: Priors, days: float) -> Values:
    """Returns -log(1 - probability) of a purchase within so many days, above 0."""
    chance = probability_bought(histories, priors, days)
    hazard: Values = np.maximum(-np.log1p(-chance), LEAST_HAZARD)
    return hazard


def _padded(values: FloatArray, item_nums: NumArray, usual: float) -> Values:
    found = np.full(len(item_nums), usual)
    known = item_nums < len(values)
    found[known] = values[item_nums[known]]
    return found
