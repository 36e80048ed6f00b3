"""What offers are worth to customers: the protocol that learned values and the fallback meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.data.state import CustomerStates
from recsys.offers.offer import Offer
from recsys.types import CustomerId, FloatArray, NumArray, TimeArray


class ValueBasis(StrEnum):
    """What a value was learned from."""

    UPLIFT = "uplift"
    """Who buys because of an offer: from customers who were held out at random."""
    PROPENSITY = "propensity"
    """Who redeems; part of them would have bought anyway."""
    AFFINITY = "affinity"
    """Nothing was learned yet: how well the offer's items fit the customer."""


@dataclass(frozen=True, slots=True, eq=False)
class PastContacts:
    """What customers were given before `Audience.query_time`; row i is customer i."""

    contacts: NumArray
    """Contacts that were not cancelled, shape (customers,) int32; hold-outs are none."""
    redemptions: NumArray
    last_contact_times: TimeArray
    """Unix seconds, UTC; `UNKNOWN` where there is none."""
    last_redemption_times: TimeArray

    @classmethod
    def none(cls, count: int) -> "PastContacts":
        """Returns those of customers who were never given anything."""
        counts, times = np.zeros(count, np.int32), np.full(count, -1, np.int64)
        return cls(counts, counts, times, times)


@dataclass(frozen=True, slots=True, eq=False)
class Audience:
    """Customers for whom offers are judged: one who asks now, or a slice of all of them."""

    customer_ids: Sequence[CustomerId]
    """Customers, and visitors by their keys; empty text for nobody in particular."""
    states: CustomerStates
    """Row i: the history of customer i, events after the bundle included; item numbers are those
    of the catalogue that the offers' scopes were numbered by."""
    past: PastContacts
    query_time: int
    """Unix seconds, UTC: ages are counted from here."""

    def __len__(self) -> int:
        """Returns the number of customers."""
        return len(self.customer_ids)


@dataclass(frozen=True, slots=True, eq=False)
class ScopedOffer:
    """An offer with the numbers of the items that it is about."""

    offer: Offer
    item_nums: NumArray | None
    """Ascending; None: the whole basket. Empty: no such item is in the catalogue."""


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """What offers are worth to customers. All arrays are finite."""

    probability: FloatArray
    """Shape (customers, offers) float32 in [0, 1]: that the customer redeems the offer."""
    gain: FloatArray
    """Shape (customers, offers) float32: what a contact is expected to bring before its costs, in
    the shop's currency; may be below 0."""
    basis: tuple[ValueBasis, ...]
    """By offer: what its values were learned from."""

    def expected_costs(self, offers: Sequence[ScopedOffer]) -> NDArray[np.float64]:
        """Returns per_contact + probability * per_redemption, shape (customers, offers)."""
        per_contact = np.array([each.offer.cost.per_contact for each in offers], np.float64)
        per_redemption = np.array([each.offer.cost.per_redemption for each in offers], np.float64)
        return per_contact + self.probability.astype(np.float64) * per_redemption

    def values(self, offers: Sequence[ScopedOffer]) -> NDArray[np.float64]:
        """Returns the gains with the expected costs taken off, shape (customers, offers)."""
        return self.gain.astype(np.float64) - self.expected_costs(offers)


class OfferValues(Protocol):
    """Says what offers are worth.

    A customer's row depends on nothing but that customer, the offers and the time: it is the same
    alone and in any slice. Offers and customers that it never met get values too.
    """

    @property
    def version(self) -> str:
        """Names what was learned; empty: nothing was."""
        ...

    def worth(self, audience: Audience, offers: Sequence[ScopedOffer]) -> Worth:
        """Returns what each offer is worth to each customer; no rows, no offers: empty arrays."""
        ...
