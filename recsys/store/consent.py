"""What a customer's data may be used for."""

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
