"""One query with everything looked up: what sources and rules work on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from recsys.data.state import DecayScale, StateRows, item_weights, type_weight_array
from recsys.pipeline.query import Query
from recsys.pipeline.rule_parts import Ruling
from recsys.pipeline.scores import Scores
from recsys.types import BoolArray, EventType, FloatArray, ItemId, NumArray, Tier

BOUGHT = type_weight_array({EventType.PURCHASE: 1.0})


class Anchor(NamedTuple):
    """The purchase that a list starts from and is named after."""

    item_num: int
    item_id: ItemId
    time: int
    """Of the last purchase, Unix seconds, UTC."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A query in numbers."""

    query: Query
    rows: StateRows
    """The history: the bundle's rows and the query's events."""
    scale: DecayScale
    history_tier: Tier
    """What a list made from the history is: personalised, or session where the bundle knows
    nothing of the customer."""
    label_nums: NumArray
    """The customer's segment labels."""
    context_nums: NumArray
    """Known context items, distinct, ascending."""
    use_context: bool
    """Whether sources start from the context items instead of the history."""
    allowed: BoolArray
    """Shape (items,): what may be shown."""
    given_nums: NumArray | None = None
    """Allowed items that the query wants ordered, distinct, in its order; None: it wants a
    list."""
    anchor: Anchor | None = None
    """The purchase that is the context; None: what the page is about is, if anything."""
    wider: "Request | None" = None
    """The same with all that fill sources may show once `allowed` runs out; None: no more."""
    ruling: Ruling | None = None
    """What rules ask of the list; None: nothing."""
    learned: "Request | None" = None
    """The same for those who know the bundle's items alone; None: there are no others."""
    stands_for: Mapping[ItemId, ItemId] = field(default_factory=dict)
    """Items that the request does not have itself, and the new items that they stand in for."""
    said: dict[str, Scores] = field(default_factory=dict, repr=False)
    """What sources have said so far, by name: it holds whatever is allowed (`said_by`)."""

    def unrestricted(self) -> "Request":
        """Returns the same request with every item allowed."""
        return self.allowing(np.ones_like(self.allowed))

    def only_given(self) -> "Request":
        """Returns the same request with no item allowed but those that are to be ordered."""
        if self.given_nums is None:
            return self
        given = np.zeros_like(self.allowed)
        given[self.given_nums] = True
        return self.allowing(self.allowed & given)

    def allowing(self, allowed: BoolArray) -> "Request":
        """Returns the same request with these items allowed, shape (items,)."""
        learned = self.learned
        if learned is not None:
            learned = learned.allowing(allowed[: len(learned.allowed)])
        return replace(self, allowed=allowed, learned=learned)

    def seeds(
        self, type_weights: FloatArray, half_life_days: float | None
    ) -> tuple[NumArray, FloatArray]:
        """Returns what a source starts from: item numbers, ascending, and weights above 0.

        Args:
            type_weights: weight per event type code.
            half_life_days: one of the scale's half-lives, None to count days without decay.
        """
        if self.use_context:
            return self.context_nums, np.ones(len(self.context_nums), dtype=np.float32)
        return item_weights(
            self.rows, type_weights, half_life_days, self.scale, self.query.query_time
        )

    @property
    def seed_tier(self) -> Tier:
        """What a list made from the seeds is."""
        if self.anchor is not None or not self.use_context:
            return self.history_tier
        return Tier.SESSION

    def bought(self) -> NumArray:
        """Returns the items that the history has a purchase of, ascending."""
        return np.unique(self.rows.item_nums[BOUGHT[self.rows.event_types] > 0])
