"""Every look, in the order of the report."""

from collections.abc import Callable, Iterator

from recsys.data.reading.looks import (
    alike,
    catalogue,
    columns,
    currencies,
    ids,
    joins,
    kinds,
    times,
)
from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, Severity

LOOKS: tuple[Callable[[Evidence], Iterator[Look]], ...] = (
    times.clustered,
    times.clock,
    joins.joins,
    alike.alike,
    ids.person_column,
    ids.always_new,
    ids.one_id_has_most,
    kinds.kinds,
    kinds.ratings,
    kinds.given_back,
    kinds.numbers,
    currencies.two_currencies,
    kinds.repeats,
    catalogue.availability,
    catalogue.empty_columns,
    columns.idle_settings,
    columns.unused_columns,
    columns.reading,
)


def look_at(evidence: Evidence) -> tuple[Look, ...]:
    """Returns what every look sees, warnings first."""
    seen = [look for look_for in LOOKS for look in look_for(evidence)]
    return tuple(sorted(seen, key=lambda look: look.severity is not Severity.WARNING))
