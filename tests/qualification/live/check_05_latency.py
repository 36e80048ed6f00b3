"""Check 5: what live state and the log of impressions add to the time of an answer.

Servers with and without take turns, call by call, so that a slow moment of the machine meets all.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import numpy as np

from recsys.data.dataset import Dataset
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.types import EventType
from recsys.v1.recommendation_service_pb2 import RecommendRequest
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.postgres import Postgres
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, figure
from tests.qualification.servers import started

CUSTOMERS, TAIL = 500, 20
"""Customers who are asked for, and events that each has in the store."""
WARM_UP, CALLS = 500, 6_000
"""Calls of each server."""
PLACEMENT = "for_you"
BARE, LIVE, LOGGED = "no store", "live state", "live state, impressions logged"
STATE_BAR, LOG_BAR = 1.3, 1.05
SEED = 5
TIMEOUT_S = 30.0

Servers = Mapping[str, RecommendationServiceStub]


def run(room: Room) -> Iterator[Row]:
    """Asks three servers in turn for the same customers, over both kinds of stores."""
    data = Dataset.open(room.demo_data())
    names = data.events.select("customer_id").unique().sort("customer_id").head(CUSTOMERS)
    customers = names.collect()["customer_id"].to_list()
    events = _tails(customers, data.items["item_id"].to_list())
    for kind in ("SQLite", "PostgreSQL"):
        with _servers(room, kind, events) as servers:
            room.step(f"{kind}: {CALLS:,} calls of each of {len(servers)} servers")
            seconds, live_events = _timed(servers, customers)
        medians = {name: float(np.median(own)) * 1_000 for name, own in seconds.items()}
        for name, own in seconds.items():
            yield figure(f"{kind}: {name}: p50 ms", medians[name])
            yield figure(f"{kind}: {name}: p99 ms", float(np.quantile(own, 0.99)) * 1_000)
        yield at_least(f"{kind}: events of a tail, on average", live_events, TAIL)
        state = medians[LIVE] / medians[BARE]
        yield at_most(f"{kind}: p50 with live state over p50 without", state, STATE_BAR)
        log = medians[LOGGED] / medians[LIVE]
        yield at_most(f"{kind}: p50 with impressions logged over p50 without", log, LOG_BAR)


def _tails(customers: list[str], item_ids: list[str]) -> list[LogEvent]:
    """Returns views of the last hour, so many of each customer, mixed as a log mixes them."""
    draw, now = np.random.default_rng(SEED), time.time_ns() // 1_000
    events = [
        LogEvent(
            event_id=f"{customer}#{place}",
            customer_id=customer,
            session_id=None,
            basket_id=None,
            item_id=item_ids[draw.integers(len(item_ids))],
            offer_id=None,
            event_type=EventType.VIEW.value,
            event_time=now - int(draw.integers(3_600)) * 1_000_000,
        )
        for customer in customers
        for place in range(TAIL)
    ]
    return [events[place] for place in draw.permutation(len(events))]


@contextmanager
def _servers(room: Room, kind: str, events: list[LogEvent]) -> Iterator[Servers]:
    """Starts a server without a store, and two over stores with the same events."""
    bundles, logs = room.demo_bundles(), room.folder / "logs"
    with ExitStack() as stack:
        stubs: dict[str, RecommendationServiceStub] = {}
        postgres = Postgres() if kind == "PostgreSQL" else None
        if postgres is not None:
            stack.callback(postgres.remove)
            postgres.start()
        for name in (BARE, LIVE, LOGGED):
            settings: dict[str, object] = {"drain_s": 0}
            if name != BARE:
                if postgres is not None:
                    settings["store"] = postgres.new_database()
                else:
                    folder = stack.enter_context(TemporaryDirectory(prefix="recsys-"))
                    settings["store"] = f"store://{Path(folder) / 'store'}"
                settings["impressions"] = name == LOGGED
                store = open_store(str(settings["store"]))
                store.append(events)
                store.close()
            log = logs / f"5-{kind}-{len(stubs)}.log"
            running = stack.enter_context(started(room.root, bundles, log, **settings))
            running.wait_for("server.ready")
            channel = stack.enter_context(grpc.insecure_channel(running.target))
            stubs[name] = RecommendationServiceStub(channel)
        yield stubs


def _timed(servers: Servers, customers: list[str]) -> tuple[dict[str, list[float]], float]:
    """Returns the seconds of each server's calls, and how many live events an answer knew."""
    draw, counts = np.random.default_rng(SEED), []
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    order = list(servers)
    for number in range(WARM_UP + CALLS):
        customer = customers[draw.integers(len(customers))]
        request = RecommendRequest(placement=PLACEMENT, customer_id=customer, page_size=20)
        for name in draw.permutation(order):
            began = time.perf_counter()
            answer = servers[name].Recommend(request, timeout=TIMEOUT_S)
            if number >= WARM_UP:
                seconds[name].append(time.perf_counter() - began)
                if name == LIVE:
                    counts.append(answer.live_event_count)
    return seconds, float(np.mean(counts))
