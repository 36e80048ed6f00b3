"""A type goes by the same names in a file, in a file that others split, and over the wire."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest

from recsys.client import AsyncRecsysClient, RecsysClient, ShopEvent
from recsys.data.dataset import Dataset
from recsys.data.event_names import EVENT_TYPE_NAMES
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources
from recsys.protocols.files import read_table
from recsys.store.events import LogEvent
from recsys.store.store import Store
from recsys.types import EventType
from recsys.v1 import event_service_pb2 as pb
from recsys.v1.event_service_pb2_grpc import EventServiceStub
from tests.events import NOW_S, sent_event
from tests.integration.serving.steered import RunningServer, ServerFactory

SPOKEN = {
    "view_item": "view",
    "Product Viewed": "view",
    "pageview": "view",
    "detail-page-view": "view",
    "select_item": "click",
    "addToCart": "add-to-cart",
    "Product Added": "add-to-cart",
    "remove_from_cart": "remove-from-cart",
    "Order Completed": "purchase",
    "transaction": "purchase",
    "Order Refunded": "return",
    "add_to_wishlist": "wishlist",
    "view_search_results": "search",
}
NAMES = {name: kind.value for name, kind in EVENT_TYPE_NAMES.items()} | SPOKEN
"""Every bare name of the table, and some as they are really written -> our type."""


@pytest.fixture
def running(start_server: ServerFactory, store: Store) -> RunningServer:
    return start_server(event_store=store, now=NOW_S)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One event of each name; the item tells which."""
    table = pl.DataFrame(
        {
            "userId": ["anna"] * len(NAMES),
            "productId": [f"item {name}" for name in NAMES],
            "event": list(NAMES),
            "timestamp": [NOW_S - 60] * len(NAMES),
        }
    )
    table.write_csv(tmp_path / "log.csv")
    return tmp_path / "log.csv"


def by_name(rows: Any) -> dict[str, str]:
    return {item.removeprefix("item "): kind for item, kind in rows}


def stored(store: Store) -> dict[str, str]:
    place = LogEvent._fields.index("event_type")
    return {row[1]: row[1 + place] for row in store.rows(0, 10**9, 10**9)}


def test_prepare_knows_every_name(file: Path, tmp_path: Path) -> None:
    prepare(
        Sources(str(file)), tmp_path / "out", Mapping(), now=datetime.fromtimestamp(NOW_S, UTC)
    )
    events = Dataset.open(tmp_path / "out").events.collect()
    assert by_name(events.select("item_id", "event_type").iter_rows()) == NAMES


def test_evaluation_knows_every_name(file: Path) -> None:
    rows = read_table(file).rows
    assert by_name(rows.select("item_id", "event_type").iter_rows()) == NAMES


def test_write_events_knows_every_name(running: RunningServer, store: Store) -> None:
    batch = [sent_event(f"id {name}", event_type=name) for name in NAMES]
    with grpc.insecure_channel(running.target) as channel:
        stub = EventServiceStub(channel)
        request = pb.WriteEventsRequest(events=batch)
        done = stub.WriteEvents(request, timeout=20)
        again = stub.WriteEvents(request, timeout=20)
    assert (done.stored_count, done.unknown_type_count) == (len(NAMES), 0)
    assert (again.stored_count, again.duplicate_count) == (0, len(NAMES))
    assert stored(store) == {f"id {name}": kind for name, kind in NAMES.items()}


def test_both_clients_know_every_name(running: RunningServer, store: Store) -> None:
    now = datetime.fromtimestamp(NOW_S, UTC)
    one, other = (
        [
            ShopEvent(
                event_type=name,
                customer_id="anna",
                item_id="tea",
                event_time=now,
                event_id=f"{who} {name}",
            )
            for name in NAMES
        ]
        for who in ("threads", "asyncio")
    )
    with RecsysClient([running.target], timeout_s=20) as client:
        assert client.write_events(one).unknown_types == 0

    async def write() -> int:
        async with AsyncRecsysClient([running.target], timeout_s=20) as client:
            return (await client.import_events(other)).unknown_types

    assert asyncio.run(write()) == 0
    expected = {f"{who} {n}": kind for n, kind in NAMES.items() for who in ("threads", "asyncio")}
    assert stored(store) == expected


def test_an_event_without_an_id_is_one_event_by_whatever_name(
    running: RunningServer, store: Store
) -> None:
    with grpc.insecure_channel(running.target) as channel:
        stub = EventServiceStub(channel)
        first = stub.WriteEvents(
            pb.WriteEventsRequest(events=[sent_event("", event_type="Product Viewed")]), timeout=20
        )
        second = stub.WriteEvents(
            pb.WriteEventsRequest(events=[sent_event("", event_type="view")]), timeout=20
        )
    assert (first.stored_count, second.duplicate_count) == (1, 1)
    assert list(stored(store).values()) == [EventType.VIEW.value]


def test_the_answer_and_the_log_count_types_that_no_model_knows(
    running: RunningServer, store: Store, log_lines: list[dict[str, Any]]
) -> None:
    batch = [sent_event("a", event_type="page_view", item_id=None), sent_event("b")]
    with grpc.insecure_channel(running.target) as channel:
        done = EventServiceStub(channel).WriteEvents(
            pb.WriteEventsRequest(events=batch), timeout=20
        )
    assert (done.stored_count, done.unknown_type_count) == (2, 1)
    assert stored(store) == {"a": "page-view", "b": "view"}
    assert [line["unknown_types"] for line in log_lines if "unknown_types" in line] == [1]
