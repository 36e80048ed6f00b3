"""Contacts as they are handed to the store: who got which offer when, and what became of it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class ContactState(StrEnum):
    """What became of a contact, later states last; cancelled ends it."""

    CHOSEN = "chosen"
    SENT = "sent"
    SHOWN = "shown"
    OPENED = "opened"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"


class Contact(NamedTuple):
    """One row of the ledger. Amounts are whole millionths of the shop's currency.

    A customer who was held out has a row as well: the offer is then the one that would have been
    given, and it takes neither voucher nor money.
    """

    contact_id: str
    """Any that no other contact has, at most 64 bytes."""
    customer_id: str
    """A customer, or a visitor as `visitor_key(id)`."""
    offer_id: str
    channel: str
    choose_time: int
    """Microseconds since 1970, UTC."""
    plan_id: str = ""
    """Empty: of no plan."""
    held_out: bool = False
    hold_out_share: float = 0.0
    """Probability with which such a customer was held out, whether or not this one was."""
    probability: float = 0.0
    """That it is redeemed, as it was expected."""
    value: float = 0.0
    """Expected, costs taken off, in the shop's currency."""
    basis: str = ""
    """What the value was learned from, see `ValueBasis`."""
    values_version: str = ""
    cost: int = 0
    """What it takes of the budget: expected at first, as it came out once it is redeemed."""
    contact_cost: int = 0
    redemption_cost: int = 0
    sent_time: int | None = None
    """Microseconds since 1970, UTC; None: not yet. The others likewise."""
    shown_time: int | None = None
    opened_time: int | None = None
    redeemed_time: int | None = None
    cancelled_time: int | None = None
    answer: str = "{}"
    """JSON: what else the answer said, so that a repeated call hears the same."""

    @property
    def state(self) -> ContactState:
        """Returns what became of it last."""
        times = {state: getattr(self, f"{state.value}_time", None) for state in ContactState}
        there = [state for state, time in times.items() if time is not None]
        return there[-1] if there else ContactState.CHOSEN


class Cap(NamedTuple):
    """How many contacts a customer may have in a time."""

    channels: Sequence[str]
    """Counted together; empty: all channels."""
    most: int
    window: int
    """Microseconds: there are at most `most` in any stretch of this length."""


class StoredOffer(NamedTuple):
    """An offer and what was taken of it. Amounts are millionths of the shop's currency."""

    offer_id: str
    content: str
    """The offer as JSON."""
    voucher_stock: int | None
    budget: int | None
    removed: bool
    """Nobody gets it any more; what was taken is kept."""
    vouchers_taken: int
    spent: int
    contact_count: int
    redemption_count: int
    change_number: int
