"""Writes to one server and asks another at once: does it know?"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.client import RecsysClient, ShopEvent
from recsys.types import EventType

KINDS = (EventType.VIEW, EventType.ADD_TO_CART, EventType.PURCHASE)
MOST_EVENTS = 3
LOGIN_RATE = 0.1


@dataclass
class Freshness:
    """Customers and visitors who act at one server and are asked for at another.

    It knows how many events each of them has, so that an answer that knows fewer is a miss.
    """

    clients: Sequence[RecsysClient]
    """One of each server."""
    customer_ids: Sequence[str]
    """Whom the bundle knows."""
    item_ids: Sequence[str]
    placement: str
    seed: int = 0
    missed: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From the acknowledgement to the answer that knew, of each check."""
    _counts: dict[str, int] = field(default_factory=dict)
    _checks: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  no secret

    def check(self, times: int) -> Iterator[int]:
        """Does so many random checks; yields the number of each."""
        for _ in range(times):
            self._checks += 1
            writer, reader = self._random.sample(range(len(self.clients)), 2)
            name, expected = self._act(self.clients[writer])
            acknowledged = time.perf_counter()
            self._ask(self.clients[reader], name, expected, acknowledged)
            yield self._checks

    def _act(self, client: RecsysClient) -> tuple[str, int]:
        """Has somebody do something; returns who it was, and how much they have done."""
        name = self._somebody()
        count = self._random.randint(1, MOST_EVENTS)
        events = [
            ShopEvent(
                event_type=self._random.choice(KINDS),
                item_id=self._random.choice(self.item_ids),
                **_named(name),
            )
            for _ in range(count)
        ]
        client.write_events(events)
        self._counts[name] = self._counts.get(name, 0) + count
        if name.startswith("visitor") and self._random.random() < LOGIN_RATE:
            customer_id = f"login-{self._checks}"
            client.identify_customer(name, customer_id)
            self._counts[customer_id] = self._counts.pop(name)
            name = customer_id
        return name, self._counts[name]

    def _somebody(self) -> str:
        """Returns a customer of the bundle, somebody new, or somebody who was there before."""
        kind = self._random.randrange(4)
        if kind == 0:
            return self._random.choice(self.customer_ids)
        if kind == 1:
            return f"customer-new-{self._checks}"
        if kind == 2 or not self._counts:
            return f"visitor-{self._checks}"
        return self._random.choice(sorted(self._counts))

    def _ask(self, client: RecsysClient, name: str, expected: int, acknowledged: float) -> None:
        answer = client.recommend(self.placement, limit=5, timeout_s=30, **_named(name))
        self.seconds.append(time.perf_counter() - acknowledged)
        if answer.live_event_count != expected or answer.live_state_missing:
            told = f"{answer.live_event_count} of {expected} events"
            self.missed.append(f"check {self._checks}: {name}: {told}")


def _named(name: str) -> dict[str, Any]:
    return {"visitor_id" if name.startswith("visitor") else "customer_id": name}
