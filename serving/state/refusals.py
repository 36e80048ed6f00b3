"""Follows who refuses what, for answers that are made while the store is away."""

from collections.abc import Callable

from recsys.errors import StoreError
from recsys.store.consent import NO_REFUSALS, Refusals
from recsys.store.store import Store
from recsys.store.tables import consents, counters

REST_S = 10.0
"""Seconds between two reads of all: as long as the store is there, each answer asks it anew."""


class RefusalFollower:
    """Reads the refusals again when a consent was set since. For one thread at a time."""

    def __init__(self, store: Store | None, clock: Callable[[], float]) -> None:
        """Takes the store, if the server has one, and a clock of seconds that only goes on."""
        self._store = store
        self._clock = clock
        self._known = NO_REFUSALS
        self._next_look = 0.0

    def look(self) -> Refusals:
        """Returns who refuses what, the very same value if nobody has said anything since.

        A store that cannot be read just now leaves them as they were.
        """
        if self._store is None or self._clock() < self._next_look:
            return self._known
        try:
            with self._store.read() as session:
                if counters.read(session, consents.COUNTER) != self._known.change:
                    self._known = consents.refusals(session)
                    self._next_look = self._clock() + REST_S
        except StoreError:
            pass  # the next look is in a moment; what could not be read is told by each answer
        return self._known
