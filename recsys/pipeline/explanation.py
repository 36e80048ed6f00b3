"""How an item's score came about: sums that add up."""

from dataclasses import dataclass

from recsys.types import ItemId


@dataclass(frozen=True, slots=True)
class Contribution:
    """A part of a score."""

    name: str
    """What adds it: a feature, or a source."""
    value: float
    """How much it adds; it may be negative."""
    input: float | None = None
    """What the feature was; None for sources, and for a feature with nothing to say."""


@dataclass(frozen=True, slots=True)
class HistoryContribution:
    """What one item of the history adds to a score."""

    item_id: ItemId
    value: float
    """It may be negative."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Three sums, each the largest part first; a part that adds nothing is left out."""

    features: tuple[Contribution, ...] = ()
    """They and `ranker_base` add up to `ranker_score`; empty where no ranker ordered the item."""
    ranker_base: float = 0.0
    """What the trees give on average."""
    ranker_score: float = 0.0
    """Of the trees, before it is squashed: the item's score is 1 / (1 + exp(-ranker_score))."""
    sources: tuple[Contribution, ...] = ()
    """They add up to `blend_score`."""
    blend_score: float = 0.0
    """Before the ranker and the rules; 0 for an item that no source of the blend gave."""
    history: tuple[HistoryContribution, ...] = ()
    """They add up to `taste_score`; empty where the placement has no taste vectors, or the
    customer or the item has none."""
    taste_score: float = 0.0
    """Inner product of the customer's and the item's taste vectors."""
