"""What a redemption brings before the offer's own costs, in the shop's currency."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.state import CustomerStates
from recsys.offers.values import ScopedOffer
from recsys.pipeline.request import BOUGHT

UNBOUGHT = 1e-3
"""Weight of an item that nobody bought yet: an offer may be about such items alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """What items leave, and how often each is bought."""

    weights: NDArray[np.float64]
    """Shape (items,): customer days with a purchase; 0 for an item without a price."""
    weighted: NDArray[np.float64]
    """Shape (items,): weights times margins. The margin is the price without the cost, the whole
    price where no cost is known."""

    @classmethod
    def of(cls, bought: NDArray[np.float64], catalogue: Catalogue) -> "Margins":
        """Reads the catalogue's prices and costs.

        Args:
            bought: customer days with a purchase, shape (items,).
            catalogue: of now.
        """
        price = catalogue.frame["price"].to_numpy().astype(np.float64)
        cost = catalogue.frame["cost"].to_numpy().astype(np.float64)
        margin = price - np.nan_to_num(cost)
        weights = UNBOUGHT + bought
        weights[np.isnan(margin)] = 0.0
        return cls(weights, np.nan_to_num(margin) * weights)

    def gains(self, offers: Sequence[ScopedOffer]) -> NDArray[np.float64]:
        """Returns what one redemption of each offer brings, shape (offers,).

        That is what the offer says, else the mean margin of its items as often as they are
        bought; 0 where none has a price.
        """
        return np.array([self._gain(each) for each in offers], dtype=np.float64)

    def _gain(self, scoped: ScopedOffer) -> float:
        if scoped.offer.gain_per_redemption is not None:
            return scoped.offer.gain_per_redemption
        inside = slice(None) if scoped.item_nums is None else scoped.item_nums
        total = float(self.weights[inside].sum())
        return float(self.weighted[inside].sum()) / total if total else 0.0


def purchase_days(states: CustomerStates, items: int) -> NDArray[np.float64]:
    """Returns on how many customer days each item was bought, shape (items,)."""
    rows = states.rows
    bought = BOUGHT[rows.event_types] > 0
    days = rows.days[bought].astype(np.float64)
    return np.bincount(rows.item_nums[bought], days, items).astype(np.float64)
