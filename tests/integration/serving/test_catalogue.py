"""The catalogue while it is served: two processes on one store, and what the wire refuses."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.client import AsyncRecsysClient, RecsysClient
from recsys.errors import (
    InvalidFilterError,
    InvalidItemError,
    InvalidQueryError,
    StoreNotConfiguredError,
    UnknownItemError,
)
from recsys.store.store import Store
from recsys.types import Tier
from recsys.v1 import catalog_service_pb2 as pb
from recsys.v1.catalog_service_pb2_grpc import CatalogServiceStub
from serving.server import Server
from serving.settings import ServingSettings
from tests.integration.serving.refusal import refusal
from tests.integration.serving.test_process import READY_S, serving

PATIENCE_S = 5.0
"""The promise is one second; a busy machine is not a wrong answer."""
SIBLING = {"category": ["Drinks", "Tea"], "brand": "brand-2", "title": "Tea no. 2"}


@pytest.fixture(scope="module")
def two(
    bundle_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RecsysClient, RecsysClient]]:
    """Clients of two processes on one store."""
    folder = tmp_path_factory.mktemp("catalogue")
    store = f"store://{folder / 'store'}"
    with serving(bundle_root, folder / "server.log", processes=2, store=store) as running:
        running.wait_for("server.ready", count=2)
        first, second = (RecsysClient([target], timeout_s=10) for target in running.targets)
        with first, second:
            first.wait_until_ready(READY_S)
            second.wait_until_ready(READY_S)
            yield first, second


def soon(done: Callable[[], bool]) -> None:
    """Waits until something holds, no longer than it may take."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it is not seen"
        time.sleep(0.01)


def listed(client: RecsysClient, placement: str = "popular", **settings: Any) -> list[str]:
    settings = {"limit": 500} | settings
    return [item.item_id for item in client.recommend(placement, **settings).items]


def is_beside(client: RecsysClient, item_id: str, page: str) -> bool:
    return item_id in listed(client, "similar_items", context_item_ids=[page], limit=5)


def test_out_of_stock_is_gone_everywhere_within_a_second(
    two: tuple[RecsysClient, RecsysClient],
) -> None:
    for client in two:
        assert "item-10" in listed(client)
    away = {"item_id": "item-10", "available": False}
    assert two[0].upsert_items([away], columns=["available"]) == (0, 1)
    soon(lambda: all("item-10" not in listed(client) for client in two))
    assert two[1].upsert_items([{"item_id": "item-10", "available": True}], columns=["available"])
    soon(lambda: all("item-10" in listed(client) for client in two))
    columns = two[0].item("item-10").columns
    assert columns["title"] == "Tea no. 10", "other columns stay"


def test_filters_use_the_new_price_at_once(two: tuple[RecsysClient, RecsysClient]) -> None:
    cheap = "price < 1"
    assert all(listed(client, filter=cheap) == [] for client in two)
    two[0].upsert_items([{"item_id": "item-12", "price": 0.5}], columns=["price"])
    soon(lambda: all(listed(client, filter=cheap) == ["item-12"] for client in two))
    [item] = two[1].recommend("popular", filter=cheap, item_fields=["price"]).items
    assert item.details == {"price": 0.5}


def test_a_new_item_is_recommended_from_its_content(
    two: tuple[RecsysClient, RecsysClient],
) -> None:
    new = {"item_id": "tea-new", "price": 4.0, "colour": "green", **SIBLING}
    assert two[0].upsert_items([new]) == (1, 0)
    for client in two:
        # It is there at once; what it is like is sought aside.
        soon(partial(is_beside, client, "tea-new", "item-02"))
        page = client.recommend("similar_items", context_item_ids=["item-02"], limit=5)
        [item] = [item for item in page.items if item.item_id == "tea-new"]
        assert item.source == "new-items"
        assert item.reason.code == "similar-to"
        assert item.reason.item_ids == ("item-02",)
    drinker = two[1].recommend("for_you", customer_id="customer-02", limit=20)
    [item] = [item for item in drinker.items if item.item_id == "tea-new"]
    assert item.score > 0
    assert drinker.tier is Tier.PERSONALISED
    coffee = two[1].recommend("for_you", customer_id="customer-03", limit=20)
    assert "tea-new" not in [item.item_id for item in coffee.items]
    alone = two[1].recommend("for_you", customer_id="customer-02", filter="colour = 'green'")
    assert [item.item_id for item in alone.items] == ["tea-new"]
    assert "tea-new" not in listed(two[0], "buy_again", customer_id="customer-02")


def test_a_new_item_is_a_context(two: tuple[RecsysClient, RecsysClient]) -> None:
    two[0].upsert_items([{"item_id": "tea-page", **SIBLING}])

    def named() -> set[str]:
        page = two[1].recommend("similar_items", context_item_ids=["tea-page"], limit=10)
        assert "tea-page" not in [item.item_id for item in page.items]
        return {name for item in page.items for name in item.reason.item_ids}

    soon(lambda: "tea-page" in named())  # not who stands in for it
    page = two[1].recommend("similar_items", context_item_ids=["tea-page"], limit=10)
    assert page.missing_item_ids == ()
    assert page.tier is Tier.SESSION


def test_removed_is_gone_and_comes_back(two: tuple[RecsysClient, RecsysClient]) -> None:
    two[0].upsert_items([{"item_id": "cup", "title": "Cup"}])
    assert two[1].remove_items(["cup", "item-14", "never-there"]) == (2, 1)
    soon(lambda: all({"cup", "item-14"}.isdisjoint(listed(client)) for client in two))
    page = two[0].recommend("similar_items", context_item_ids=["item-14", "item-16"])
    assert page.missing_item_ids == ("item-14",)
    for item_id in ("cup", "item-14", "never-there"):
        with pytest.raises(UnknownItemError):
            two[0].item(item_id)
    with pytest.raises(UnknownItemError) as caught:
        two[0].upsert_items([{"item_id": "item-14", "price": 2.0}], columns=["price"])
    assert caught.value.metadata["item_id"] == "item-14"
    assert two[0].upsert_items([{"item_id": "item-14", "title": "Tea", "price": 2.0}]) == (1, 0)
    soon(lambda: all("item-14" in listed(client) for client in two))
    found = two[1].item("item-14")
    assert found.trained
    assert found.columns["title"] == "Tea"
    assert "category" not in found.columns, "replaced whole"


def test_pages_have_every_item_once_in_order(two: tuple[RecsysClient, RecsysClient]) -> None:
    two[0].upsert_items([{"item_id": f"page-{number}", "price": 900.0} for number in range(5)])
    soon(lambda: "page-4" in listed(two[1]))
    everything = [str(item["item_id"]) for item in two[1].items(page_size=7)]
    assert everything == sorted(set(everything))
    assert {"item-00", "item-04", "page-0"} <= set(everything), "those out of stock too"
    found = [item["item_id"] for item in two[1].items("price >= 900", page_size=2)]
    assert found == [f"page-{number}" for number in range(5)]


@pytest.fixture
def stub(bundle_root: Path, store: Store) -> Iterator[tuple[CatalogServiceStub, int]]:
    """One server in this process over the shop's bundle and an empty store, and its port."""
    settings = ServingSettings(bundles=bundle_root, drain_s=0.0, grace_s=1.0)
    server = Server(settings, current=current, load=load_recommender, store=store)
    port = server.listen(0)
    server.load()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield CatalogServiceStub(channel), port
    server.stop()


FOREIGN = "x"
BAD: list[tuple[str, Any, str, str]] = [
    ("UpsertItems", pb.UpsertItemsRequest(), "INVALID_QUERY", "items"),
    (
        "UpsertItems",
        pb.UpsertItemsRequest(items=[pb.Item(item_id="x" * 1_000_000)]),
        "INVALID_ITEM",
        "items[0].item_id",
    ),
    (
        "UpsertItems",
        pb.UpsertItemsRequest(items=[pb.Item(item_id="a"), pb.Item(item_id="b", price=-1.0)]),
        "INVALID_ITEM",
        "items[1].price",
    ),
    (
        "UpsertItems",
        pb.UpsertItemsRequest(
            items=[pb.Item(item_id="a")], update_mask=FieldMask(paths=["nothing"])
        ),
        "INVALID_QUERY",
        "update_mask",
    ),
    ("GetItem", pb.GetItemRequest(), "INVALID_QUERY", "item_id"),
    ("ListItems", pb.ListItemsRequest(page_size=-1), "INVALID_QUERY", "page_size"),
    ("ListItems", pb.ListItemsRequest(page_token=FOREIGN), "INVALID_QUERY", "page_token"),
    ("ListItems", pb.ListItemsRequest(filter="nothing > 1"), "INVALID_FILTER", "filter"),
    ("RemoveItems", pb.RemoveItemsRequest(), "INVALID_QUERY", "item_ids"),
    ("RemoveItems", pb.RemoveItemsRequest(item_ids=["a", ""]), "INVALID_QUERY", "item_ids[1]"),
    (
        "RemoveItems",
        pb.RemoveItemsRequest(item_ids=[str(number) for number in range(1_001)]),
        "INVALID_QUERY",
        "item_ids",
    ),
]


def test_bad_input_is_refused_whole(stub: tuple[CatalogServiceStub, int], store: Store) -> None:
    for method, request, reason, field in BAD:
        found = refusal(partial(getattr(stub[0], method), request, timeout=20))
        assert found.code is grpc.StatusCode.INVALID_ARGUMENT
        assert (found.reason, found.fields[0]) == (reason, field)
    assert store.changed_items() == []


def test_without_a_store_there_is_nothing_to_change(bundle_root: Path) -> None:
    settings = ServingSettings(bundles=bundle_root, drain_s=0.0, grace_s=1.0)
    server = Server(settings, current=current, load=load_recommender)
    port = server.listen(0)
    server.load()
    with RecsysClient([f"127.0.0.1:{port}"], timeout_s=10) as client:
        for call in (
            lambda: client.upsert_items([{"item_id": "a"}]),
            lambda: client.remove_items(["a"]),
            lambda: client.item("a"),
            lambda: list(client.items()),
        ):
            with pytest.raises(StoreNotConfiguredError):
                call()
    server.stop()


def test_the_client_raises_what_is_wrong(stub: tuple[CatalogServiceStub, int]) -> None:
    with RecsysClient([f"127.0.0.1:{stub[1]}"], timeout_s=10) as client:
        with pytest.raises(InvalidItemError) as caught:
            client.upsert_items([{"item_id": "a", "price": -1.0}, {"item_id": "", "size": 2}])
        assert [each.field for each in caught.value.violations] == [
            "items[0].price",
            "items[1].item_id",
        ]
        with pytest.raises(InvalidFilterError):
            list(client.items("price >"))
        with pytest.raises(InvalidQueryError):
            client.remove_items([])


def test_the_asynchronous_client(stub: tuple[CatalogServiceStub, int]) -> None:
    asyncio.run(asked_asynchronously(f"127.0.0.1:{stub[1]}"))


async def asked_asynchronously(target: str) -> None:
    made = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    columns = {"item_id": "a", "price": 1.5, "tags": ["t"], "size": 2.0, "created_at": made}
    async with AsyncRecsysClient([target], timeout_s=10) as client:
        await client.wait_until_ready(READY_S)
        assert await client.upsert_items([columns]) == (1, 0)
        assert await client.upsert_items([columns]) == (0, 1)
        deadline = time.monotonic() + PATIENCE_S
        found: list[Mapping[str, object]] = []
        while not found:
            try:
                found = [item async for item in client.items("size = 2")]
            except InvalidFilterError:  # the column is not there yet
                assert time.monotonic() < deadline, "it is not seen"
                await asyncio.sleep(0.05)
        assert found == [{**columns, "available": True}]
        assert (await client.item("a")).trained is False
        with pytest.raises(UnknownItemError):
            await client.item("b")
        assert await client.remove_items(["a", "b"]) == (1, 1)


def test_a_page_token_goes_with_its_filter(stub: tuple[CatalogServiceStub, int]) -> None:
    page = stub[0].ListItems(pb.ListItemsRequest(page_size=2), timeout=20)
    assert [item.item_id for item in page.items] == ["item-00", "item-01"]
    other = pb.ListItemsRequest(page_token=page.next_page_token, filter="price > 1")
    found = refusal(lambda: stub[0].ListItems(other, timeout=20))
    assert found.reason == "INVALID_QUERY"
    assert "another filter" in found.message
    last = stub[0].ListItems(pb.ListItemsRequest(page_size=10**9), timeout=20)
    assert (len(last.items), last.next_page_token) == (48, "")
