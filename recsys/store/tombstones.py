"""All tombstones of a store as one value, for those who ask of many customers."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.types import BoolArray

_LABEL = b"tombstone\0"
"""Makes these hashes unlike any other that the store's secret keys."""


class Tombstone(NamedTuple):
    """Says that somebody was erased; nobody without the store's secret can say who."""

    id_hash: bytes
    erase_time: int
    """Microseconds since 1970, UTC. Events up to it are not taken in again, later ones are."""
    position: int
    """Last position of the log when it was laid: a bundle that was trained up to a smaller one,
    or to this one, may hold the customer; one trained further does not."""
    sequence: int
    """1, 2, ... in commit order; a customer who is erased again gets a new one."""


def id_hash(secret: bytes, customer_id: str) -> bytes:
    """Returns what a customer, or a visitor by the key, is known by after an erasure: 32 bytes."""
    return hmac.digest(secret, _LABEL + customer_id.encode(), "sha256")


@dataclass(frozen=True, slots=True, eq=False)
class Tombstones:
    """Everybody who was erased up to a moment; immutable."""

    secret: bytes
    by_hash: Mapping[bytes, Tombstone] = field(default_factory=dict)
    sequence: int = 0
    """Of the newest."""
    complete: bool = True
    """Whether there may be no others: as long as they were not read, everybody is hidden."""

    def __len__(self) -> int:
        """Returns how many customers and visitors there are."""
        return len(self.by_hash)

    def with_newer(self, tombstones: Sequence[Tombstone]) -> "Tombstones":
        """Returns these and the ones that were laid after them, in order."""
        if not tombstones:
            return self
        by_hash = {**self.by_hash, **{stone.id_hash: stone for stone in tombstones}}
        return Tombstones(self.secret, by_hash, tombstones[-1].sequence)

    def of(self, customer_id: str) -> Tombstone | None:
        """Returns the tombstone of a customer, or of a visitor by the key."""
        if not self.by_hash:
            return None
        return self.by_hash.get(id_hash(self.secret, customer_id))

    def hides(self, customer_id: str, position: int) -> bool:
        """Says whether what a bundle holds on a customer must not be used.

        Args:
            customer_id: a customer, or a visitor by the key.
            position: of this store's log that the bundle was trained up to; 0: it was fitted on
                files alone, or on another store.
        """
        if not self.complete:
            return True
        stone = self.of(customer_id)
        return stone is not None and stone.position >= position

    def erase_times(self, customer_ids: Iterable[str]) -> dict[str, int]:
        """Returns the time up to which events are erased, for those of the customers who were."""
        found = ((customer_id, self.of(customer_id)) for customer_id in customer_ids)
        return {customer_id: stone.erase_time for customer_id, stone in found if stone is not None}

    def covers(self, customer_ids: pl.Series, event_times: pl.Series) -> BoolArray:
        """Says of each event whether it is erased, shape (events,).

        Args:
            customer_ids: as events have them, visitors by their keys, before links are applied.
            event_times: of the type Datetime, any unit; in UTC.
        """
        times = self.erase_times(customer_ids.unique().to_list()) if self.by_hash else {}
        if not times:
            return np.zeros(len(customer_ids), dtype=np.bool_)
        limits = customer_ids.replace_strict(times, default=None, return_dtype=pl.Int64)
        erased = event_times.dt.epoch("us") <= limits
        return erased.fill_null(value=False).to_numpy()


NOBODY = Tombstones(b"")
"""Nobody was ever erased."""
