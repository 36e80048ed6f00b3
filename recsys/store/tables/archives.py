"""Which files hold the events that have left the table, and how events leave it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recsys.store.database import Row, Session
from recsys.store.tables import counters
from recsys.store.tables.events import COLUMNS as EVENT_COLUMNS

_AT_ONCE = 1_000
"""Positions in one statement: a driver takes tens of thousands of parameters."""


class ArchiveFile(NamedTuple):
    """One file of archived events; a file that is not listed does not count."""

    name: str
    """Below the folder of archives: `date=2026-01-31/<first>-<last>-<checksum>.parquet`, with the
    positions that were moved there; fewer may be left."""
    day: str
    """Of all its events, in UTC."""
    events: int
    sha256: str

    @property
    def key(self) -> str:
        """What stays of the name when the file is written again without some events."""
        return self.name.rpartition("-")[0]


COLUMNS = ArchiveFile._fields
COUNTER = "archives"
"""Counts the turns of those who write files; only the last one's requests are granted."""


def files(session: Session) -> list[ArchiveFile]:
    """Returns all files, by name."""
    rows = session.rows(f"SELECT {', '.join(COLUMNS)} FROM archive_files ORDER BY name")  # noqa: S608
    return [ArchiveFile(*row) for row in rows]


def times_between(
    session: Session, after: int, up_to: int, before: int, limit: int
) -> list[tuple[int, int]]:
    """Returns up to `limit` pairs of position and time of events in the table, in order.

    Args:
        session: for queries.
        after: position before the first.
        up_to: position of the last.
        before: event time before which the events lie, in microseconds.
        limit: pairs at most.
    """
    rows = session.rows(
        "SELECT position, event_time FROM events "
        "WHERE position > ? AND position <= ? AND event_time < ? ORDER BY position LIMIT ?",
        (after, up_to, before, limit),
    )
    return [(int(position), int(time)) for position, time in rows]


def rows_at(session: Session, positions: Sequence[int]) -> list[Row]:
    """Returns the rows (position, then as `LogEvent`) that are still at these positions."""
    names = ", ".join(EVENT_COLUMNS)
    return [
        row
        for some in _portions(positions)
        for row in session.rows(
            f"SELECT {names} FROM events WHERE position IN ({_marks(some)})",  # noqa: S608
            some,
        )
    ]


def begin(session: Session) -> int:
    """Begins a turn and returns its number."""
    return counters.bump(session, COUNTER)


def move(session: Session, turn: int, file: ArchiveFile, positions: Sequence[int]) -> bool:
    """Takes events out of the table because a file has them now; their ids stay known.

    Returns:
        False, and nothing is changed, if one of them is gone from the table since the file was
        written, or the turn is over.
    """
    if _listed(session, file.name):
        return True  # done before: the answer was lost
    if turn != counters.read(session, COUNTER):
        return False
    there = 0
    for some in _portions(positions):
        counted = f"SELECT COUNT(*) FROM events WHERE position IN ({_marks(some)})"  # noqa: S608
        there += session.rows(counted, some)[0][0]
    if there != file.events:
        return False
    for some in _portions(positions):
        session.execute(f"DELETE FROM events WHERE position IN ({_marks(some)})", some)  # noqa: S608
    session.insert("archive_files", COLUMNS, [file])
    return True


def replace(session: Session, turn: int, name: str, file: ArchiveFile | None) -> bool:
    """Puts a file in the place of another; None: nothing of that one is left.

    Returns:
        False, and nothing is changed, if the other one is not listed, or the turn is over.
    """
    if not _listed(session, name):
        return file is None or _listed(session, file.name)  # done before: the answer was lost
    if turn != counters.read(session, COUNTER):
        return False
    session.execute("DELETE FROM archive_files WHERE name = ?", (name,))
    if file is not None:
        session.insert("archive_files", COLUMNS, [file])
    return True


def _listed(session: Session, name: str) -> bool:
    return bool(session.rows("SELECT 1 FROM archive_files WHERE name = ?", (name,)))


def _portions(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(positions), _AT_ONCE):
        yield positions[start : start + _AT_ONCE]


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))
