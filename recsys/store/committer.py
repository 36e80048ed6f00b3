"""Commits what several threads want written in one transaction: the disk is waited for once."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recsys.errors import RecsysError, StoreUnavailableError
from recsys.store.database import Database, Session
from recsys.store.upkeep import UPKEEP
from recsys.store.writes import WRITES, Arguments, Operation

GROUP = 256
"""Operations in one transaction at most."""


class _Pending:
    """One operation that waits for its commit, and the thread that waits with it."""

    __slots__ = ("arguments", "done", "error", "name", "result", "turn")

    def __init__(self, name: str, arguments: Arguments) -> None:
        self.name = name
        self.arguments = arguments
        self.turn = threading.Lock()
        self.turn.acquire()
        self.done = False
        self.result: Any = None
        self.error: RecsysError | None = None


class GroupCommitter:
    """Does operations in the order they come, as many in one transaction as wait for it.

    There is no thread of its own: the first caller to find nobody at work commits for all who
    came meanwhile, and hands on to one who came later. A lone caller thus waits for nobody.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], int],
        operations: Mapping[str, Operation] = WRITES,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes the database, a clock (microseconds since 1970) and what to do at the end."""
        self._database = database
        self._clock = clock
        self._operations = operations
        self._on_close = on_close
        self._mutex = threading.Lock()
        self._waiting: deque[_Pending] = deque()
        self._busy = False

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Returns the operation's result once it is on disk."""
        if name in UPKEEP:
            return UPKEEP[name](self._database, arguments)
        mine = _Pending(name, arguments)
        with self._mutex:
            self._waiting.append(mine)
            lead, self._busy = not self._busy, True
        if not lead:
            mine.turn.acquire()
        if not mine.done:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.result

    def close(self) -> None:
        """Gives back what the writer holds."""
        self._on_close()

    def _lead(self) -> None:
        with self._mutex:
            count = min(GROUP, len(self._waiting))
            group = [self._waiting.popleft() for _ in range(count)]
        try:
            self._commit(group)
        finally:
            with self._mutex:
                if self._waiting:
                    self._waiting[0].turn.release()
                else:
                    self._busy = False
            for pending in group:
                if not pending.done:  # a fault of ours is on its way up in this thread
                    pending.error = StoreUnavailableError("the write was given up")
                    pending.done = True
                pending.turn.release()

    def _commit(self, group: Sequence[_Pending]) -> None:
        """Does a group in one transaction; if one refuses, each in its own."""
        try:
            with self._database.transaction() as session:
                results = [self._do(session, pending) for pending in group]
        except RecsysError as error:
            if len(group) > 1 and not isinstance(error, StoreUnavailableError):
                for pending in group:
                    self._commit([pending])
                return
            for pending in group:
                pending.error, pending.done = error, True
            return
        for pending, result in zip(group, results, strict=True):
            pending.result, pending.done = result, True

    def _do(self, session: Session, pending: _Pending) -> Any:  # noqa: ANN401  JSON
        return self._operations[pending.name](session, self._clock(), pending.arguments)
