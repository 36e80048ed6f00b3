"""What a placement is, apart from what must be fitted for it.

A bundle's configuration has placements, and a deployment file adds more over the same sources.
"""

from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from recsys.config import StrictModel

Answers: TypeAlias = Literal["items", "labels", "customers"]
"""What a placement answers with."""


class SourceUse(StrictModel):
    """One source's part in a placement."""

    name: str
    """A source of the bundle."""
    weight: float = Field(gt=0)
    """Multiplies the source's normalised score."""


class Boost(StrictModel):
    """A source that multiplies the blend instead of adding to it."""

    name: str
    """A source of the bundle, such as one of recent popularity."""
    power: float = Field(gt=0, le=2)
    """Of its share: 0.3 is mild."""


class LabelsOf(StrictModel):
    """Which labels a placement answers with."""

    column: str
    """Of the catalogue: `category`, or any column of text, such as `brand`."""
    depth: int = Field(default=0, ge=0, le=20)
    """Parts of a category's path that make a label, from the widest; 0: the whole path."""


class PlacementSettings(StrictModel):
    """A placement: sources are blended, then `fill` sources make the list full."""

    description: str = Field(default="", max_length=500)
    """What it shows, in a sentence."""
    answers: Answers = "items"
    """What it answers with: items; labels of the catalogue; or the customers of one item."""
    sources: tuple[SourceUse, ...] = Field(min_length=1)
    """Blended: an item's score is the weighted sum of its normalised scores."""
    boost: Boost | None = None
    """Multiplies the sum by a power of one source's share."""
    fill: tuple[str, ...] = ()
    """Sources asked in this order while the list is short; the last should rank everything."""
    seeds: Literal["history", "context", "anchor"] = "history"
    """What sources start from: the customer's history; the context items (and, where the query
    names none that is known, the history); or one purchase, which the list is named after."""
    filter: str = ""
    """SQL boolean expression over catalogue columns that all items pass; empty: none."""
    within: str = ""
    """A source: the blend shows only items that it gives, and `fill` goes beyond them once these
    run out; empty: all items."""
    rotation_weeks: int | None = Field(default=None, ge=2, le=52)
    """The list is that of the query's calendar week: what happens within the week does not change
    it, and an item is picked for a customer in one week of so many."""
    exclude: Literal["nothing", "bought", "seen"] = "nothing"
    """Leaves out items the customer bought, or had any event with."""
    only_bought: bool = False
    """Shows nothing but items the customer bought: such a list may be short, even empty."""
    new_items: bool = True
    """Whether items that the bundle does not know take places for what they are like."""
    replenishment: str = ""
    """A model of kind `replenishment` that says beside each item when it is needed again, and
    moves none; empty: nothing is said."""
    labels: LabelsOf | None = None
    """Which ones; for `answers = "labels"` alone."""
    candidates: int = Field(default=200, ge=1, le=5_000)
    """Items taken from each source."""

    @model_validator(mode="after")
    def _not_contradictory(self) -> Self:
        if self.only_bought and self.exclude != "nothing":
            message = "only_bought and exclude contradict each other"
            raise ValueError(message)
        if (self.answers == "labels") != (self.labels is not None):
            message = "answers = 'labels' goes with a table `labels` that names their column"
            raise ValueError(message)
        if self.seeds != "history" and (self.rotation_weeks or self.answers != "items"):
            message = f"seeds = {self.seeds!r} goes with lists of items that follow their reader"
            raise ValueError(message)
        if self.answers == "customers":
            self._asks_for_customers()
        return self

    def asked(self) -> tuple[str, ...]:
        """Returns the names of all sources that it asks, in their order."""
        boosts = [self.boost.name] if self.boost else []
        limits = [self.within] if self.within else []
        return (*(use.name for use in self.sources), *self.fill, *boosts, *limits)

    @property
    def takes_new_items(self) -> bool:
        """Whether items that the bundle does not know take places."""
        return self.new_items and not self.only_bought

    def _asks_for_customers(self) -> None:
        """Refuses what says something of a list of items."""
        plain = PlacementSettings.model_construct(sources=self.sources)
        said = ("boost", "fill", "filter", "within", "rotation_weeks", "exclude", "only_bought")
        for name in said:
            if getattr(self, name) != getattr(plain, name):
                message = f"{name} is about lists of items, and this answers with customers"
                raise ValueError(message)
