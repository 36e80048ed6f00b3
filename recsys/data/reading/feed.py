"""Sources that hold canonical tables already: prepared data sets and stores."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import polars as pl

from recsys.types import LogPosition


class Feed(Protocol):
    """A source beside the files, which needs no reading of foreign columns."""

    @property
    def name(self) -> str:
        """What a person calls it; no secret is in it."""
        ...

    @property
    def log(self) -> LogPosition | None:
        """How far the log of a store is in its events; None: not at all."""
        ...

    @property
    def left_out(self) -> Mapping[str, int]:
        """Events that `settled` left out, by reason."""
        ...

    def events(self) -> Iterator[pl.DataFrame]:
        """Yields all events (`EVENT_SCHEMA`, each with an id), in any order."""
        ...

    def settled(self, events: pl.DataFrame) -> pl.DataFrame:
        """Says of events of all sources whose they are, and leaves out what must not be used."""
        ...

    def items(self, others: pl.DataFrame) -> pl.DataFrame:
        """Returns the other sources' items (`ITEM_SCHEMA` and attributes) with its own."""
        ...

    def customers(self, others: pl.DataFrame) -> pl.DataFrame:
        """Returns the other sources' customers (`CUSTOMER_SCHEMA` and attributes) with its own."""
        ...
