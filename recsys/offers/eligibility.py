"""Who may get an offer: expressions over customer columns, compiled as item filters are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from recsys.errors import InvalidFilterError
from recsys.live.filters import compile_filter
from recsys.offers.due import DUE, DueItems
from recsys.offers.facts import Knowledge, facts
from recsys.offers.offer import Offer
from recsys.offers.scopes import scoped
from recsys.offers.values import Audience
from recsys.types import BoolArray, NumArray

FIELD = "eligibility"


@dataclass(frozen=True, slots=True, eq=False)
class DueScope:
    """Offers about the same items that ask when those are due."""

    offer: Offer
    """One of them."""
    places: tuple[int, ...]
    item_nums: NumArray | None
    """Ascending; None: whatever is bought."""

    def over(self, known: Knowledge) -> "DueScope":
        """Returns the same with the items of a catalogue."""
        return replace(self, item_nums=scoped(self.offer, known.catalogue).item_nums)


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """The compiled eligibility of offers."""

    count: int
    """Offers."""
    known: Knowledge
    expressions: dict[int, pl.Expr]
    """By place among the offers; the others are for everybody."""
    columns: tuple[str, ...]
    """Columns that any of them names, but `DUE`."""
    due: tuple[DueScope, ...] = ()
    """`DUE` is another column for each scope."""
    refused: dict[int, InvalidFilterError] = field(default_factory=dict)
    """By place: what this bundle cannot evaluate; nobody gets such an offer."""

    @classmethod
    def of(cls, offers: Sequence[Offer], known: Knowledge) -> "Conditions":
        """Compiles the eligibility of offers over what a bundle knows."""
        schema = known.schema()
        expressions: dict[int, pl.Expr] = {}
        refused: dict[int, InvalidFilterError] = {}
        for place, offer in enumerate(offers):
            if not offer.eligibility.strip():
                continue
            try:
                expressions[place] = compile_filter(offer.eligibility, schema)
            except InvalidFilterError as error:
                refused[place] = _named(error)
        names = {place: set(each.meta.root_names()) for place, each in expressions.items()}
        columns = sorted(set().union(*names.values()) - {DUE})
        asking = [place for place in expressions if DUE in names[place]]
        by_scope = {offers[place].scope: place for place in asking}
        due = tuple(
            DueScope(offers[one], tuple(p for p in asking if offers[p].scope == scope), None).over(
                known
            )
            for scope, one in by_scope.items()
        )
        return cls(len(offers), known, expressions, tuple(columns), due, refused)

    def over(self, known: Knowledge) -> "Conditions":
        """Returns the same over what is known later, with the same columns."""
        return replace(self, known=known, due=tuple(each.over(known) for each in self.due))

    def hold(self, audience: Audience) -> BoolArray:
        """Returns who may get which offer, shape (customers, offers) bool."""
        result = np.ones((len(audience), self.count), dtype=np.bool_)
        result[:, list(self.refused)] = False
        if not (self.expressions and len(audience)):
            return result
        table = facts(audience, self.known, self.columns)
        late = {place for each in self.due for place in each.places}
        self._judge(table, [place for place in self.expressions if place not in late], result)
        if self.due and self.known.forecaster is not None:
            items = DueItems.of(audience, self.known.forecaster)
            for each in self.due:
                self._judge(table.with_columns(items.first(each.item_nums)), each.places, result)
        return result

    def _judge(self, table: pl.DataFrame, places: Sequence[int], result: BoolArray) -> None:
        if places:
            found = table.select(self.expressions[place].alias(str(place)) for place in places)
            result[:, list(places)] = found.to_numpy()


def _named(error: InvalidFilterError) -> InvalidFilterError:
    return InvalidFilterError(error.description, error.position, field=FIELD)
