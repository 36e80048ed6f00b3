"""Check 4: events come in at least at 70 % of the rate that the bare driver reaches.

The store is held against the driver in one process, the service against the driver for batches.
A caller that sends events one by one and waits for each waits for gRPC above all: there the
service is held against a bare gRPC server over the bare driver, with the driver alone beside it.
"""

import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import grpc

from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.v1.event_pb2 import Event
from recsys.v1.event_service_pb2 import WriteEventsRequest, WriteEventsResponse
from recsys.v1.event_service_pb2_grpc import EventServiceStub
from serving.processes.supervisor import ONE_THREAD
from tests.deployments import Deployment
from tests.postgres import Postgres
from tests.qualification.commands import own_environment
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, figure
from tests.raw_ingest import RawPostgres, RawSqlite, batch_of

BAR = 0.70
CALL_S = 30.0
TURN_S = 1.0
"""The disk's speed drifts: the two take turns this short."""
TURNS = 10
"""Of each, in each setting."""
IN_FLIGHT = 12
"""Calls that a program has under way which waits for none of them; fewer than a server takes."""
MOST_PER_S = {1: 6_000, 100: 60_000}
"""Events that nobody exceeds: so many are made before each turn."""


class Client(Protocol):
    """Writes one prepared batch after the other."""

    def write(self, batch: Any, /) -> None:
        """Writes a batch, or begins to."""

    def finish(self) -> None:
        """Waits until all are written."""

    def close(self) -> None:
        """Ends the connection."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    clients: Sequence[Client]
    prepare: Callable[[list[LogEvent]], object]
    """Makes of a batch what `Client.write` takes; it is not timed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How events are sent."""

    clients: int
    size: int
    in_flight: int = 1
    """Calls under way for each client; the bare driver knows no other number than 1."""

    def __str__(self) -> str:
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        calls = "" if self.in_flight == 1 else f" with {self.in_flight} calls in flight"
        return f"{clients}{calls}, batches of {self.size}"


SETTINGS = (Setting(1, 1), Setting(1, 100), Setting(4, 1), Setting(4, 100))
BESIDE = Setting(1, 1, IN_FLIGHT)
"""Shown without a bar: what one program reaches that does not wait for each answer."""


def run(room: Room) -> Iterator[Row]:
    """Has the server and the bare driver take turns on one disk."""
    with TemporaryDirectory(prefix="recsys-", dir=room.folder) as folder:
        file, bare = Path(folder) / "raw" / "events.db", Path(folder) / "bare" / "events.db"
        for each in (file, bare):
            open_store(f"store://{each.parent}").close()
        url = f"store://{Path(folder) / 'store'}"
        yield from _compared(room, "SQLite", url, lambda: RawSqlite(file), str(bare))
        own = f"store://{Path(folder) / 'own'}"
        yield from _store_compared(room, "SQLite", own, lambda: RawSqlite(file))
    server = Postgres()
    server.start()
    try:
        raw_url, bare_url = server.new_database(), server.new_database()
        for each_url in (raw_url, bare_url):
            open_store(each_url).close()
        url = server.new_database()
        yield from _compared(room, "PostgreSQL", url, lambda: RawPostgres(raw_url), bare_url)
        own = server.new_database()
        yield from _store_compared(room, "PostgreSQL", own, lambda: RawPostgres(raw_url))
    finally:
        server.remove()


def _compared(
    room: Room, name: str, url: str, raw: Callable[[], RawSqlite | RawPostgres], bare: str
) -> Iterator[Row]:
    log = room.folder / "logs" / f"live-4-{name}.log"
    deployment = Deployment(room.root, room.demo_bundles(), url, log, servers=1)
    numbers = itertools.count()
    with ExitStack() as stack:
        stack.callback(deployment.stop)
        deployment.start()
        targets = (deployment.targets[0], stack.enter_context(_bare_server(room, bare)))
        for setting in (*SETTINGS, BESIDE):
            what = f"{name}, {setting}"
            room.step(what)
            sides = [
                Side([_Calls(target, setting.in_flight) for _ in range(setting.clients)], _request)
                for target in targets
            ]
            sides.append(Side([raw() for _ in range(setting.clients)], batch_of))
            ours, server, driver = _take_turns(sides, setting.size, numbers)
            for client in (client for side in sides for client in side.clients):
                client.close()
            yield figure(f"{what}: events/s of the service", ours)
            yield figure(f"{what}: events/s of a bare gRPC server", server)
            yield figure(f"{what}: events/s of the bare driver", driver)
            to_server, to_driver = (
                f"{what}: ratio to the bare server",
                f"{what}: ratio to the driver",
            )
            if setting.size > 1:
                yield figure(to_server, ours / server)
                yield at_least(to_driver, ours / driver, BAR)
            else:
                yield at_least(to_server, ours / server, BAR)
                yield figure(to_driver, ours / driver)


@contextmanager
def _bare_server(room: Room, where: str) -> Iterator[str]:
    """Runs `tests.raw_server`; yields its address."""
    command = [sys.executable, "-m", "tests.raw_server", where]
    environment = own_environment(room.root) | ONE_THREAD
    with subprocess.Popen(
        command, cwd=room.root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        if server.stdin is None or server.stdout is None:
            raise AssertionError("the server was started with pipes")
        try:
            yield f"127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
            server.wait()


def _store_compared(
    room: Room, name: str, url: str, raw: Callable[[], RawSqlite | RawPostgres]
) -> Iterator[Row]:
    """Compares the store as a library: what is left of the rate without gRPC between."""
    numbers = itertools.count()
    store = open_store(url)
    try:
        for setting in SETTINGS:
            what = f"{name}, {setting}, in process"
            room.step(what)
            ours = Side([_Appends(store) for _ in range(setting.clients)], list)
            theirs = Side([raw() for _ in range(setting.clients)], batch_of)
            rates = _take_turns((ours, theirs), setting.size, numbers)
            for client in theirs.clients:
                client.close()
            yield figure(f"{what}: events/s of the store", rates[0])
            yield at_least(f"{what}: ratio", rates[0] / rates[1], BAR)
    finally:
        store.close()


def _take_turns(sides: Sequence[Side], size: int, numbers: Iterator[int]) -> list[float]:
    """Returns events a second of each side."""
    events, seconds = [0] * len(sides), [0.0] * len(sides)
    for _ in range(TURNS):
        for place, side in enumerate(sides):
            count, took = _turn(side, size, numbers)
            events[place] += count
            seconds[place] += took
    return [count / took for count, took in zip(events, seconds, strict=True)]


def _turn(side: Side, size: int, numbers: Iterator[int]) -> tuple[int, float]:
    """Has all clients of a side write for a second; returns events and seconds."""
    most = int(MOST_PER_S[size] * TURN_S) // size // len(side.clients)
    work = [
        [side.prepare([_event(next(numbers)) for _ in range(size)]) for _ in range(most)]
        for _ in side.clients
    ]
    done = [0] * len(side.clients)
    end = [0.0]
    begin = threading.Barrier(len(side.clients) + 1, lambda: end.__setitem__(0, _later()))

    def client(place: int) -> None:
        begin.wait()
        for batch in work[place]:
            side.clients[place].write(batch)
            done[place] += size
            if time.perf_counter() >= end[0]:
                break
        side.clients[place].finish()

    threads = [threading.Thread(target=client, args=(place,)) for place in range(len(done))]
    for thread in threads:
        thread.start()
    begin.wait()
    for thread in threads:
        thread.join()
    return sum(done), time.perf_counter() - (end[0] - TURN_S)


def _later() -> float:
    return time.perf_counter() + TURN_S


class _Appends:
    """One caller of a store in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, batch: list[LogEvent]) -> None:
        self._store.append(batch)

    def finish(self) -> None:
        """Each write has waited for its own end."""

    def close(self) -> None:
        """The store is closed by whoever opened it."""


class _Calls:
    """A channel with some calls under way at a time."""

    def __init__(self, target: str, in_flight: int) -> None:
        self._channel = grpc.insecure_channel(target)
        self._stub = EventServiceStub(self._channel)
        self._in_flight = in_flight
        self._places = threading.Semaphore(in_flight)
        self._errors: list[BaseException] = []

    def write(self, request: WriteEventsRequest) -> None:
        if self._in_flight == 1:
            self._stub.WriteEvents(request, timeout=CALL_S)
            return
        self._places.acquire()
        self._stub.WriteEvents.future(request, timeout=CALL_S).add_done_callback(self._done)

    def finish(self) -> None:
        for _ in range(self._in_flight):
            self._places.acquire()
        self._places.release(self._in_flight)
        if self._errors:
            raise self._errors[0]

    def close(self) -> None:
        self._channel.close()

    def _done(self, call: "grpc.Future[WriteEventsResponse]") -> None:
        error = call.exception()
        if error is not None:
            self._errors.append(error)
        self._places.release()


def _request(events: list[LogEvent]) -> WriteEventsRequest:
    request = WriteEventsRequest()
    for event in events:
        made: Event = request.events.add(
            event_id=str(event.event_id),
            customer_id=event.customer_id,
            session_id=event.session_id or "",
            item_id=event.item_id or "",
            event_type=event.event_type,
            quantity=event.quantity,
            unit_price=event.unit_price,
            channel=event.channel or "",
        )
        made.event_time.FromMicroseconds(event.event_time)
    return request


def _event(number: int) -> LogEvent:
    chance = random.Random(number)  # noqa: S311  not a secret
    return LogEvent(
        event_id=f"{chance.getrandbits(96):024x}",
        customer_id=f"customer-{chance.randrange(100_000)}",
        session_id=f"session-{number // 7}",
        basket_id=None,
        item_id=f"item-{chance.randrange(50_000)}",
        offer_id=None,
        event_type="view",
        event_time=1_767_225_600_000_000 + number,
        unit_price=chance.randrange(1, 4000) / 4,
        channel="web",
    )
