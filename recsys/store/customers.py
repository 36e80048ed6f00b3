"""What a customer may ask of the store: show what you hold on me, forget me, use it for this."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from recsys.store import erasure
from recsys.store.archives import Archives
from recsys.store.consent import Consent, StoredConsent
from recsys.store.events import Linked
from recsys.store.places import LAST_TIME, PLACES
from recsys.store.store import Store
from recsys.store.tables import consents, tombstones
from recsys.store.tombstones import Tombstone
from recsys.types import VISITOR_PREFIX, visitor_key

ARCHIVES = "archives"
"""The place that is no table."""


class Erased(NamedTuple):
    """What an erasure removed."""

    erase_time: int
    """Microseconds since 1970, UTC; events up to it are refused from now on."""
    counts: Mapping[str, int]
    """Records by place."""
    customer_ids: Sequence[str]
    """Under which the customer was known: not for the receipt, but to look for more."""


class Left(NamedTuple):
    """What is found of a customer."""

    tombstone: Tombstone | None
    """Of the last erasure; None: there was none."""
    counts: Mapping[str, int]
    """Records by place, all places. After an erasure those count that are not newer: who comes
    back is somebody new."""
    customer_ids: Sequence[str]
    """Under which the customer is known."""


@dataclass(frozen=True, slots=True)
class Customers:
    """The customers of a store. Visitors who are linked to nobody count, by their keys.

    Every method may raise `StoreUnavailableError`; those that look for a customer raise
    `VisitorTakenError` if asked for a visitor who is linked to one.
    """

    store: Store

    def consent(self, customer_id: str) -> StoredConsent:
        """Returns what a customer allows."""
        with self.store.read() as session:
            return consents.read(session, customer_id)

    def set_consent(self, customer_id: str, consent: Consent) -> None:
        """Sets what a customer allows; every answer from now on is made by it."""
        self.store.writer.write(
            "set_consent", {"customer_id": customer_id, "consent": list(consent)}
        )

    def records(self, customer_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields all that the store and its archives hold, each record with its kind."""
        names = self.known_as(customer_id)
        for place in PLACES:
            with self.store.read() as session:
                found = list(place.records(session, names))
            for record in found:
                yield place.kind, record
        if self._archived():
            for record in Archives(self.store).events_of(names).iter_rows(named=True):
                yield "archived-event", {**record, "event_time": record["event_time"].isoformat()}

    def find(self, customer_id: str) -> Left:
        """Looks for a customer in every place."""
        names = self.known_as(customer_id)
        with self.store.read() as session:
            tombstone = tombstones.read(session, customer_id)
            until = LAST_TIME if tombstone is None else tombstone.erase_time
            counts = {place.name: place.count(session, names, until) for place in PLACES}
        if self._archived():
            counts[ARCHIVES] = len(Archives(self.store).events_of(names, until))
        return Left(tombstone, counts, names)

    def erase(self, customer_id: str) -> Erased:
        """Removes a customer from every place, for good; may be called again at any time.

        Archives come first: as long as the links to visitors are there, a call that was broken
        off can be repeated. What is archived meanwhile is found by the second look.

        Raises:
            StoreUnavailableError: it was broken off; call it again.
        """
        archived = self._without(self.known_as(customer_id))
        named = {"customer_id": customer_id}
        done = erasure.ErasedRows(*self.store.writer.write("erase_customer", named))
        counts = dict(done.counts)
        counts[ARCHIVES] = archived + self._without(done.customer_ids)
        texts = [name.removeprefix(VISITOR_PREFIX) for name in done.customer_ids]
        self.store.writer.write("scrub", {"texts": texts})
        return Erased(done.erase_time, counts, done.customer_ids)

    def link_visitor(self, visitor_id: str, customer_id: str) -> Linked:
        """Makes a visitor's history the customer's, all but what was before an erasure of theirs.

        What belongs to the erased goes from every place. May be called again at any time: a call
        that was broken off is then done.

        Args:
            visitor_id: without the prefix of `visitor_key`.
            customer_id: of the customer who logged in.

        Raises:
            VisitorTakenError: the visitor is linked to another customer.
        """
        linked = self.store.link_visitor(visitor_id, customer_id)
        with self.store.read() as session:
            tombstone = tombstones.read(session, customer_id)
        if tombstone is not None:
            self._without([visitor_key(visitor_id)], tombstone.erase_time)
            if linked.linked_now:
                self.store.writer.write("scrub", {"texts": [visitor_id]})
        return linked

    def known_as(self, customer_id: str) -> list[str]:
        """Returns under which names events have a customer: the own one, and visitors' keys."""
        with self.store.read() as session:
            return erasure.known_as(session, customer_id)

    def _without(self, names: Sequence[str], until: int = LAST_TIME) -> int:
        """Removes archived events up to a time, and what killed commands left of archives."""
        if not self._archived():
            return 0
        archives = Archives(self.store)
        ids = archives.events_of(names, until)["event_id"].to_list()
        removed = archives.without(names, until)
        archives.clean()
        self.store.writer.write("forget_events", {"event_ids": ids})
        return removed

    def _archived(self) -> bool:
        """Says whether there may be archived events, or rubbish of them."""
        folder = self.store.archives
        there = folder is not None and folder.is_dir()
        return there or bool(Archives(self.store).files())
