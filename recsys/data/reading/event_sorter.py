"""Sorts any number of events by time on disk, with a small and bounded part of them in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from recsys.data.events import EVENT_SCHEMA
from recsys.data.progress import Progress
from recsys.data.reading.event_ids import content_ids, numbered

RANGE_ROWS = 2_000_000
"""Rows sorted in memory at once."""

_SAMPLE_STEP = 1_000
_ROW_GROUP = 250_000
_CHUNK_ROW_GROUP = 50_000
_DEDUPLICATED_ROWS = 8_000_000
_DERIVED, _ORDER = "__derived__", "__order__"


Settle = Callable[[pl.DataFrame], pl.DataFrame]


def _as_they_are(events: pl.DataFrame) -> pl.DataFrame:
    return events


@dataclass(slots=True)
class EventSorter:
    """Takes batches of events in any order; then writes one file, sorted by time and id.

    Batches go to chunk files, each sorted by time. A sample of the times gives ranges of about
    equal size, and each range is read from all chunks, sorted and appended.
    """

    folder: Path
    """Where chunk files may live; emptied by nobody but the owner."""
    range_rows: int = RANGE_ROWS
    rows: int = 0
    """Events added."""
    duplicates: int = 0
    """Events that `in_order` left out because an earlier one has their id."""
    repeats: int = 0
    """Events without an id of their own that say exactly what another one says."""
    settled: Settle = _as_they_are
    """Says of events without duplicates whose they are, and leaves out what must not be used."""
    _given_ids: bool = False
    _derived_ids: bool = False
    _samples: list[pl.Series] = field(default_factory=list)
    _chunks: int = 0

    def add(self, events: pl.DataFrame) -> None:
        """Adds events of `EVENT_SCHEMA`; a null `event_id` is derived from the content."""
        if events.is_empty():
            return
        derived = events["event_id"].is_null()
        self._given_ids |= not derived.all()
        self._derived_ids |= bool(derived.any())
        chunk = events.select(EVENT_SCHEMA.keys()).with_columns(
            pl.coalesce("event_id", content_ids(events)) if derived.any() else pl.col("event_id"),
            derived.alias(_DERIVED),
            pl.int_range(self.rows, self.rows + len(events)).alias(_ORDER),
        )
        chunk = chunk.sort("event_time")
        self._samples.append(chunk["event_time"].gather_every(_SAMPLE_STEP))
        path = self.folder / f"{self._chunks:06}.parquet"
        chunk.write_parquet(path, compression="lz4", row_group_size=_CHUNK_ROW_GROUP)
        self._chunks += 1
        self.rows += len(events)

    def write(self, target: Path, progress: Progress) -> int:
        """Writes the sorted file and returns how many duplicates were left out."""
        source = register_io_source(
            lambda *_: self.in_order(progress), schema=EVENT_SCHEMA, is_pure=True
        )
        source.sink_parquet(target, row_group_size=_ROW_GROUP, maintain_order=True)
        return self.duplicates

    def in_order(self, progress: Progress) -> Iterator[pl.DataFrame]:
        """Yields the events sorted by time and id, in frames of about `range_rows`.

        Of rows with one id, the first that was added stays; the others are counted in
        `duplicates`. Rows without a given id that say the same are no duplicates of each other.
        """
        if self.rows == 0:
            yield pl.DataFrame(schema=EVENT_SCHEMA)
            return
        unwanted = self._later_rows_of_ids()
        self.duplicates = len(unwanted)
        time, done = pl.col("event_time"), 0
        for low, high in pairwise(self._bounds()):
            rows = self._scan().filter((time >= low) & (time < high)).collect(engine="streaming")
            done += len(rows)
            rows = numbered(rows.sort("event_time", "event_id", _ORDER), _DERIVED)
            if len(unwanted):
                rows = rows.filter(~pl.col(_ORDER).is_in(unwanted.implode()))
            if self._derived_ids:
                # A derived id has no dot of its own: it is the number of a repeat.
                again = pl.col(_DERIVED) & pl.col("event_id").str.contains(".", literal=True)
                self.repeats += int(rows.select(again.sum()).item())
            # Numbering can break the order of ids within one time.
            rows = rows.sort("event_time", "event_id").select(EVENT_SCHEMA.keys())
            yield self.settled(rows)
            progress("sorting events", done, self.rows)

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet([self.folder / f"{n:06}.parquet" for n in range(self._chunks)])

    def _later_rows_of_ids(self) -> pl.Series:
        """Returns the order numbers of rows whose id an earlier row has."""
        if not self._given_ids:
            return pl.Series([], dtype=pl.Int64)
        rows = self._scan().select("event_id", _DERIVED, _ORDER)
        base = pl.col("event_id")
        if self._derived_ids:
            # A given id may be that of a repeat, as another load has numbered it.
            base = base.str.replace(r"\.\d+$", "")
        else:
            rows = rows.filter(~pl.col(_DERIVED))
        parts = ceil(self.rows / _DEDUPLICATED_ROWS)
        found = [
            _later(rows.filter(base.hash() % parts == part), numbers=self._derived_ids)
            for part in range(parts)
        ]
        return pl.concat(found)

    def _bounds(self) -> list[pl.Expr]:
        """Returns times that cut the events into ranges, the ends included."""
        sample = pl.concat(self._samples).sort()
        ranges = ceil(self.rows / self.range_rows)
        places = np.linspace(0, len(sample) - 1, ranges + 1)[1:-1].astype(np.int64)
        inner = sample.gather(places).unique().sort().to_physical().to_list()
        least, most = 0, 253_402_300_800_000_000  # 1970 and the end of the year 9999
        return [
            pl.lit(bound).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
            for bound in (least, *inner, most)
        ]


def _later(rows: pl.LazyFrame, *, numbers: bool) -> pl.Series:
    """Returns the order numbers of all rows but the first of each id."""
    if numbers:
        rows = numbered(rows.sort(_ORDER).collect(engine="streaming"), _DERIVED).lazy()
    later = rows.filter(pl.col(_ORDER) != pl.col(_ORDER).min().over("event_id"))
    return later.select(_ORDER).collect(engine="streaming").to_series()
