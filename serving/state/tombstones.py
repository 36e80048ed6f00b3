"""Follows who was erased, so that no server uses what its bundle still holds of them."""

from recsys.errors import StoreError
from recsys.store.store import Store
from recsys.store.tables import counters
from recsys.store.tables import tombstones as table
from recsys.store.tombstones import NOBODY, Tombstones


class TombstoneFollower:
    """Reads the tombstones that are new since it last looked. For one thread at a time."""

    def __init__(self, store: Store | None) -> None:
        """Takes the store, if the server has one: without, nobody was ever erased."""
        self._store = store
        self._known = NOBODY if store is None else Tombstones(b"", complete=False)

    def look(self) -> Tombstones:
        """Returns everybody who was erased so far, the very same value if nobody was since.

        A store that cannot be read just now leaves them as they were. As long as it was never
        read, the erased cannot be told from the others: nobody's history may then be used.
        """
        if self._store is None:
            return self._known
        try:
            with self._store.read() as session:
                newest = counters.read(session, table.COUNTER)
                if self._known.complete and newest == self._known.sequence:
                    return self._known
                laid = table.newer(session, self._known.sequence)
            known = Tombstones(self._store.secret, self._known.by_hash, self._known.sequence)
            self._known = known.with_newer(laid)
        except StoreError:
            pass  # the next look is in a moment; what could not be read is told by each answer
        return self._known
