"""Moves old events from the table to archives, so that the table stays small."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.progress import Progress, silent
from recsys.errors import StoreUnavailableError
from recsys.store.archives import Archives, write_file
from recsys.store.log_frames import log_frame
from recsys.store.store import Store
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
    days: set[str] = set()
    before = before // DAY_US * DAY_US
    while len(plan := places(archives.store, after, up_to, before, PLAN_EVENTS)):
        after = int(plan[-1, 0])
        for day, positions in by_day(plan):
            for start in range(0, len(positions), FILE_EVENTS):
                some = positions[start : start + FILE_EVENTS].tolist()
                moved = _move(archives, day, some)
                events, files = events + moved, files + bool(moved)
                progress("archiving events", events)
            days.add(day)
    return Moved(events, files, len(days))


def places(store: Store, after: int, up_to: int, before: int, limit: int) -> Positions:
    """Returns positions, in order, and days of events in the table, shape (events, 2).

    Args:
        store: whose table.
        after: position before the first.
        up_to: position of the last.
        before: event time before which the events lie, in microseconds.
        limit: after about so many there may be more.
    """
    parts = [np.empty((0, 2), np.int64)]
    while sum(map(len, parts)) < limit:
        with store.read() as session:
            pairs = table.times_between(session, after, up_to, before, _READ)
        if not pairs:
            break
        parts.append(np.array(pairs, np.int64))
        after = pairs[-1][0]
    found = np.concatenate(parts)
    found[:, 1] //= DAY_US
    return found


def by_day(plan: Positions) -> Iterator[tuple[str, Positions]]:
    """Yields each day, as 2026-01-31, and the positions of its events in order.

    Args:
        plan: positions in order, and days since 1970; shape (events, 2).
    """
    plan = plan[np.argsort(plan[:, 1], kind="stable")]
    days, starts = np.unique(plan[:, 1], return_index=True)
    for day, positions in zip(days, np.split(plan[:, 0], starts[1:]), strict=True):
        yield str(np.datetime64(int(day), "D")), positions


def _move(archives: Archives, day: str, positions: list[int]) -> int:
    """Moves the events that are still there to one file, and returns how many that were."""
    for _ in range(_TRIES):
        with archives.turn() as turn:
            with archives.store.read() as session:
                rows = table.rows_at(session, positions)
            if not rows:
                return 0
            there = sorted(int(row[0]) for row in rows)
            key = f"date={day}/{there[0]:012}-{there[-1]:012}"
            file = write_file(archives.folder, key, log_frame(rows))
            arguments = {"turn": turn, "file": file, "positions": there}
            if archives.store.writer.write("archive_events", arguments):
                return len(there)
            (archives.folder / file.name).unlink()  # some were erased meanwhile: once more
    raise StoreUnavailableError(f"events of {day} change all the time")
