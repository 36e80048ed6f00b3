"""Who may get an offer: expressions over customer columns, compiled as item filters are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from recsys.errors import InvalidFilterError
from recsys.live.filters import compile_filter
from recsys.offers.facts import Knowledge, facts
from recsys.offers.offer import Offer
from recsys.offers.values import Audience
from recsys.types import BoolArray

FIELD = "eligibility"


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """The compiled eligibility of offers."""

    count: int
    """Offers."""
    known: Knowledge
    expressions: dict[int, pl.Expr]
    """By place among the offers; the others are for everybody."""
    columns: tuple[str, ...]
    """Columns that any of them names."""
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
        columns = sorted(
            {name for each in expressions.values() for name in each.meta.root_names()}
        )
        return cls(len(offers), known, expressions, tuple(columns), refused)

    def hold(self, audience: Audience) -> BoolArray:
        """Returns who may get which offer, shape (customers, offers) bool."""
        result = np.ones((len(audience), self.count), dtype=np.bool_)
        result[:, list(self.refused)] = False
        if self.expressions and len(audience):
            table = facts(audience, self.known, self.columns)
            found = table.select(
                each.alias(str(place)) for place, each in self.expressions.items()
            )
            result[:, list(self.expressions)] = found.to_numpy()
        return result


def _named(error: InvalidFilterError) -> InvalidFilterError:
    return InvalidFilterError(error.description, error.position, field=FIELD)
