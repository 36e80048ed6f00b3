"""Whom callers may tell about an item: not who refused, who was erased, or who has it by now."""

from collections.abc import Sequence

from recsys.errors import StoreUnavailableError
from recsys.pipeline.answers import CustomersQuery
from recsys.pipeline.customers import Keep, everybody
from recsys.store.events import Asked, CustomerTail
from recsys.store.store import Store
from recsys.types import CustomerId, EventType
from serving.state.live_state import Purpose
from serving.state.patience import Patience
from serving.state.snapshot import Snapshot


class Whom:
    """Knows from the store which of a bundle's customers may be named."""

    def __init__(self, store: Store | None, patience: Patience) -> None:
        """Takes the store and how long to wait for it; None: nobody ever refused anything."""
        self._store = store
        self._patience = patience

    def keep(self, snapshot: Snapshot, query: CustomersQuery, purpose: Purpose) -> Keep:
        """Returns what says of customers whether they may be in an answer.

        It raises StoreUnavailableError where the store cannot be read: who refused is then not
        known, and nobody may be told.

        Args:
            snapshot: what holds now; its bundle's customers are asked about.
            query: what is asked.
            purpose: what the customers are told by.
        """
        store = self._store
        if store is None:
            return everybody
        read = snapshot.arrangement.control.log_position
        position = read.position if read is not None and read.store_id == store.id else 0

        def keep(customer_ids: Sequence[CustomerId]) -> Sequence[bool]:
            asked = [Asked(each, position) for each in customer_ids]
            tails = self._patience.read(lambda: store.tails(asked))
            if tails is None:
                text = "the store cannot be read: who wants to be told nothing is not known"
                raise StoreUnavailableError(text)
            return [
                bool(getattr(tail.consent, purpose))
                and not snapshot.tombstones.hides(name, position)
                and not (query.exclude_buyers and _bought(tail, query.item_id))
                for name, tail in zip(customer_ids, tails, strict=True)
            ]

        return keep


def _bought(tail: CustomerTail, item_id: str) -> bool:
    """Says whether the customer bought an item since the bundle was fitted."""
    return any(
        event.item_id == item_id and event.event_type == EventType.PURCHASE.value
        for event in tail.events
    )
