"""Moves old events from the table to archives, so that the table stays small."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.progress import Progress, silent
from recsys.errors import StoreUnavailableError
from recsys.store.archives import Archives, write_file
from recsys.store.log_frames import log_frame
from recsys.store.tables import archives as table

DAY_US = 86_400_000_000
FILE_EVENTS = 20_000
"""Events moved in one transaction, for which other writes wait."""
PLAN_EVENTS = 5_000_000
"""Events whose places are in memory at once, 16 bytes each."""
_READ = 100_000
_TRIES = 10

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moved:
    """What went to the archives."""

    events: int
    files: int
    days: int


def archive(archives: Archives, *, before: int, up_to: int, progress: Progress = silent) -> Moved:
    """Moves events to archives; whoever stops in between calls it again.

    A file is written and on disk before one transaction lists it and takes its events out of the
    table: at every moment each event is in one of the two. Event ids stay known.

    Args:
        archives: of the store.
        before: moves events of the days (UTC) before the one of this time, in microseconds.
        up_to: and only up to this position: what came later is needed to serve.
        progress: hears about events moved.

    Raises:
        StoreUnavailableError: the store fails; what was moved before is moved.
        OSError: the folder of archives cannot be written.
    """
    archives.clean()
    events = files = after = 0
    days: set[int] = set()
    while len(plan := _plan(archives, after, up_to, before // DAY_US * DAY_US)):
        after = int(plan[:, 0].max())
        for day, positions in _by_day(plan):
            moved = _move(archives, day, positions)
            events, files = events + moved, files + bool(moved)
            days.add(day)
            progress("archiving events", events)
    return Moved(events, files, len(days))


def _plan(archives: Archives, after: int, up_to: int, before: int) -> Positions:
    """Returns positions and days, shape (events, 2), of the next events that are to move."""
    parts = [np.empty((0, 2), np.int64)]
    planned = 0
    while planned < PLAN_EVENTS:
        with archives.store.read() as session:
            pairs = table.times_between(session, after, up_to, before, _READ)
        if not pairs:
            break
        part = np.array(pairs, np.int64)
        after = int(part[-1, 0])
        part[:, 1] //= DAY_US
        parts.append(part)
        planned += len(part)
    return np.concatenate(parts)


def _by_day(plan: Positions) -> Iterator[tuple[int, list[int]]]:
    """Yields days (since 1970) and the positions of at most a file's events, in order."""
    for day in np.unique(plan[:, 1]):
        positions = plan[plan[:, 1] == day, 0].tolist()
        for start in range(0, len(positions), FILE_EVENTS):
            yield int(day), positions[start : start + FILE_EVENTS]


def _move(archives: Archives, day: int, positions: list[int]) -> int:
    """Moves the events that are still there to one file, and returns how many that were."""
    for _ in range(_TRIES):
        with archives.turn() as turn:
            with archives.store.read() as session:
                rows = table.rows_at(session, positions)
            if not rows:
                return 0
            there = sorted(int(row[0]) for row in rows)
            key = f"date={np.datetime64(day, 'D')}/{there[0]:012}-{there[-1]:012}"
            file = write_file(archives.folder, key, log_frame(rows))
            arguments = {"turn": turn, "file": file, "positions": there}
            if archives.store.writer.write("archive_events", arguments):
                return len(there)
            (archives.folder / file.name).unlink()  # some were erased meanwhile: once more
    raise StoreUnavailableError(f"events of {np.datetime64(day, 'D')} change all the time")
