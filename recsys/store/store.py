"""The store of one shop: reads from its database, writes through its writer."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from recsys.errors import StoreUnavailableError
from recsys.store.catalogue import ItemColumns, ItemRow, Removed, Upserted
from recsys.store.database import Database, Row, Session
from recsys.store.event_ids import with_ids
from recsys.store.events import (
    Appended,
    Asked,
    CustomerTail,
    Link,
    Linked,
    LogEvent,
    TailEvent,
)
from recsys.store.impressions import DeploymentNote, ExperimentNote, Impression, Loss
from recsys.store.tables import (
    catalogue,
    catalogue_history,
    counters,
    events,
    impressions,
    meta,
    tails,
    visitors,
)
from recsys.store.writes import Writer
from recsys.types import CustomerId


@dataclass(frozen=True)
class Store:
    """Everything that is known of a shop and changes between two bundles.

    Any thread may use it. Every method may raise `StoreUnavailableError`.
    """

    database: Database
    writer: Writer
    archives: Path | None = field(default=None)
    """Folder of Parquet files by day that old events are moved to."""
    lookup_s: float | None = None
    """Seconds that a server on another machine may take to look customers up; None: any."""

    @cached_property
    def id(self) -> str:
        """The store's own UUID, made with it."""
        return self._meta("id")

    @cached_property
    def secret(self) -> bytes:
        """32 random bytes, made with the store: signs tokens and keys hashes of ids."""
        return bytes.fromhex(self._meta("secret"))

    def append(self, batch: Sequence[LogEvent]) -> Appended:
        """Stores the events that are new, all or none; they are on disk when this returns.

        Raises:
            StoreUnavailableError: whether they are stored is not known; send them again.
            StoreFullError: there is no room; none is stored.
        """
        return Appended(*self.writer.write("append_events", {"events": with_ids(batch)}))

    def link_visitor(self, visitor_id: str, customer_id: str) -> Linked:
        """Makes a visitor's history the customer's, in the tables.

        `Customers.link_visitor` looks into the archives as well.

        Args:
            visitor_id: without the prefix of `visitor_key`.
            customer_id: of the customer who logged in.

        Raises:
            VisitorTakenError: the visitor is linked to another customer.
        """
        named = {"visitor_id": visitor_id, "customer_id": customer_id}
        return Linked(*self.writer.write("link_visitor", named))

    def log_impressions(
        self,
        impressions: Sequence[Impression],
        *,
        losses: Sequence[Loss] = (),
        experiments: Sequence[ExperimentNote] = (),
        deployments: Sequence[DeploymentNote] = (),
    ) -> int:
        """Stores what was shown, each answer once, and returns how many were new.

        Args:
            impressions: of answers that were given.
            losses: of earlier ones that could not be stored.
            experiments: definitions that the store may not have heard of.
            deployments: what deployment files said, where the store may not have heard of it.
        """
        named = {
            "impressions": impressions,
            "losses": losses,
            "experiments": experiments,
            "deployments": deployments,
        }
        return int(self.writer.write("log_impressions", named))

    def remove_impressions(self, before: int, limit: int) -> int:
        """Removes up to `limit` of what was shown before a time, in microseconds.

        Returns:
            How many there were; fewer than `limit`: none is left.
        """
        named = {"before": before, "limit": limit}
        return int(self.writer.write("remove_impressions", named))

    def trim_catalogue(self, before: int, limit: int) -> int:
        """Forgets up to `limit` rows of items as they were until a time, in microseconds.

        Returns:
            How many there were; fewer than `limit`: none is left.
        """
        named = {"before": before, "limit": limit}
        return int(self.writer.write("trim_catalogue", named))

    def upsert_items(
        self, items: Sequence[ItemColumns], *, replaces: bool, bundled: Collection[str] = ()
    ) -> Upserted:
        """Creates items or changes those that are there, all of them or none.

        Args:
            items: each id once; columns by name, times in microseconds since 1970, UTC.
            replaces: whether a column that is not given becomes empty; otherwise it stays.
            bundled: ids among them that the bundle has.

        Raises:
            UnknownItemError: `replaces` is false, and an item is neither here nor in the bundle.
        """
        given = [list(item) for item in items]
        named = {"items": given, "replaces": replaces, "bundled": list(bundled)}
        return Upserted(*self.writer.write("upsert_items", named))

    def remove_items(self, item_ids: Sequence[str], *, bundled: Collection[str] = ()) -> Removed:
        """Removes items, those that only the bundle has (`bundled`) too."""
        named = {"item_ids": list(item_ids), "bundled": list(bundled)}
        return Removed(*self.writer.write("remove_items", named))

    def changed_items(self, after: int = 0) -> list[ItemRow]:
        """Returns the items whose last change has a number above `after`, in that order."""
        with self.read() as session:
            return catalogue.changed_after(session, after)

    def items_at(self, number: int) -> list[ItemRow] | None:
        """Returns what the change of a number left of items; None: that is not kept any more."""
        with self.read() as session:
            return catalogue_history.rows_at(session, number)

    def impression(self, request_id: str) -> Impression | None:
        """Returns what a request was answered, by its 32 hexadecimal digits; None: not known."""
        with self.read() as session:
            return impressions.of_request(session, request_id)

    def latest_impressions(self, limit: int) -> list[Impression]:
        """Returns what was answered last, the oldest first."""
        with self.read() as session:
            return impressions.latest(session, limit)

    def deployment(self, version: str) -> DeploymentNote | None:
        """Returns what a deployment file said that servers went by."""
        with self.read() as session:
            return impressions.deployment(session, version)

    def tail(self, customer_id: str, after: int) -> CustomerTail:
        """Returns what was stored on a customer or visitor after a position."""
        [tail] = self.tails([Asked(CustomerId(customer_id), after)])
        return tail

    def tails(self, asked: Sequence[Asked]) -> list[CustomerTail]:
        """Returns the tails of many in their order, in one query."""
        with self.database.read(self.lookup_s) as session:
            return tails.read(session, asked)

    def counted(
        self, customer_ids: Sequence[str], items: frozenset[str], up_to: int
    ) -> list[TailEvent]:
        """Returns the events on some items up to a position, in no order.

        Args:
            customer_ids: exactly these, linked visitors only if they are named.
            items: that the events are on.
            up_to: position of the last; of each customer the latest `MOST_EVENTS` are read.
        """
        with self.database.read(self.lookup_s) as session:
            return tails.counted(session, customer_ids, items, up_to)

    def links(self, after: int = 0) -> list[Link]:
        """Returns the visitors' links made after the link number `after`, in order."""
        with self.read() as session:
            return visitors.links(session, after)

    def rows(self, after: int, up_to: int, limit: int) -> list[Row]:
        """Returns up to `limit` rows (position, then as `LogEvent`) of the log, in order.

        Args:
            after: position before the first.
            up_to: position of the last.
            limit: rows at most.
        """
        with self.read() as session:
            return events.rows_between(session, after, up_to, limit)

    @property
    def last_position(self) -> int:
        """Position of the newest stored event; 0: none was ever stored."""
        with self.read() as session:
            return counters.read(session, "position")

    def versions(self) -> dict[str, int]:
        """Returns every counter by name: one that grew says that its table has changed."""
        with self.read() as session:
            return counters.read_all(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Lends a session for queries, for the tables that have no method here."""
        with self.database.read() as session:
            yield session

    def close(self) -> None:
        """Ends what is in work and closes the connections."""
        self.writer.close()
        self.database.close()

    def _meta(self, name: str) -> str:
        with self.read() as session:
            value = meta.read(session, name)
        if value is None:
            raise StoreUnavailableError("the store has not been set up")
        return value
