"""Everything that the looks go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.reading.clock import Clock
from recsys.data.reading.counts import TableCounts
from recsys.data.reading.looks.facts import EventFacts
from recsys.data.reading.looks.watch import Watch
from recsys.data.reading.mapping import Mapping as LoadMapping
from recsys.data.reading.rejects import Rejects


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a data set when all its tables are written."""

    events_file: Path
    facts: EventFacts
    tables: Mapping[str, TableCounts]
    mapping: LoadMapping
    rejects: Rejects
    clock: Clock
    watch: Watch
    items: pl.DataFrame | None
    """The catalogue, without the items that only events name; None: none was given."""
    customers: pl.DataFrame | None
    """The customer table; None: none was given."""
