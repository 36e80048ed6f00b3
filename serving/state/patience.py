"""Leaves a store alone that is away, so that answers do not wait for it one by one."""

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from recsys.errors import StoreError
from serving.logs import LIVE_STATE_BACK, LIVE_STATE_MISSING

WAIT_S = 0.4
"""Seconds to wait for a store on another machine: less than the least useful deadline."""
RETRY_S = 1.0
"""Seconds between two looks at a store that is away; in between nobody waits."""

_log = structlog.get_logger()
ReadT = TypeVar("ReadT")


class Patience:
    """Reads, or says None soon: a page is worth more without the last click than not at all."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Takes a clock of seconds that only grow."""
        self._clock = clock
        self._guard = threading.Lock()
        self._away_until: float | None = None
        """None: the store answers. Otherwise when it is tried again."""

    def read(self, ask: Callable[[], ReadT]) -> ReadT | None:
        """Returns what the store says, or None if it does not."""
        if self._away_until is not None and not self._may_try():
            return None
        try:
            found = ask()
        except StoreError as error:
            self._lost(error)
            return None
        if self._away_until is not None:
            self._away_until = None
            _log.info(LIVE_STATE_BACK)
        return found

    def _may_try(self) -> bool:
        """Says of one caller per `RETRY_S` that it may ask, and see whether the store is back."""
        with self._guard:
            now = self._clock()
            if self._away_until is None:
                return True
            if now < self._away_until:
                return False
            self._away_until = now + RETRY_S
            return True

    def _lost(self, error: Exception) -> None:
        with self._guard:
            if self._away_until is None:
                _log.warning(LIVE_STATE_MISSING, error=type(error).__name__)
            self._away_until = self._clock() + RETRY_S
