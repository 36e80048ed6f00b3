"""Every way to change the store, by name: what is written here can be sent to another process."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from recsys.store.catalogue import ItemColumns
from recsys.store.database import Session
from recsys.store.events import LogEvent
from recsys.store.impressions import ExperimentNote, Impression, Loss
from recsys.store.tables import archives, catalogue, events, impressions, visitors
from recsys.store.tables.archives import ArchiveFile

Arguments = Mapping[str, Any]
"""Only what JSON can carry."""
Operation = Callable[[Session, int, Arguments], Any]
"""From a session in a transaction, the time (microseconds since 1970, UTC) and arguments to a
result that JSON can carry. Done twice it has the effect of once. It may raise a `StoreError`; its
changes are then undone, those of others are not."""


class Writer(Protocol):
    """Does named operations, each durable when it is answered."""

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Returns the operation's result once it is on disk.

        Raises:
            StoreUnavailableError: it was not, or not certainly, done; it may be sent again.
            StoreFullError: there is no room.
            StoreError: the operation itself refused.
        """
        ...

    def close(self) -> None:
        """Lets operations in work end and gives back what the writer holds."""
        ...


def _append_events(session: Session, _: int, arguments: Arguments) -> list[int]:
    return list(events.append(session, [LogEvent(*row) for row in arguments["events"]]))


def _link_visitor(session: Session, now: int, arguments: Arguments) -> list[int]:
    return list(visitors.link(session, arguments["visitor_id"], arguments["customer_id"], now))


def _log_impressions(session: Session, now: int, arguments: Arguments) -> int:
    notes = [ExperimentNote(*note) for note in arguments["experiments"]]
    impressions.note_experiments(session, notes, now)
    impressions.add_losses(session, [Loss(*loss) for loss in arguments["losses"]])
    return impressions.append(session, [Impression(*row) for row in arguments["impressions"]])


def _begin_archiving(session: Session, _: int, __: Arguments) -> int:
    return archives.begin(session)


def _archive_events(session: Session, _: int, arguments: Arguments) -> bool:
    file = ArchiveFile(*arguments["file"])
    return archives.move(session, arguments["turn"], file, arguments["positions"])


def _replace_archive(session: Session, _: int, arguments: Arguments) -> bool:
    told = arguments["file"]
    file = None if told is None else ArchiveFile(*told)
    return archives.replace(session, arguments["turn"], arguments["name"], file)


def _upsert_items(session: Session, now: int, arguments: Arguments) -> list[int]:
    items = [ItemColumns(*item) for item in arguments["items"]]
    bundled = set(arguments["bundled"])
    return list(
        catalogue.upsert(session, now, items, replaces=arguments["replaces"], bundled=bundled)
    )


def _remove_items(session: Session, _: int, arguments: Arguments) -> list[int]:
    bundled = set(arguments["bundled"])
    return list(catalogue.remove(session, arguments["item_ids"], bundled=bundled))


WRITES: Mapping[str, Operation] = {
    "append_events": _append_events,
    "archive_events": _archive_events,
    "begin_archiving": _begin_archiving,
    "link_visitor": _link_visitor,
    "upsert_items": _upsert_items,
    "remove_items": _remove_items,
    "log_impressions": _log_impressions,
    "replace_archive": _replace_archive,
}
