"""What a customer's data may be used for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Consent(NamedTuple):
    """One yes or no per purpose; everything is allowed to who never said anything."""

    recommend_on_site: bool = True
    """Pages may be made from the customer's history; else as for somebody unknown."""
    use_in_email: bool = True
    """Emails may be made from it."""
    use_in_training: bool = True
    """Models may be fitted on it."""


class StoredConsent(NamedTuple):
    """A consent and when it was given."""

    consent: Consent
    set_time: int | None
    """Microseconds since 1970, UTC; None: the customer never said anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Refusals:
    """Who refuses what, as far as it was read; immutable."""

    customer_ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By purpose, a field of `Consent`."""
    change: int = 0
    """Of the store's counter of consents when they were read."""

    def refuses(self, customer_id: str, purpose: str) -> bool:
        """Says whether the customer does not allow a purpose."""
        return customer_id in self.customer_ids.get(purpose, frozenset())


NO_REFUSALS = Refusals()
"""Everybody allows everything."""
