"""What a caller asks and what comes back: plain values, so that a query can be replayed."""

from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.live.deployment import Exploration
from recsys.live.filter_parameters import Parameters
from recsys.live.rules import UNTUNED, RuleMove, RuleSet, Strictness, Tuning
from recsys.pipeline.explanation import Explanation
from recsys.types import CustomerId, EventType, FloatArray, ItemId, NumArray, Tier

DEFAULT_LIMIT = 10
MAX_LIMIT = 500
MAX_GIVEN_ITEMS = 1_000
"""Items that one query may have ordered, and the limit of such a query."""


class RecentEvent(NamedTuple):
    """An event that travels with the query and counts as history for this answer."""

    item_id: ItemId
    event_type: EventType
    event_time: int
    """Unix seconds, UTC."""
    quantity: float = 1.0
    """Units bought or brought back."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question for one placement; carries its own time."""

    placement: str
    query_time: int
    """Unix seconds, UTC: ages of events are counted from here."""
    customer_id: CustomerId | None = None
    """A customer, or a visitor as `visitor_key(id)`; None: nobody in particular."""
    limit: int = DEFAULT_LIMIT
    """Items wanted, 1 to `MAX_LIMIT`; 1 to `MAX_GIVEN_ITEMS` of `only_item_ids`."""
    context_item_ids: tuple[ItemId, ...] = ()
    """What the page is about: the product shown, the cart's items."""
    events: tuple[RecentEvent, ...] = ()
    """Events that the bundle does not count, in any order."""
    merged_ids: tuple[CustomerId, ...] = ()
    """Visitors who turned out to be the customer: what the bundle knows of them is the
    customer's."""
    earlier: tuple[tuple[CustomerId, RecentEvent], ...] = ()
    """Events that the bundle counts, and for whom it does: those of the items that
    `Resolver.unclear_items` names. With them the history is that of all events even where
    events came late; without them a late event may be missed, as `recsys.data.merge` says."""
    filter: str = ""
    """SQL boolean expression over catalogue columns; empty: none."""
    filter_name: str = ""
    """A filter of `rules`, which must hold as well; empty: none."""
    filter_parameters: Parameters = ()
    """Values for `:name` in both filters, as `to_parameters` gives them."""
    exclude_item_ids: tuple[ItemId, ...] = ()
    only_item_ids: tuple[ItemId, ...] = ()
    """Orders these items, variants of one product too, and lists no others; empty: the list is
    made from the whole shop."""
    market: str | None = None
    """Takes availability and price from this market; None: from the item itself."""
    rules: RuleSet | None = None
    """What the deployment file says of the placement's lists; None: nothing."""
    tuning: Tuning = UNTUNED
    """How the list is varied, in place of what the rules say."""
    strictness: Strictness = Strictness.AS_RULES
    """What happens when too few items pass the rules."""
    exploration: Exploration | None = None
    """How one place of the list is drawn; None: none is."""
    seed: str = ""
    """What a draw starts from: the same query with the same seed draws the same."""
    explain: bool = False
    """Whether the items come with their explanations, for about the cost of another list."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is in the list, as a code with parameters that a shop can translate."""

    code: str
    """Kebab-case, for example `because-you-bought`; listed in `docs/placements.md`."""
    item_ids: tuple[ItemId, ...] = ()
    """The items that the reason speaks of, strongest first."""
    count: int = 0
    """How often, where the reason counts something; else 0."""
    date: int | None = None
    """The moment that the reason speaks of, Unix seconds, UTC; None: it speaks of none."""
    label: str = ""
    """The segment, category or brand that the reason speaks of; empty: none."""


@dataclass(frozen=True, slots=True)
class Replenishment:
    """When a customer is expected to buy an item again."""

    due_time: int
    """The expected time, Unix seconds, UTC; it may lie in the past: the purchase is overdue."""
    probability_7_days: float
    probability_14_days: float
    probability_28_days: float
    """That the item is bought within so many days from the query's time; they never fall."""


@dataclass(frozen=True, slots=True)
class RecommendedItem:
    """One place in a list."""

    item_id: ItemId
    item_num: int
    score: float
    """Comparable only within one list."""
    rank: int
    """1 is the first place."""
    source: str
    """The source that gave the item the largest part of its score."""
    reason: Reason
    propensity: float | None = None
    """Probability with which this item was drawn for this place; None: nothing was drawn."""
    moves: tuple[RuleMove, ...] = ()
    """What rules did to the item itself, in the order in which they did."""
    explanation: Explanation | None = None
    """How the score came about; None: nobody asked."""
    replenishment: Replenishment | None = None
    """When the customer needs the item again; None: the placement does not say."""


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The answer to one query."""

    placement: str
    items: tuple[RecommendedItem, ...]
    tier: Tier
    """The best tier that any of the items came from."""
    bundle_version: str
    trained_until: int
    """Unix seconds, UTC: the bundle knows no event at or after this."""
    missing_item_ids: tuple[ItemId, ...] = ()
    """Context items that the catalogue does not have."""
    title: Reason | None = None
    """What the list as a whole is about; None: nothing in particular."""
    relaxed_rules: tuple[str, ...] = ()
    """Rules that gave way so that the list is full, by name, in the order in which they did."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Scored items of one query, best first, with the part that each source gave."""

    item_nums: NumArray
    scores: FloatArray
    parts: FloatArray = field(repr=False)
    """Shape (rows, sources) float32: contributions; a row sums to its score."""
