"""Values where nothing was learned yet: how well an offer's items fit the customer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from recsys.data.catalogue import Catalogue
from recsys.data.state import CustomerStates, type_weight_array
from recsys.offers.gains import Margins, purchase_days
from recsys.offers.values import Audience, ScopedOffer, ValueBasis, Worth
from recsys.types import EventType

RESPONSE = 0.05
"""Taken for the probability that a customer redeems an offer on all that the customer buys; no
data says so, and only learned values tell better."""
SHRINKAGE = 5.0
"""Days of purchases by an average customer that every customer's own are added to."""
_WEIGHTS = type_weight_array(
    {
        EventType.PURCHASE: 1.0,
        EventType.ADD_TO_CART: 0.3,
        EventType.WISHLIST: 0.3,
        EventType.VIEW: 0.1,
        EventType.CLICK: 0.1,
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class AffinityValues:
    """Takes an offer to be redeemed as often as its items are among what the customer wants.

    With a customer's weight of item i being w_i (days of purchases, and a part of those of carts
    and views), the shop's share of the offer's items s, and k = `SHRINKAGE`:

        affinity = (sum of w_i over the offer's items + k s) / (sum of all w_i + k)
        probability = `RESPONSE` * affinity
        gain = probability * gain of a redemption
    """

    bought: NDArray[np.float64]
    """Shape (items,): customer days with a purchase."""
    margins: Margins
    version: str = ""

    @classmethod
    def of(cls, states: CustomerStates, catalogue: Catalogue) -> "AffinityValues":
        """Returns the values by what customers of a bundle bought."""
        return cls.by(purchase_days(states, len(catalogue)), catalogue)

    @classmethod
    def by(cls, bought: NDArray[np.float64], catalogue: Catalogue) -> "AffinityValues":
        """Returns the same, given on how many customer days each item was bought."""
        return cls(bought, Margins.of(bought, catalogue))

    def worth(self, audience: Audience, offers: Sequence[ScopedOffer]) -> Worth:
        """Returns what each offer is worth to each customer."""
        items = len(self.bought)
        membership = _membership(offers, items)
        everything = np.array([each.item_nums is None for each in offers], dtype=np.bool_)
        shop = self.bought.sum()
        shares = (self.bought @ membership) / shop if shop else np.zeros(len(offers))
        rows = audience.states.rows
        weights = _WEIGHTS[rows.event_types].astype(np.float64) * rows.days
        own = csr_array((weights, rows.item_nums, audience.states.offsets), (len(audience), items))
        inside = (own @ membership).toarray() if len(offers) else np.zeros((len(audience), 0))
        affinity = (inside + SHRINKAGE * shares) / (own.sum(axis=1)[:, None] + SHRINKAGE)
        affinity[:, everything] = 1.0
        probability = np.clip(RESPONSE * affinity, 0.0, 1.0)
        gains = self.margins.gains(offers)
        return Worth(
            probability.astype(np.float32),
            (probability * gains).astype(np.float32),
            (ValueBasis.AFFINITY,) * len(offers),
        )


def _membership(offers: Sequence[ScopedOffer], items: int) -> csc_array:
    """Returns items x offers, 1 where an offer is about an item; baskets have none."""
    nothing = np.zeros(0, dtype=np.int32)
    nums = [nothing if each.item_nums is None else each.item_nums for each in offers]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in nums])]).astype(np.int64)
    flat = np.concatenate([nothing, *nums])
    return csc_array((np.ones(len(flat)), flat, offsets), (items, len(offers)))
