"""What a merchandiser may say of a placement's lists: the rules of a deployment file.

Rules are values. `recsys.live.rule_checks` says which of them contradict each other, and
`recsys.pipeline.ruled` what they do to a list; `docs/rules.md` has the order in which they act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from recsys.config import StrictModel
from recsys.live.filter_parameters import ParameterValue
from recsys.types import ItemId

EVERYWHERE = "everywhere"
"""In place of a placement's name: rules of every placement, before its own."""
LEVELS: Mapping[str, float] = {"none": 0.0, "low": 0.25, "medium": 0.5, "high": 0.75}

RuleName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", min_length=1, max_length=64)
]
Text = Annotated[str, StringConstraints(min_length=1)]


def _number(level: object) -> object:
    """Returns the number of a level's name, and anything else as it is."""
    if isinstance(level, str):
        if level not in LEVELS:
            message = f"is a number or one of {', '.join(LEVELS)}"
            raise ValueError(message)
        return LEVELS[level]
    return level


Strength = Annotated[float, BeforeValidator(_number), Field(ge=0, le=1, allow_inf_nan=False)]
Leaning = Annotated[float, BeforeValidator(_number), Field(ge=-1, le=1, allow_inf_nan=False)]


class Strictness(StrEnum):
    """What happens when too few items pass the rules."""

    AS_RULES = "as-rules"
    """Each rule gives way, or not, as it says itself."""
    STRICT = "strict"
    """No rule gives way: the list stays short."""
    FILL = "fill"
    """All but the rules about what may be shown at all give way until the list is full."""


class RuleMove(NamedTuple):
    """What a rule did to an item of a list."""

    rule: str
    """Its name in the file; `diversity`, `freshness` or `popularity` for a query's tuning."""
    from_rank: int
    """The item's place before, from 1; 0: it was not in the list."""
    to_rank: int
    """Its place after this rule."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a query asks for in place of what the placement's rules say; None: as they say."""

    diversity: float | None = None
    """0 to 1."""
    freshness: float | None = None
    """-1 to 1."""
    popularity: float | None = None
    """-1 to 1."""


UNTUNED = Tuning()
"""As the rules say."""


class NamedFilter(StrictModel):
    """A filter that requests and rules use by its name."""

    sql: Text
    """As `docs/filters.md` has it; `:name` stands for a parameter."""
    description: str = ""


class BaseRule(StrictModel):
    """What all rules have."""

    description: str = ""
    start_time: AwareDatetime | None = None
    """First moment; none: since the file is there. A query's own time counts."""
    end_time: AwareDatetime | None = None
    """First moment after it; none: until it leaves the file."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.start_time and self.end_time and self.start_time >= self.end_time:
            message = "end_time: is not after start_time"
            raise ValueError(message)
        return self

    def holds_at(self, time: int) -> bool:
        """Says whether it holds for a query of this time, Unix seconds."""
        begun = self.start_time is None or self.start_time.timestamp() <= time
        return begun and (self.end_time is None or time < self.end_time.timestamp())


class ItemSet(StrictModel):
    """Some of the items: those that pass a filter, or a few by their ids."""

    filter: str = ""
    filter_name: str = ""
    """A filter of the file; with `filter` as well, both must hold."""
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    """Values for `:name` in both."""
    item_ids: tuple[ItemId, ...] = Field(default=(), max_length=10_000)

    @property
    def is_given(self) -> bool:
        """Whether it says anything."""
        return bool(self.filter.strip() or self.filter_name or self.item_ids)

    @property
    def items(self) -> "ItemSet":
        """Returns the set alone, so that those of two rules can be compared."""
        return ItemSet.model_construct(
            filter=self.filter.strip(),
            filter_name=self.filter_name,
            parameters=self.parameters,
            item_ids=tuple(sorted(set(self.item_ids))),
        )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.item_ids and (self.filter.strip() or self.filter_name):
            message = "item_ids: stands beside a filter; one of them says which items"
            raise ValueError(message)
        if self.parameters and not (self.filter.strip() or self.filter_name):
            message = "parameters: there is no filter that has them"
            raise ValueError(message)
        return self


class _OfItems(BaseRule, ItemSet):
    """A rule that cannot do without a set."""

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not self.is_given:
            message = "needs filter, filter_name or item_ids"
            raise ValueError(message)
        return self


class Include(_OfItems):
    """Shows nothing but these items; several includes: what is in all of them."""

    kind: Literal["include"]
    strict: bool = True
    """False: gives way when the list would be short."""


class Exclude(_OfItems):
    """Does not show these items."""

    kind: Literal["exclude"]
    strict: bool = True
    """False: gives way when the list would be short."""


class Boost(_OfItems):
    """Multiplies the scores of these items."""

    kind: Literal["boost"]
    factor: float = Field(gt=1, le=1_000)


class Bury(_OfItems):
    """Divides the scores of these items."""

    kind: Literal["bury"]
    factor: float = Field(gt=1, le=1_000)


class Pin(BaseRule):
    """Puts an item at a place, as long as it may be shown at all."""

    kind: Literal["pin"]
    item_id: ItemId = Field(min_length=1)
    position: int = Field(ge=1, le=500)
    """1 is the first place. A longer position than the list has places: no pin."""


class AtMost(BaseRule, ItemSet):
    """Bounds how many items share a value, how many of a set there are, or both together."""

    kind: Literal["at-most"]
    count: int = Field(ge=1, le=500)
    column: str = ""
    """Items with the same value here count together; items without one are not bounded. Empty:
    all items of the set count together."""
    depth: int | None = Field(default=None, ge=1)
    """Of a column of lists, such as `category`: so many of its first words; none: all."""
    strict: bool = False
    """True: never gives way."""

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if not (self.column or self.is_given):
            message = "needs a column, or filter, filter_name or item_ids"
            raise ValueError(message)
        if self.depth and not self.column:
            message = "depth: there is no column that it is of"
            raise ValueError(message)
        return self


class AtLeast(_OfItems):
    """Gives a set its part of the list."""

    kind: Literal["at-least"]
    share: float = Field(gt=0, le=1)
    """Of the places, rounded up."""
    strict: bool = False
    """True: the list is rather cut than shown with less of the set."""


class HideBought(BaseRule):
    """Hides products that the customer bought lately."""

    kind: Literal["hide-bought"]
    days: float = Field(gt=0, le=36_500)
    """Bought within so many days before the query's time."""
    unless: ItemSet = ItemSet()
    """What is used up, and so never hidden."""
    strict: bool = False
    """True: never gives way."""


class Margin(BaseRule):
    """Shows only what earns enough: price (of the query's market) and `cost`."""

    kind: Literal["margin"]
    least_share: float | None = Field(default=None, gt=-10, le=1)
    """Of (price - cost) / price."""
    least_amount: float | None = Field(default=None, allow_inf_nan=False)
    """Of price - cost."""
    unknown: Literal["hide", "show"] = "hide"
    """What becomes of items without a price or a cost."""
    strict: bool = True
    """False: gives way when the list would be short."""

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if self.least_share is None and self.least_amount is None:
            message = "needs least_share or least_amount"
            raise ValueError(message)
        return self


class StockCover(BaseRule):
    """Shows only what will not be sold out soon: a stock over what is sold in a day."""

    kind: Literal["stock-cover"]
    stock_column: str = Field(min_length=1)
    """Numbers: units that there are."""
    sales_column: str = Field(min_length=1)
    """Numbers: units that are expected to be sold in a day."""
    days: float = Field(gt=0, le=36_500)
    """Stock for so many days at least; where no sale is expected, any stock is enough."""
    unknown: Literal["hide", "show"] = "hide"
    """What becomes of items without a stock."""
    strict: bool = True
    """False: gives way when the list would be short."""


class PriceBand(BaseRule):
    """Shows what costs about as much as what the customer buys."""

    kind: Literal["price-band"]
    least: float = Field(default=0.5, ge=0)
    """Times the median price of the customer's own items: the cheapest that is shown."""
    most: float = Field(default=2.0, gt=0)
    """Times the same: the dearest."""
    column: str = ""
    """Compares an item with those own ones that have the same value here; empty: with all."""
    depth: int | None = Field(default=None, ge=1)
    """Of a column of lists: so many of its first words; none: all."""
    fewest: int = Field(default=3, ge=1)
    """Own items with a price below which nothing is hidden."""
    strict: bool = False
    """True: never gives way."""

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.least >= self.most:
            message = "least: is not below most"
            raise ValueError(message)
        if self.depth and not self.column:
            message = "depth: there is no column that it is of"
            raise ValueError(message)
        return self


class Tune(BaseRule):
    """Says how a list is varied; a query may ask for something else."""

    kind: Literal["tuning"]
    diversity: Strength | None = None
    """How much items that are alike are kept apart: 0 not at all, 1 as much as can be."""
    freshness: Leaning | None = None
    """How much newer items are preferred; below 0: older ones."""
    popularity: Leaning | None = None
    """How much popular items are preferred; below 0: what few others choose."""

    @model_validator(mode="after")
    def _tunes_something(self) -> Self:
        if self.diversity is self.freshness is self.popularity is None:
            message = "needs diversity, freshness or popularity"
            raise ValueError(message)
        return self


Rule = Annotated[
    Include
    | Exclude
    | Boost
    | Bury
    | Pin
    | AtMost
    | AtLeast
    | HideBought
    | Margin
    | StockCover
    | PriceBand
    | Tune,
    Field(discriminator="kind"),
]
Hiding = Include | Exclude | HideBought | Margin | StockCover | PriceBand
"""Rules that say what may be shown."""
Yielding = Hiding | AtMost | AtLeast
"""Rules that can give way."""
YIELD_ORDER: tuple[type[Yielding], ...] = (
    PriceBand,
    AtMost,
    HideBought,
    StockCover,
    Margin,
    Include,
    Exclude,
)
"""Which rules give way first; of one kind, the last in the file does. `AtLeast` needs no turn: it
never keeps a list short unless it is strict."""
SOFT: tuple[type[Yielding], ...] = (PriceBand, AtMost, HideBought, AtLeast)
"""Rules that `Strictness.FILL` makes give way, whatever they say themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """The rules of one placement and the filters of their file; compared by identity."""

    rules: Mapping[str, Rule]
    """By name, in the order of the file, those of `EVERYWHERE` first."""
    filters: Mapping[str, NamedFilter]


def gives_way(rule: Yielding, strictness: Strictness) -> bool:
    """Says whether a rule gives way when a list would be short."""
    if strictness is Strictness.STRICT:
        return False
    return not rule.strict or (strictness is Strictness.FILL and isinstance(rule, SOFT))
