"""Answers that are not lists of items: labels of the catalogue, and customers of an item."""

from dataclasses import dataclass

from recsys.pipeline.query import Reason
from recsys.types import CustomerId, ItemId, Tier

DEFAULT_CUSTOMERS = 100
MAX_CUSTOMERS = 10_000


@dataclass(frozen=True, slots=True)
class RecommendedLabel:
    """One place in a list of labels."""

    label: tuple[str, ...]
    """A brand or another label alone; of categories the path, widest first."""
    score: float
    """Comparable only within one list; 0 where nothing is known that speaks for it."""
    rank: int
    """1 is the first place."""
    reason: Reason
    """Why the label's best item would be in a list of items; it names an item."""


@dataclass(frozen=True, slots=True)
class LabelRecommendations:
    """The labels that answer one query."""

    placement: str
    column: str
    """Of the catalogue, that the labels are of."""
    labels: tuple[RecommendedLabel, ...]
    tier: Tier
    """The best tier that any of the labels came from."""
    bundle_version: str
    trained_until: int
    """Unix seconds, UTC: the bundle knows no event at or after this."""


@dataclass(frozen=True, slots=True)
class CustomersQuery:
    """Asks whom an item would interest."""

    placement: str
    """One that answers with customers."""
    item_id: ItemId
    query_time: int
    """Unix seconds, UTC."""
    limit: int = DEFAULT_CUSTOMERS
    """Customers wanted, 1 to `MAX_CUSTOMERS`."""
    exclude_buyers: bool = False
    """Leaves out those of whom the bundle knows a purchase of the item."""


@dataclass(frozen=True, slots=True)
class RecommendedCustomer:
    """One place in a list of customers."""

    customer_id: CustomerId
    score: float
    """Comparable only within one list; 0 where nothing links the customer to the item."""
    rank: int
    """1 is the first place."""


@dataclass(frozen=True, slots=True)
class CustomerRecommendations:
    """The customers whom an item would interest, the most interested first."""

    placement: str
    item_id: ItemId
    customers: tuple[RecommendedCustomer, ...]
    bundle_version: str
    trained_until: int
    """Unix seconds, UTC: the bundle knows no event at or after this."""
