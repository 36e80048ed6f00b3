"""Lets several threads' work be done together, by whichever of them finds nobody at it."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recsys.errors import RecsysError, StoreUnavailableError

GROUP_WEIGHT = 20_000
"""Events in a group after which the next operation waits for the next group."""


class Pending:
    """One operation that waits, and what became of it."""

    __slots__ = ("arguments", "done", "error", "name", "result", "turn", "weight")

    def __init__(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Takes an operation's name and arguments."""
        self.name = name
        self.arguments = arguments
        self.weight = max(1, len(arguments.get("events", ())))
        self.turn = threading.Lock()
        self.turn.acquire()
        self.done = False
        self.result: Any = None
        self.error: RecsysError | None = None

    def succeed(self, result: Any) -> None:  # noqa: ANN401  JSON
        """Notes the result."""
        self.result, self.done = result, True

    def fail(self, error: RecsysError) -> None:
        """Notes why there is no result."""
        self.error, self.done = error, True

    def outcome(self) -> Any:  # noqa: ANN401  JSON
        """Returns the result, or raises why there is none."""
        if self.error is not None:
            raise self.error
        return self.result


class Grouping:
    """Does operations in the order they come, in one group all that wait at the time.

    There is no thread of its own: the first caller to find nobody at work leads, for all who came
    meanwhile, and hands on to one who came later. A lone caller thus waits for nobody.
    """

    def __init__(self, work: Callable[[Sequence[Pending]], None]) -> None:
        """Takes what does a group: it calls `succeed` or `fail` of each."""
        self._work = work
        self._mutex = threading.Lock()
        self._waiting: deque[Pending] = deque()
        self._busy = False

    def do(self, operations: Sequence[Pending]) -> None:
        """Returns when all of these operations are done, in one group or several."""
        if not operations:
            return
        with self._mutex:
            self._waiting.extend(operations)
            lead, self._busy = not self._busy, True
        if lead:
            self._lead()
        for pending in operations:
            pending.turn.acquire()  # done by another thread, or by this one, or first in line
            if not pending.done:
                self._lead()

    def _lead(self) -> None:
        group = self._next_group()
        try:
            self._work(group)
        finally:
            with self._mutex:
                if self._waiting:
                    self._waiting[0].turn.release()  # its thread leads from here
                else:
                    self._busy = False
            for pending in group:
                if not pending.done:  # a fault of ours is on its way up in this thread
                    pending.fail(StoreUnavailableError("the write was given up"))
                pending.turn.release()

    def _next_group(self) -> list[Pending]:
        with self._mutex:
            group = [self._waiting.popleft()]
            weight = group[0].weight
            while self._waiting and weight + self._waiting[0].weight <= GROUP_WEIGHT:
                group.append(self._waiting.popleft())
                weight += group[-1].weight
        return group
