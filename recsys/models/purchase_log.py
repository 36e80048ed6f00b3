"""Purchases of customers in time order: what they come to until a moment, and what follows it."""

from dataclasses import dataclass

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.state import DecayScale, StateRows, sum_days
from recsys.models.purchase_process import Values
from recsys.types import DAY_S, EVENT_CODES, EventType, NumArray, TimeArray

PURCHASE = EVENT_CODES[EventType.PURCHASE]


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseLog:
    """One row a purchase, ascending by time; all of shape (purchases,)."""

    customer_nums: NumArray
    item_nums: NumArray
    times: TimeArray

    @classmethod
    def of(cls, log: Interactions, step: int) -> "PurchaseLog":
        """Takes the purchases of every so manieth customer."""
        kept = log.event_types == PURCHASE
        if step > 1:
            kept &= log.customer_nums % step == 0
        return cls(log.customer_nums[kept], log.item_nums[kept], log.times[kept])

    def until(self, end: int) -> tuple[NumArray, StateRows]:
        """Returns the customer and the row of each pair with a purchase before a time."""
        part = slice(0, int(np.searchsorted(self.times, end)))
        kinds = np.full(part.stop, PURCHASE, dtype=np.uint8)
        columns = self.customer_nums[part], self.item_nums[part], kinds, self.times[part]
        return sum_days(*columns, DecayScale((), end))

    def waits(self, customer_nums: NumArray, item_nums: NumArray, start: int) -> Values:
        """Returns days from a time to each pair's next purchase, infinity where there is none."""
        part = slice(int(np.searchsorted(self.times, start)), len(self.times))
        count = int(max(item_nums.max(initial=0), self.item_nums.max(initial=0))) + 1
        # Times ascend, so the first row of each pair is its earliest.
        later, firsts = np.unique(
            self.customer_nums[part].astype(np.int64) * count + self.item_nums[part],
            return_index=True,
        )
        wanted = customer_nums.astype(np.int64) * count + item_nums
        waits = np.full(len(wanted), np.inf)
        if len(later):
            places = np.minimum(np.searchsorted(later, wanted), len(later) - 1)
            found = later[places] == wanted
            waits[found] = (self.times[part][firsts[places[found]]] - start) / DAY_S
        return waits
