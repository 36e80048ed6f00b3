"""The store as one answer read it: the log and the links up to where they were then."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.store.events import Asked, CustomerTail, TailEvent
from recsys.store.store import Store
from recsys.store.tables import tails


@dataclass(frozen=True, slots=True)
class EarlierStore:
    """Tells of customers what the store told then, as far as it still has it.

    Everybody has given every consent: who had not was answered as somebody unknown.
    """

    store: Store
    last_position: int
    """Of the newest event of those asked for that the store had; 0: it had none."""
    last_link: int = 0
    """Number of the newest link to those asked for; 0: there was none."""

    @property
    def id(self) -> str:
        """The store's own UUID."""
        return self.store.id

    def tails(self, asked: Sequence[Asked]) -> list[CustomerTail]:
        """Returns the tails as they were, of exactly those who are named."""
        with self.store.read() as session:
            return [
                tails.read_until(session, name, after, self.last_position, self.last_link)
                for name, after in asked
            ]

    def counted(
        self, customer_ids: Sequence[str], items: frozenset[str], up_to: int
    ) -> list[TailEvent]:
        """Returns the events on some items up to a position, which stay what they are."""
        return self.store.counted(customer_ids, items, up_to)
