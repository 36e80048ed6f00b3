"""Commits what several threads want written in one transaction: the disk is waited for once."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from recsys.errors import RecsysError, StoreFullError, StoreUnavailableError
from recsys.store.database import Database, Session
from recsys.store.grouping import Grouping, Pending
from recsys.store.upkeep import UPKEEP
from recsys.store.writes import TOGETHER, WRITES, Arguments, JointOperation, Operation


class GroupCommitter:
    """Does operations in the order they come, as many in one transaction as wait for it."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], int],
        operations: Mapping[str, Operation] = WRITES,
        together: Mapping[str, JointOperation] = TOGETHER,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes the database, a clock (microseconds since 1970) and what may be done.

        Args:
            database: where to write.
            clock: returns microseconds since 1970, UTC.
            operations: by name.
            together: those that are done faster several at a time.
            on_close: called at the end.
        """
        self._database = database
        self._clock = clock
        self._operations = operations
        self._together = together
        self._on_close = on_close
        self._grouping = Grouping(self._commit)

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Returns the operation's result once it is on disk."""
        if name in UPKEEP:
            return UPKEEP[name](self._database, arguments)
        pending = Pending(name, arguments)
        self._grouping.do([pending])
        return pending.outcome()

    def write_all(self, operations: Sequence[Pending]) -> None:
        """Does operations as `write` does, each with an outcome of its own."""
        self._grouping.do(operations)

    def close(self) -> None:
        """Gives back what the writer holds."""
        self._on_close()

    def _commit(self, group: Sequence[Pending]) -> None:
        """Does a group in one transaction; if one refuses, each in its own."""
        try:
            with self._database.transaction() as session:
                results = self._do_all(session, group)
        except (StoreFullError, StoreUnavailableError) as error:
            for pending in group:
                pending.fail(error)
        except RecsysError as error:
            if len(group) == 1:
                group[0].fail(error)
            else:
                for pending in group:
                    self._commit([pending])
        else:
            for pending, result in zip(group, results, strict=True):
                pending.succeed(result)

    def _do_all(self, session: Session, group: Sequence[Pending]) -> list[Any]:
        now = self._clock()
        results: list[Any] = []
        for name, alike in groupby(group, key=lambda pending: pending.name):
            arguments = [pending.arguments for pending in alike]
            if name in self._together:
                results += self._together[name](session, now, arguments)
            else:
                operation = self._operations[name]
                results += [operation(session, now, each) for each in arguments]
        return results
