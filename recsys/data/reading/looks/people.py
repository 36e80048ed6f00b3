"""Finds a column that names people where the customer id names orders."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from recsys.data.event_names import bare
from recsys.data.reading.literal import column
from recsys.data.reading.looks.effects import Sources

SAMPLE_ROWS = 500_000
"""Rows of the first file that are looked at, at most."""
_MOST_COLUMNS = 20
_PEOPLE = (
    *("customer", "user", "client", "member", "buyer", "shopper", "person", "household"),
    *("account", "mail", "loyalty", "card", "phone"),
)
_PLACES = ("zip", "postcode", "postal", "city", "state", "country", "region", "name", "type")
_CUSTOMER, _ORDER = "__customer__", "__order__"
_ALWAYS_NEW = 0.98
"""From this share of ids that stand in one order only, ids are new for every order."""
_FEWEST_PEOPLE = 0.05
"""Fewer people for each customer id than this are groups of people."""


@dataclass(frozen=True, slots=True)
class PersonColumn:
    """A column with fewer values than there are customer ids, one for each of them."""

    column: str
    people: int
    """Its distinct values in the sample."""
    customers: int
    """Distinct customer ids in the sample."""


def find_person_column(
    rows: pl.DataFrame, sources: Sources, unused: Sequence[str]
) -> PersonColumn | None:
    """Returns the best column that names people, where the customer id never comes twice.

    Args:
        rows: the first rows of a file.
        sources: our column -> the file's columns.
        unused: columns that could name people.
    """
    customer = sources.get("customer_id", ())
    schema = rows.schema
    names = [
        name
        for name in unused
        if _may_name_people(name) and name in schema and not schema[name].is_nested()
    ]
    order = [*sources.get("basket_id", ()), *sources.get("event_time", ())][:1]
    if len(customer) != 1 or not names or not order or {*customer, *order} - {*rows.columns}:
        return None
    sample = rows.head(SAMPLE_ROWS).select(
        column(customer[0]).alias(_CUSTOMER),
        column(order[0]).alias(_ORDER),
        *(column(name) for name in names[:_MOST_COLUMNS]),
    )
    sample = sample.drop_nulls(_CUSTOMER)
    ids = sample[_CUSTOMER].n_unique()
    if sample.select(pl.struct(_CUSTOMER, _ORDER).n_unique()).item() * _ALWAYS_NEW > ids:
        return None
    found = [person for name in names[:_MOST_COLUMNS] if (person := _person(sample, name, ids))]
    return max(found, key=lambda person: person.people, default=None)


def _may_name_people(name: str) -> bool:
    plain = bare(name.rsplit(".", maxsplit=1)[-1])
    return any(word in plain for word in _PEOPLE) and not any(word in plain for word in _PLACES)


def _person(sample: pl.DataFrame, name: str, ids: int) -> PersonColumn | None:
    """Returns a column that says of every customer id who it is, and of some the same."""
    values = sample.filter(column(name).is_not_null())
    people = values[name].n_unique()
    pairs = values.select(pl.struct(column(_CUSTOMER), column(name)).n_unique()).item()
    if not _FEWEST_PEOPLE * ids <= people < ids or pairs > ids:
        return None
    return PersonColumn(name, people, ids)
