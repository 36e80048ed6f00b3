"""Where the input of a load is."""

from dataclasses import dataclass
from typing import Literal

from recsys.data.reading.feed import Feed
from recsys.errors import DataError
from recsys.types import LogPosition

_Table = Literal["events", "items", "customers"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Files (each a file, a folder or a pattern), feeds, or both."""

    events: str | None = None
    items: str | None = None
    customers: str | None = None
    feeds: tuple[Feed, ...] = ()
    """Of an event that several have, the first one's is taken, that of `events` before all."""

    def paths(self) -> "dict[_Table, str]":
        """Returns the tables that have files, with these."""
        every: dict[_Table, str | None] = {
            "events": self.events,
            "items": self.items,
            "customers": self.customers,
        }
        return {table: path for table, path in every.items() if path is not None}

    def log(self) -> LogPosition | None:
        """Returns how far the log of a store is in the data set.

        Raises:
            DataError: the feeds are of several stores, so that no position can say it.
        """
        known = [feed.log for feed in self.feeds if feed.log is not None]
        stores = {log.store_id for log in known}
        if len(stores) > 1:
            names = ", ".join(feed.name for feed in self.feeds if feed.log is not None)
            message = f"{names}: hold the events of different stores: a bundle has one store's"
            raise DataError(message)
        # A data set that was prepared later holds what an earlier one does.
        return max(known, key=lambda log: log[1:]) if known else None
