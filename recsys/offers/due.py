"""When customers need the items again that they buy again and again, for eligibility of offers."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.models.known_items import places_of
from recsys.models.purchase_log import PURCHASE
from recsys.models.replenishment_model import ReplenishmentModel
from recsys.offers.values import Audience
from recsys.pipeline.replenish import is_own_interval
from recsys.types import DAY_S, NumArray

DUE = "days_until_due"
"""Column: days until the first of a customer's own items is due, below 0 where it is overdue."""


@dataclass(frozen=True, slots=True, eq=False)
class DueItems:
    """The items that customers have an interval of their own of, which has not passed twice.

    These are the items of which `buy_again` says "due about".
    """

    count: int
    """Customers."""
    owners: NDArray[np.integer]
    """Shape (pairs,): the customer of each, by place in the audience."""
    item_nums: NumArray
    """Shape (pairs,)."""
    days: NDArray[np.float64]
    """Shape (pairs,): until the item is due."""

    @classmethod
    def of(cls, audience: Audience, model: ReplenishmentModel) -> "DueItems":
        """Returns what customers have due by the histories of now."""
        states, now = audience.states, audience.query_time
        bought = np.flatnonzero(states.rows.event_types == PURCHASE)
        rows = states.rows.take(bought)
        due = model.due_times(rows, now)
        kept = is_own_interval(rows.days, rows.last_times, due, now)
        owners = np.repeat(np.arange(len(audience)), np.diff(states.offsets).astype(np.int64))
        return cls(
            len(audience),
            owners[bought][kept],
            rows.item_nums[kept],
            (due[kept] - now) / DAY_S,
        )

    def first(self, scope: NumArray | None) -> pl.Series:
        """Returns for each customer in how many days the first item is due; null: none is.

        Args:
            scope: numbers of the items that count, ascending; None: all.
        """
        inside = slice(None) if scope is None else places_of(scope, self.item_nums)[1]
        found = np.full(self.count, np.inf)
        np.minimum.at(found, self.owners[inside], self.days[inside])
        return pl.Series(DUE, np.where(np.isinf(found), np.nan, found), nan_to_null=True)
