"""A prepared data set as a source of another one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.events import EVENT_SCHEMA
from recsys.data.file_errors import naming
from recsys.types import LogPosition

BATCH_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class FolderFeed:
    """The tables of a folder that `prepare` wrote."""

    folder: Path
    dataset: Dataset
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Nothing: it was settled when it was prepared."""

    @classmethod
    def open(cls, folder: Path) -> "FolderFeed":
        """Opens a folder.

        Raises:
            DataError: it is not a prepared data set.
        """
        return cls(folder, Dataset.open(folder))

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def log(self) -> LogPosition | None:
        """How far the log of a store was read for it."""
        return self.dataset.log

    def events(self) -> Iterator[pl.DataFrame]:
        """Yields all events."""
        with naming(self.folder):
            table = self.dataset.events.select(EVENT_SCHEMA.keys())
            yield from table.collect_batches(chunk_size=BATCH_ROWS)

    def settled(self, events: pl.DataFrame) -> pl.DataFrame:
        """Changes nothing."""
        return events

    def items(self, others: pl.DataFrame) -> pl.DataFrame:
        """Adds the items that the others lack, or of which they know nothing but the id."""
        return _completed(others, self.dataset.items)

    def customers(self, others: pl.DataFrame) -> pl.DataFrame:
        """Adds the customers that the others lack."""
        return _completed(others, self.dataset.customers)


def _completed(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Returns a table's rows and those of another whose key it lacks or has an empty row for."""
    key = first.columns[0]
    told = [name for name in first.columns if name not in (key, "available")]
    empty = pl.all_horizontal(pl.col(told).is_null()) if told else pl.lit(value=False)
    better = second.join(first.filter(~empty), on=key, how="anti")
    kept = first.join(better, on=key, how="anti")
    # One source may have typed an attribute as another did not: the wider type holds both.
    return pl.concat([kept, better], how="diagonal_relaxed")
