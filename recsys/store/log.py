"""The whole log, wherever its events lie: in the table or in archives."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.store.archives import Archives
from recsys.store.log_frames import LOG_SCHEMA, log_frame
from recsys.store.store import Store
from recsys.store.tables.archives import ArchiveFile
from recsys.types import LogPosition

BATCH = 50_000
"""Rows of the table in one batch."""


@dataclass(frozen=True, slots=True)
class Log:
    """The events of a store up to a position that was the last when this was made."""

    store: Store
    end: LogPosition

    @classmethod
    def of(cls, store: Store) -> "Log":
        """Looks where the log ends now."""
        ends = store.versions()
        return cls(store, LogPosition(store.id, ends.get("position", 0), ends.get("links", 0)))

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yields every event (`LOG_SCHEMA`) exactly once, those of the table first.

        What is archived meanwhile is not lost: the table is read before the list of archives.
        """
        before = {file.key for file in self._files()}
        seen = [np.empty(0, np.int64)]
        for batch in self._table():
            seen.append(batch["position"].to_numpy())
            yield batch
        known = pl.Series(np.concatenate(seen)).implode()
        for file in self._files():
            events = (
                Archives(self.store).read(file).filter(pl.col("position") <= self.end.position)
            )
            if file.key not in before:
                events = events.filter(~pl.col("position").is_in(known))
            if len(events):
                yield events.select(LOG_SCHEMA.keys())

    def _table(self) -> Iterator[pl.DataFrame]:
        after = 0
        while rows := self.store.rows(after, self.end.position, BATCH):
            after = int(rows[-1][0])
            yield log_frame(rows)

    def _files(self) -> list[ArchiveFile]:
        return Archives(self.store).files()
