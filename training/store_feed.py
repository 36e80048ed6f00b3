"""A store as a source of a data set: its log, with what holds of customers now."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from recsys.data.events import EVENT_SCHEMA
from recsys.live.changed_rows import contents, further_columns, laid_over
from recsys.store.catalogue import ItemRow
from recsys.store.log import Log
from recsys.store.store import Store
from recsys.store.tables import consents, tombstones
from recsys.store.tombstones import Tombstones
from recsys.types import LogPosition, visitor_key

ERASED, REFUSED = "customer was erased", "customer refused training"


@dataclass(frozen=True, slots=True, eq=False)
class StoreFeed:
    """What a store knows, up to the last position when this was made."""

    name: str
    source: Log
    customer_of: Mapping[str, str]
    """Visitor's key -> the customer who the visitor turned out to be."""
    erased: Tombstones
    refusing: tuple[str, ...]
    """Customers whose events no model may be fitted on."""
    changed: tuple[ItemRow, ...]
    """Items that callers changed while serving."""
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, store: Store, name: str) -> "StoreFeed":
        """Looks at a store once; the log is read when `events` is gone through.

        Args:
            store: open until then.
            name: as a person calls it, without secrets.
        """
        source = Log.of(store)
        links = [link for link in store.links() if link.sequence <= source.end.links]
        # Erased or refused since the log ended: that counts as well.
        with store.read() as session:
            laid = tombstones.newer(session, 0)
            refusing = consents.refusing_training(session)
        return cls(
            name,
            source,
            {visitor_key(link.visitor_id): link.customer_id for link in links},
            Tombstones(store.secret).with_newer(laid),
            tuple(refusing),
            tuple(store.changed_items()),
        )

    @property
    def log(self) -> LogPosition:
        """How far the log is read."""
        return self.source.end

    def events(self) -> Iterator[pl.DataFrame]:
        """Yields all events, those of visitors under their own keys."""
        for batch in self.source.batches():
            yield batch.select(EVENT_SCHEMA.keys())

    def settled(self, events: pl.DataFrame) -> pl.DataFrame:
        """Gives linked visitors' events to customers; leaves out who was erased or refused."""
        # Tombstones are of the ids under which events came, before links.
        covered = pl.Series(self.erased.covers(events["customer_id"], events["event_time"]))
        if covered.any():
            self.left_out[ERASED] += int(covered.sum())
            events = events.filter(~covered)
        customer = pl.col("customer_id")
        if self.customer_of:
            events = events.with_columns(customer.replace(self.customer_of))
        if self.refusing:
            kept = events.filter(~customer.is_in(self.refusing))
            if len(kept) < len(events):
                self.left_out[REFUSED] += len(events) - len(kept)
            events = kept
        return events

    def items(self, others: pl.DataFrame) -> pl.DataFrame:
        """Lays what callers changed over the others' items; a removed one is unavailable."""
        if not self.changed:
            return others
        given = contents(self.changed)
        new = further_columns(given, others.schema)
        others = others.with_columns(pl.lit(None, dtype).alias(n) for n, dtype in new.items())
        ids = pl.DataFrame({"item_id": [row.item_id for row in self.changed]})
        base = ids.join(others, on="item_id", how="left", maintain_order="left")
        changed = laid_over(self.changed, given, base.select(others.columns))
        return pl.concat([others.join(ids, on="item_id", how="anti"), changed])

    def customers(self, others: pl.DataFrame) -> pl.DataFrame:
        """Leaves out who was erased, as no time says that a row is newer, or refused."""
        gone = {*self.erased.erase_times(others["customer_id"].to_list()), *self.refusing}
        return others.filter(~pl.col("customer_id").is_in(list(gone))) if gone else others
