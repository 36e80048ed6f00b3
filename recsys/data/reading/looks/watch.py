"""Watches a load while it runs, for what can no longer be seen in the prepared tables."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import polars as pl

from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.looks.currency_counts import CurrencyCounts
from recsys.data.reading.looks.effects import Effects, Sources
from recsys.data.reading.looks.given_back import BackColumn, find_back_column
from recsys.data.reading.looks.people import PersonColumn, find_person_column
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.raw import ROW

_USES = (
    "columns",
    "time_parts",
    "properties",
    "line_value",
    "sale_price",
    "sale_period",
    "unavailable",
    "available_when",
    "attributes",
    "type_when",
    "mentions",
    "returns",
    "require",
    "exclude",
    "joins",
    "explode",
    "key_values",
    "fill_down",
    "order_times",
    "drop",
)
"""Settings that name columns of the file."""


@dataclass(frozen=True, slots=True)
class WatchedTable:
    """The columns of a table's first file."""

    columns: tuple[str, ...]
    sources: Sources
    """Our column -> the file's columns that it comes from."""
    unused: tuple[str, ...]
    """Columns that neither a guess nor the mapping uses."""


class Watch:
    """Hears of every table's columns and raw rows."""

    def __init__(self) -> None:
        """Starts with no table."""
        self.effects = Effects()
        self.tables: dict[str, WatchedTable] = {}
        self.person: PersonColumn | None = None
        """A column of the events that names people better than the customer id does."""
        self.notes: dict[str, list[str]] = {}
        """Table -> what readers, joins and links have to say."""
        self.currencies: dict[str, CurrencyCounts] = {}
        """Table -> in which currencies its prices are."""
        self.back: BackColumn | None = None
        """A column of the events, which nothing uses, with words for what was given back."""
        self._sampled = False
        self._mapping: dict[str, FileMapping] = {}
        self._sources: dict[str, Sources] = {}

    def columns(
        self,
        table: str,
        columns: tuple[str, ...],
        notes: tuple[MappedColumn, ...],
        mapping: FileMapping,
    ) -> None:
        """Takes the columns of a file, and where ours come from; of further files, too."""
        self._mapping[table] = mapping
        sources = self._sources[table] = {note.ours: note.columns for note in notes}
        if table not in self.tables:
            self.effects.expect(table, mapping)
            used = {column for theirs in sources.values() for column in theirs}
            used |= {column for column in columns if _names(mapping, column)}
            unused = tuple(column for column in columns if column not in {*used, ROW})
            self.tables[table] = WatchedTable(columns, sources, unused)

    def say(self, table: str, notes: Iterable[str]) -> None:
        """Takes what a person should hear about how a table was read, joined or understood."""
        self.notes.setdefault(table, []).extend(notes)

    def rows(self, table: str, rows: pl.DataFrame) -> None:
        """Takes consecutive rows of a file, as read (and joined), with the file's columns."""
        sources = self._sources[table]
        self.effects.look(table, rows, sources)
        self.currencies.setdefault(table, CurrencyCounts()).look(rows, sources)
        if table == "events" and not self._sampled:
            self._sampled = True
            unused = self.tables[table].unused
            self.person = find_person_column(rows, sources, unused)
            self.back = find_back_column(rows, unused, self._mapping[table])

    def source(self, table: str, ours: str) -> str | None:
        """Returns the one column of the file that ours comes from; None: none or several."""
        known = self.tables.get(table)
        columns = () if known is None else known.sources.get(ours, ())
        return columns[0] if len(columns) == 1 else None


def _names(mapping: FileMapping, column: str) -> bool:
    """Returns whether any setting that names columns names this one."""
    settings = mapping.model_dump(include=set(_USES))
    settings["columns"] = list(settings.get("columns", {}).values())
    texts = set(_texts(settings))
    return column in texts or any("*" in text and fnmatchcase(column, text) for text in texts)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from (key, *_texts(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
