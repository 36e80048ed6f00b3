"""What an offer is: a frozen value that a file, a request and the store all make the same."""

from datetime import datetime
from enum import StrEnum
from math import ceil
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from recsys.config import StrictModel

MICROS = 1_000_000
"""Parts of the shop's currency in which the store counts: whole numbers add up exactly."""
MAX_MONEY = 1e12
"""No amount is above; sums of them still fit 64 bits in millionths."""
MAX_ITEMS = 10_000
MAX_PERCENT = 100.0

# Ids travel in tokens, file names and logs.
_NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]+$"
OfferId = Annotated[str, StringConstraints(pattern=_NO_CONTROLS, max_length=64)]
Channel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
Money = Annotated[float, Field(ge=0, le=MAX_MONEY, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class OfferKind(StrEnum):
    """What a customer gets."""

    PERCENT = "percent"
    """A part of the price, in percent."""
    AMOUNT = "amount"
    """An amount off."""
    POINTS = "points"
    """Points of a loyalty programme."""
    CONTENT = "content"
    """Something to read or look at, without any discount."""


class OfferScope(StrictModel):
    """What an offer is about: some items, or a category, or with neither whatever is bought."""

    item_ids: tuple[Name, ...] = Field(default=(), max_length=MAX_ITEMS)
    category: tuple[Name, ...] = Field(default=(), max_length=16)
    """A path, widest first: all items whose own path begins so."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.item_ids and self.category:
            message = "category: an offer is about items or about a category, not both"
            raise ValueError(message)
        if len(set(self.item_ids)) < len(self.item_ids):
            message = "item_ids: one of them stands twice"
            raise ValueError(message)
        return self

    @property
    def is_basket(self) -> bool:
        """Says whether it is about whatever is bought."""
        return not (self.item_ids or self.category)


class OfferCost(StrictModel):
    """What an offer costs the shop, in its currency."""

    per_contact: Money = 0.0
    per_redemption: Money = 0.0
    """Discount included."""

    @property
    def is_free(self) -> bool:
        """Says whether it costs nothing."""
        return not (self.per_contact or self.per_redemption)

    def expected(self, probability: float) -> float:
        """Returns what a contact costs on average, by the probability that it is redeemed."""
        return self.per_contact + probability * self.per_redemption


class Offer(StrictModel):
    """Something that may be sent or shown to a customer."""

    offer_id: OfferId
    title: str = Field(default="", max_length=4_096)
    scope: OfferScope = OfferScope()
    kind: OfferKind
    discount: float = Field(default=0.0, ge=0, le=MAX_MONEY, allow_inf_nan=False)
    """Percent, an amount in the shop's currency, or points; 0 for content."""
    cost: OfferCost = OfferCost()
    start_time: AwareDatetime | None = None
    """First moment; None: at once."""
    end_time: AwareDatetime | None = None
    """First moment after it; None: never."""
    channels: tuple[Channel, ...] = Field(min_length=1, max_length=20)
    eligibility: str = Field(default="", max_length=8_192)
    """SQL boolean expression over customer columns (`docs/offers.md`); blank: everybody."""
    voucher_stock: int | None = Field(default=None, ge=0, le=10**12)
    """Contacts that there may be; None: any number."""
    budget: Money | None = None
    """What all of its contacts may cost; needed where it costs anything."""
    priority: int = Field(default=0, ge=-1_000, le=1_000)
    """Before offers of smaller priority, whatever their value."""
    cooldown_days: float = Field(default=0.0, ge=0, le=3_650)
    """Days after a contact in which the same customer does not get it again."""
    gain_per_redemption: float | None = Field(
        default=None, ge=-MAX_MONEY, le=MAX_MONEY, allow_inf_nan=False
    )
    """What a redemption brings before the offer's own costs, in the shop's currency; None: the
    mean margin of its items."""
    attributes: dict[str, Any] = Field(default_factory=dict)
    """Anything else worth keeping, in the words of JSON."""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        fault = self._discount_fault()
        if fault is None and not self.cost.is_free and self.budget is None:
            fault = "budget: is needed, because the offer costs something"
        if fault is None and self.start_time and self.end_time:
            late = self.start_time >= self.end_time
            fault = "end_time: is not after start_time" if late else None
        if fault is None and len(set(self.channels)) < len(self.channels):
            fault = "channels: one of them stands twice"
        if fault is not None:
            raise ValueError(fault)
        return self

    def _discount_fault(self) -> str | None:
        if self.kind is OfferKind.CONTENT:
            return "discount: content has none" if self.discount else None
        if not self.discount:
            return f"discount: must be above 0 for an offer of the kind {self.kind.value!r}"
        if self.kind is OfferKind.PERCENT and self.discount > MAX_PERCENT:
            return "discount: is above 100 percent"
        return None

    def is_valid_at(self, time: int) -> bool:
        """Says whether it may be given at a time, Unix seconds."""
        return _at_or_after(time, self.start_time) and not (
            self.end_time is not None and self.end_time.timestamp() <= time
        )


def to_micros(amount: float) -> int:
    """Returns an amount in millionths of the shop's currency, rounded up."""
    # Up, so that a budget is never exceeded by rounding; first to what a float can tell apart.
    return ceil(round(amount * MICROS, 3))


def from_micros(micros: int) -> float:
    """Returns millionths as an amount of the shop's currency."""
    return micros / MICROS


def _at_or_after(time: int, start: datetime | None) -> bool:
    return start is None or start.timestamp() <= time
