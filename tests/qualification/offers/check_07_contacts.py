"""Check 7: 16 callers at once get the last voucher, the last money and the last contact once.

The callers are 16 threads of 4 processes, as those of 4 servers. With SQLite they send to the
process that owns the file, with PostgreSQL each process writes by itself. Every race begins for
all of them at the same moment.
"""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.store.choosing import Candidate, Choosing, Outcome
from recsys.store.contacts import Cap, StoredOffer
from recsys.store.listener import Listener
from recsys.store.offers import Offers
from recsys.store.open import open_store
from recsys.store.url import folder_of
from tests.postgres import Postgres
from tests.qualification.room import Room
from tests.qualification.rows import Row, equal, figure

RACES = 10_000
PROCESSES, THREADS = 4, 4
CALLERS = PROCESSES * THREADS
KINDS = ("last voucher", "last money", "last contact", "same request")
WAIT_S = 600.0
NOON = 1_704_110_400_000_000
DAY = 86_400_000_000


class Wanted(NamedTuple):
    """One call of one race."""

    asked: Choosing
    kind: str


@dataclass(frozen=True)
class Told:
    """What the callers of one process were given, and by how many calls."""

    given: NDArray[np.int64]
    """Shape (races,): contacts that a caller was given for the first time."""
    repeated: NDArray[np.int64]
    """Shape (races,): calls that were answered with a contact of before."""
    slowest_s: float


def run(room: Room) -> Iterator[Row]:
    """Runs all races on both drivers."""
    with ExitStack() as stack:
        room.step("SQLite: races")
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="recsys-")))
        yield from _raced(f"store://{folder / 'store'}", "SQLite")
    with ExitStack() as stack:
        postgres = Postgres("fsync=off")  # what is proved here is not what outlives a power cut
        stack.callback(postgres.remove)
        postgres.start()
        room.step("PostgreSQL: races")
        yield from _raced(postgres.new_database(), "PostgreSQL")


def wanted(race: int, caller: int) -> Wanted:
    """Returns what a caller asks for in a race."""
    kind = KINDS[race % len(KINDS)]
    customer = f"customer-{race}" if kind == "last contact" else f"customer-{race}-{caller}"
    same = kind == "same request"
    cost = 1_000_000 if kind == "last money" else 0
    asked = Choosing(
        contact_id=f"{race}-all" if same else f"{race}-{caller}",
        customer_id=f"customer-{race}" if same else customer,
        channel="email",
        time=NOON,
        purpose="use_in_email",
        caps=[Cap(["email"], 1, DAY)],
        candidates=[Candidate(f"offer-{race}", cost, 0, cost, 0, held_out=False)],
    )
    return Wanted(asked, kind)


def _raced(url: str, name: str) -> Iterator[Row]:
    owner = open_store(url)
    listener = Listener(folder_of(url), owner.writer) if url.startswith("store:") else None
    try:
        offers = Offers(owner)
        for start in range(0, RACES, 1_000):
            offers.upsert([_limits(race) for race in range(start, min(start + 1_000, RACES))])
        began = time.perf_counter()
        told = _told(url)
        seconds = time.perf_counter() - began
        given = np.sum([each.given for each in told], axis=0)
        repeated = np.sum([each.repeated for each in told], axis=0)
        for place, kind in enumerate(KINDS):
            yield equal(
                f"{name}: {kind}, exceeded", int((given[place :: len(KINDS)] > 1).sum()), 0
            )
        yield equal(f"{name}: races that nobody won", int((given == 0).sum()), 0)
        same = repeated[len(KINDS) - 1 :: len(KINDS)]
        yield equal(
            f"{name}: callers who heard the same again", int(same.sum()), len(same) * (CALLERS - 1)
        )
        stored = offers.all()
        yield equal(f"{name}: contacts taken of each offer", _span(stored), "1 to 1")
        with owner.read() as session:
            counted = int(session.rows("SELECT COUNT(*) FROM contacts")[0][0])
        yield equal(f"{name}: contacts in the ledger", counted, RACES)
        yield figure(f"{name}: calls a second", RACES * CALLERS / seconds)
        yield figure(f"{name}: slowest call, ms", 1_000 * max(each.slowest_s for each in told))
    finally:
        if listener is not None:
            listener.close()
        owner.close()


def _limits(race: int) -> tuple[str, str, int | None, int | None]:
    match KINDS[race % len(KINDS)]:
        case "last voucher":
            return f"offer-{race}", "{}", 1, None
        case "last money":
            return f"offer-{race}", "{}", None, 1_500_000
        case _:
            return f"offer-{race}", "{}", CALLERS, None


def _span(stored: Sequence[StoredOffer]) -> str:
    counts = [each.contact_count for each in stored]
    return f"{min(counts)} to {max(counts)}"


def _told(url: str) -> list[Told]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(CALLERS)
    with context.Pool(PROCESSES, _meet, (barrier,)) as pool:
        return pool.starmap(_call_all, [(url, process) for process in range(PROCESSES)], 1)


_barrier: Barrier | None = None


def _meet(barrier: Barrier) -> None:
    global _barrier  # noqa: PLW0603  a pool's processes can be handed a barrier in no other way
    _barrier = barrier


def _call_all(url: str, process: int) -> Told:
    """Runs the callers of one process."""
    store = open_store(url, role="server")
    offers = Offers(store)
    given, repeated = np.zeros((THREADS, RACES), int), np.zeros((THREADS, RACES), int)
    slowest = [0.0] * THREADS

    def call(thread: int) -> None:
        for race in range(RACES):
            one = wanted(race, process * THREADS + thread)
            if _barrier is not None:
                _barrier.wait(WAIT_S)
            began = time.perf_counter()
            chosen = offers.give(one.asked)
            slowest[thread] = max(slowest[thread], time.perf_counter() - began)
            if chosen.outcome is Outcome.GIVEN:
                (repeated if chosen.repeated else given)[thread, race] = 1

    crew = [Thread(target=call, args=(thread,)) for thread in range(THREADS)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    store.close()
    return Told(given.sum(axis=0), repeated.sum(axis=0), max(slowest))
