"""Callers that write events without pause, and what they were told."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import grpc

from recsys.store.store import Store
from recsys.v1.event_pb2 import Event
from recsys.v1.event_service_pb2 import WriteEventsRequest
from recsys.v1.event_service_pb2_grpc import EventServiceStub

CALL_S = 10.0
GIVE_UP = 0.2
"""Chance that a caller does not send a batch again whose answer it did not get."""
RECONNECT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]


@dataclass
class EventLoad:
    """Several callers, each with one call at a time, over all servers."""

    targets: Sequence[str]
    seed: int
    callers: int = 4
    acknowledged: list[str] = field(default_factory=list)
    """Ids of events that a server said were stored, now or before."""
    sent: set[str] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)
    """How calls failed."""

    def __enter__(self) -> Self:
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(number,)) for number in range(self.callers)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count: int, within_s: float = 120.0) -> None:
        """Waits until so many more events are acknowledged: the store has recovered."""
        wanted = len(self.acknowledged) + count
        end = time.monotonic() + within_s
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < end, f"no recovery: {self.codes}"
            time.sleep(0.01)

    def _call(self, number: int) -> None:
        chance = random.Random(f"{self.seed}/{number}")  # noqa: S311  not a secret
        channels = [grpc.insecure_channel(target, RECONNECT) for target in self.targets]
        stubs = [EventServiceStub(channel) for channel in channels]
        turn = 0
        while not self._ending.is_set():
            turn += 1
            ids = [f"{self.seed}-{number}-{turn}-{n}" for n in range(chance.choice((1, 1, 5, 50)))]
            self.sent.update(ids)
            request = WriteEventsRequest(events=[_event(each, chance) for each in ids])
            while not self._ending.is_set():
                try:
                    answer = chance.choice(stubs).WriteEvents(request, timeout=CALL_S)
                except grpc.RpcError as error:
                    self.codes[error.code().name] += 1
                    if chance.random() < GIVE_UP:
                        break
                    time.sleep(0.01)
                else:
                    if answer.stored_count + answer.duplicate_count != len(ids):
                        self.codes["WRONG COUNT"] += 1
                    self.acknowledged.extend(ids)
                    break
        for channel in channels:
            channel.close()


@dataclass(frozen=True, slots=True)
class Found:
    """What the store holds of a load."""

    acknowledged: int
    lost: int
    """Acknowledged events that are not stored."""
    twice: int
    """Events that are stored more than once."""
    unknown: int
    """Events that nobody sent."""
    in_order: bool
    """Positions are 1, 2, ... without gaps."""


def find(store: Store, loads: Sequence[EventLoad]) -> Found:
    """Compares the log with what callers were told."""
    rows = store.rows(0, 10**9, 10**9)
    there = Counter(str(row[1]) for row in rows)
    acknowledged = [each for load in loads for each in load.acknowledged]
    sent = set().union(*(load.sent for load in loads))
    return Found(
        acknowledged=len(acknowledged),
        lost=sum(each not in there for each in acknowledged),
        twice=sum(count > 1 for count in there.values()),
        unknown=sum(each not in sent for each in there),
        in_order=[row[0] for row in rows] == list(range(1, len(rows) + 1)),
    )


def _event(event_id: str, chance: random.Random) -> Event:
    event = Event(
        event_id=event_id,
        customer_id=f"customer-{chance.randrange(5000)}",
        item_id=f"item-{chance.randrange(48):02}",
        event_type=chance.choice(("view", "add-to-cart", "purchase")),
        quantity=1,
        unit_price=chance.randrange(1, 100) / 4,
    )
    event.event_time.GetCurrentTime()
    return event
