"""Who may get an offer: expressions over customer columns, compiled as item filters are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from recsys.errors import InvalidFilterError
from recsys.live.filters import compile_filter
from recsys.offers.due import DUE, DueItems
from recsys.offers.facts import Knowledge, facts
from recsys.offers.offer import Offer, OfferScope
from recsys.offers.scopes import scoped
from recsys.offers.values import Audience
from recsys.types import BoolArray, NumArray

FIELD = "eligibility"


@dataclass(frozen=True, slots=True, eq=False)
class DueScope:
    """Items of which offers ask when they are due."""

    offer: Offer
    """One that is about them."""
    column: str
    """In which their expressions find `DUE`."""
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
        due: dict[OfferScope, DueScope] = {}
        columns: set[str] = set()
        for place, offer in enumerate(offers):
            if not offer.eligibility.strip():
                continue
            scope = due.get(offer.scope) or DueScope(offer, f"{DUE}\0{place}", None)
            try:
                expression = compile_filter(
                    offer.eligibility, schema, stored_as={DUE: scope.column}
                )
            except InvalidFilterError as error:
                refused[place] = _named(error)
                continue
            expressions[place] = expression
            names = set(expression.meta.root_names())
            if scope.column in names:
                due.setdefault(offer.scope, scope.over(known))
            columns |= names - {scope.column}
        return cls(
            len(offers), known, expressions, tuple(sorted(columns)), tuple(due.values()), refused
        )

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
        if self.due and self.known.forecaster is not None:
            items = DueItems.of(audience, self.known.forecaster)
            table = table.with_columns(
                items.first(each.item_nums).alias(each.column) for each in self.due
            )
        found = table.select(each.alias(str(place)) for place, each in self.expressions.items())
        result[:, list(self.expressions)] = found.to_numpy()
        return result


def _named(error: InvalidFilterError) -> InvalidFilterError:
    return InvalidFilterError(error.description, error.position, field=FIELD)
