"""What is asked of the ledger when an offer is to be given, and what it answers."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from recsys.store.contacts import Cap, Contact


class Candidate(NamedTuple):
    """An offer that a customer may get, as far as its asker knows. Amounts are millionths."""

    offer_id: str
    cost: int
    """Expected, to be taken of the budget."""
    contact_cost: int
    redemption_cost: int
    cooldown: int
    """Microseconds in which the customer does not get it again; 0: none."""
    held_out: bool
    """Whether the customer gets nothing in its place, so that its value can be learned."""
    probability: float = 0.0
    value: float = 0.0
    basis: str = ""


class Choosing(NamedTuple):
    """A request to give a customer the first of some offers that is still left."""

    contact_id: str
    """Of the contact to be made; asked again with the same one, nothing is taken again."""
    customer_id: str
    """A customer, or a visitor as `visitor_key(id)`."""
    channel: str
    time: int
    """Microseconds since 1970, UTC."""
    purpose: str
    """Field of `Consent` that the customer must not refuse."""
    caps: Sequence[Cap]
    candidates: Sequence[Candidate]
    """Best first."""
    alternates: int = 0
    """How many offers that are left as well to name beside the first."""
    hold_out_share: float = 0.0
    values_version: str = ""
    plan_id: str = ""
    note: str = "{}"
    """JSON, kept with the contact for those who ask again."""


class Outcome(StrEnum):
    """What came of it."""

    GIVEN = "given"
    HELD_OUT = "held-out"
    """The customer gets nothing, and the ledger says in whose place."""
    CAPPED = "capped"
    """The customer had as many contacts as the caps and the offers' cooldowns allow."""
    SPENT = "spent"
    """Nothing is left of any offer, or there was none."""
    NO_CONSENT = "no-consent"
    ERASED = "erased"
    """The customer was erased at that time or later."""


class Chosen(NamedTuple):
    """What the ledger answered."""

    outcome: Outcome
    left: Sequence[int]
    """Places of the candidates that are left, the given one first."""
    contact: Contact | None
    """The one that was made; of a dry run the one that would be. None: none."""
    repeated: bool = False
    """Whether the contact was there already; what is left was then not looked at."""
