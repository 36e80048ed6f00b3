"""What offers are worth, as it was learned from contacts, redemptions and purchases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field

from recsys.config import StrictModel
from recsys.models.protocol import Arrays
from recsys.models.small_trees import Trees, TreesConfig
from recsys.models.uplift import UpliftConfig, UpliftModel
from recsys.offers.value_features import FEATURES, feature_rows
from recsys.offers.values import Audience, ScopedOffer, ValueBasis, Worth
from recsys.pipeline.features import schema_hash
from recsys.types import FloatArray

_ROWS_AT_ONCE = 1_000_000
"""Customers x offers whose features are in memory at a time: 92 MB."""


class ValuesConfig(StrictModel):
    """How values are learned."""

    window_days: float = Field(default=28.0, gt=0, le=365)
    """Purchases within so many days from a contact count as what it brought or did not bring;
    later contacts are not learned from."""
    margin: float = Field(default=1.0, gt=0, le=1)
    """The part of what customers pay that is gain; 1: values are in revenue."""
    propensity: TreesConfig = TreesConfig(trees=100, leaves=8, least_rows=20)
    uplift: UpliftConfig = UpliftConfig()
    least_contacts: int = Field(default=200, ge=20)
    """Observed contacts below which nothing is learned."""
    least_redemptions: int = Field(default=20, ge=1)
    least_held_out: int = Field(default=200, ge=20)
    """Customers held out of any offer below which no uplift is learned."""
    least_held_out_of_offer: int = Field(default=50, ge=1)
    """The same of one offer; others are valued by propensity."""
    cut_amounts_at: float = Field(default=0.99, gt=0.5, le=1)
    """Larger purchases than this quantile count as large as that: few decide nothing."""


class OfferFacts(StrictModel):
    """What is known of one offer's past."""

    contacts: int
    redemptions: int
    held_out: int
    gain_per_redemption: float
    """Mean gain of the customers' purchases on the day of a redemption, drawn to all offers'."""
    basis: Literal[ValueBasis.UPLIFT, ValueBasis.PROPENSITY]


class Learned(StrictModel):
    """What was learned beside the trees."""

    config: ValuesConfig
    features: str
    """Hash of the names and order of the features."""
    offers: dict[str, OfferFacts]
    gain_per_redemption: float
    """Of an offer that was never given."""
    incremental_share: float = Field(ge=0, le=1)
    """The part of what redeemers buy that they would not have bought: measured where customers
    were held out, 1 where none were, so that values by propensity are then too high."""


@dataclass(frozen=True, eq=False)
class LearnedValues:
    """Implements `OfferValues`."""

    version: str
    learned: Learned
    propensity: Trees = field(repr=False)
    uplift: UpliftModel | None = field(repr=False)
    """None: nobody was held out at random, or too few; nothing says who buys because of offers."""

    def arrays(self) -> Arrays:
        """Returns the learned trees by name."""
        uplift = self.uplift.arrays() if self.uplift else {}
        return {"propensity": self.propensity.array()} | {
            f"uplift-{name}": array for name, array in uplift.items()
        }

    @classmethod
    def restore(cls, version: str, learned: Learned, arrays: Arrays) -> "LearnedValues":
        """Returns the values with these arrays.

        Raises:
            ValueError: they are not trees over the features that this program makes.
        """
        if learned.features != feature_hash():
            message = "they were learned from other features than this program makes"
            raise ValueError(message)
        begin = "uplift-"
        parts = {n.removeprefix(begin): a for n, a in arrays.items() if n.startswith(begin)}
        uplift = learned.config.uplift.restore(parts) if parts else None
        propensity = Trees.restore(arrays["propensity"])
        if propensity.width != len(FEATURES):
            message = f"trees have {propensity.width} features, and there are {len(FEATURES)}"
            raise ValueError(message)
        return cls(version, learned, propensity, uplift)

    def worth(self, audience: Audience, offers: Sequence[ScopedOffer]) -> Worth:
        """Returns what each offer is worth to each customer."""
        shape = len(audience), len(offers)
        probability, gain = np.empty(shape, np.float32), np.empty(shape, np.float32)
        uplifted = np.array([self.basis(each) is ValueBasis.UPLIFT for each in offers], np.bool_)
        gains = np.array([self.gain_per_redemption(each) for each in offers])
        step = max(1, _ROWS_AT_ONCE // max(1, len(offers)))
        for start in range(0, len(audience), step):
            part = slice(start, min(start + step, len(audience)))
            rows = _rows(audience, part, offers)
            count = len(rows)
            chance = self.propensity.means(rows.reshape(-1, rows.shape[2])).reshape(count, -1)
            probability[part] = np.clip(chance, 0.0, 1.0)
            gain[part] = chance * gains * self.learned.incremental_share
            if self.uplift is not None and uplifted.any():
                asked = rows[:, uplifted].reshape(-1, rows.shape[2])
                gain[part, uplifted] = self.uplift.uplift(asked).reshape(count, -1)
        basis = tuple(self.basis(each) for each in offers)
        return Worth(probability, gain, basis)

    def basis(self, each: ScopedOffer) -> ValueBasis:
        """Returns what an offer's values were learned from."""
        known = self.learned.offers.get(each.offer.offer_id)
        if self.uplift is None or known is None:
            return ValueBasis.PROPENSITY
        return known.basis

    def gain_per_redemption(self, each: ScopedOffer) -> float:
        """Returns what a redemption brings: as the offer says, else as it was seen."""
        if each.offer.gain_per_redemption is not None:
            return each.offer.gain_per_redemption
        known = self.learned.offers.get(each.offer.offer_id)
        return known.gain_per_redemption if known else self.learned.gain_per_redemption

    @cached_property
    def bases(self) -> Mapping[str, int]:
        """Returns how many of the offers that were met have their values from what."""
        found = {basis.value: 0 for basis in (ValueBasis.UPLIFT, ValueBasis.PROPENSITY)}
        for facts in self.learned.offers.values():
            found[facts.basis.value] += 1
        return found


def feature_hash() -> str:
    """Returns the hash of the features that this program makes."""
    return schema_hash(FEATURES)


def _rows(audience: Audience, part: slice, offers: Sequence[ScopedOffer]) -> FloatArray:
    """Returns the features of some of the customers."""
    states, past = audience.states, audience.past
    offsets = states.offsets[part.start : part.stop + 1]
    own = type(states)(
        offsets - offsets[0],
        states.rows.take(slice(int(offsets[0]), int(offsets[-1]))),
        states.scale,
    )
    given = type(past)(
        past.contacts[part],
        past.redemptions[part],
        past.last_contact_times[part],
        past.last_redemption_times[part],
    )
    times = np.full(len(own), audience.query_time, dtype=np.int64)
    return feature_rows(own, given, times, offers)
