"""Labels, customers of an item, and what placements there are, over a real port."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.client import AsyncRecsysClient, Consent, RecsysClient, ShopEvent
from recsys.errors import (
    InvalidQueryError,
    StoreUnavailableError,
    UnknownItemError,
    UnknownPlacementError,
)
from recsys.pipeline.customers import everybody
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import Tier
from tests.integration.serving.shop_server import NOW, shop_client, shop_server

ANNA = "customer-02"
"""Even customers drink tea."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


@pytest.fixture
def client(bundle_root: Path, store: Store) -> Iterator[RecsysClient]:
    with shop_client(bundle_root, store) as client:
        yield client


def test_labels_are_those_of_what_a_customer_likes(client: RecsysClient) -> None:
    told = client.recommend_labels("categories_for_you", customer_id=ANNA)
    assert told.column == "category"
    assert told.tier is Tier.PERSONALISED
    assert told.labels[0].label == ("Drinks", "Tea")
    assert [label.rank for label in told.labels] == list(range(1, len(told.labels) + 1))
    assert told.labels[0].reason.item_ids
    coffee = client.recommend_labels("categories_for_you", customer_id="customer-03")
    assert coffee.labels[0].label == ("Drinks", "Coffee")
    brands = client.recommend_labels("brands_for_you", customer_id=ANNA, limit=2)
    assert (brands.column, len(brands.labels)) == ("brand", 2)
    assert all(label.label[0].startswith("brand-") for label in brands.labels)


def test_labels_follow_what_somebody_does(client: RecsysClient) -> None:
    nobody = client.recommend_labels("categories_for_you")
    assert nobody.tier in {Tier.SEGMENT, Tier.POPULAR}
    seen = datetime.fromtimestamp(NOW - 60, UTC)
    client.write_events(
        [
            ShopEvent(event_type="purchase", visitor_id="v", item_id=item_id, event_time=seen)
            for item_id in ("item-01", "item-03", "item-09")
        ]
    )
    told = client.recommend_labels("categories_for_you", visitor_id="v")
    assert told.tier is Tier.SESSION
    assert told.labels[0].label == ("Drinks", "Coffee")
    client.set_consent(ANNA, Consent(recommend_on_site=False))
    refused = client.recommend_labels("categories_for_you", customer_id=ANNA)
    assert refused.labels == nobody.labels


def test_customers_are_those_who_like_what_is_like_it(client: RecsysClient) -> None:
    told = client.recommend_customers("customers_for_item", "item-06", limit=10)
    even = [int(each.customer_id[-2:]) % 2 == 0 for each in told.customers]
    assert len(even) == 10
    assert sum(even) >= 9
    assert [each.rank for each in told.customers] == list(range(1, 11))
    every = client.recommend_customers("customers_for_item", "item-06", limit=20_000)
    assert len(every.customers) > 50


def test_who_refused_was_erased_or_has_it_is_not_told(client: RecsysClient) -> None:
    def names(**settings: object) -> list[str]:
        told = client.recommend_customers("customers_for_item", "item-06", limit=500, **settings)
        return [each.customer_id for each in told.customers]

    first, second, third, fourth = names()[:4]
    client.set_consent(first, Consent(use_in_email=False))
    client.erase_customer(second)
    seen = datetime.fromtimestamp(NOW - 60, UTC)
    event = ShopEvent(event_type="purchase", customer_id=third, item_id="item-06", event_time=seen)
    client.write_events([event])
    deadline = time.monotonic() + 5
    while second in names():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert first not in names()
    assert first in names(purpose="on-site")
    assert third in names()
    left = names(exclude_buyers=True)
    assert third not in left
    assert not {first, second} & set(left)
    assert fourth in names()


def test_without_the_store_nobody_is_told(
    bundle_root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_client(bundle_root, store) as client:
        assert client.recommend_customers("customers_for_item", "item-06").customers

        def away(*_: object) -> None:
            raise StoreUnavailableError("away")

        monkeypatch.setattr(Store, "tails", away)
        with pytest.raises(StoreUnavailableError):
            client.recommend_customers("customers_for_item", "item-06")


def test_placements_say_what_they_are(bundle_root: Path, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text(
        '[filters.cheap]\nsql = "price < 10"\n'
        '[rules.for_you.no-coffee]\nkind = "exclude"\nfilter = "caffeine"\n'
    )
    with shop_client(bundle_root, store, file) as client:
        told = {each.name: each for each in client.placements()}
        filtered = client.recommend("popular", filter_name="cheap", item_fields=["price"])
    assert list(told)[:3] == ["for_you", "discover", "buy_again"]
    assert told["for_you"].answers == "items"
    assert told["for_you"].sources["repurchase"] == 1.0
    assert told["for_you"].fill == ("popular_in_segment", "popular")
    assert told["for_you"].rules == ("no-coffee",)
    assert told["for_you"].filter_names == ("cheap",)
    assert not told["for_you"].may_be_short
    assert told["buy_again"].may_be_short
    assert told["similar_items"].uses_context
    assert told["categories_for_you"].answers == "labels"
    assert told["customers_for_item"].answers == "customers"
    assert all(each.description for each in told.values())
    assert all(float(str(item.details["price"])) < 10 for item in filtered.items)


def test_what_is_wrong_is_named(client: RecsysClient) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        client.recommend_labels("for_you")
    assert caught.value.field == "placement"
    with pytest.raises(InvalidQueryError) as caught:
        client.recommend("categories_for_you")
    assert caught.value.field == "placement"
    with pytest.raises(InvalidQueryError) as caught:
        client.recommend_customers("for_you", "item-06")
    assert caught.value.field == "placement"
    with pytest.raises(InvalidQueryError) as caught:
        client.recommend_page(["popular", "brands_for_you"])
    assert caught.value.field == "slots[1].placement"
    with pytest.raises(InvalidQueryError) as caught:
        client.rank_items("brands_for_you", ["item-06"])
    assert caught.value.field == "placement"
    with pytest.raises(InvalidQueryError) as caught:
        client.recommend_customers("customers_for_item", "")
    assert caught.value.field == "item_id"
    with pytest.raises(InvalidQueryError) as caught:
        client.recommend_labels("brands_for_you", limit=-1)
    assert caught.value.field == "limit"
    with pytest.raises(UnknownItemError):
        client.recommend_customers("customers_for_item", "no such item")
    with pytest.raises(UnknownPlacementError):
        client.recommend_customers("no such placement", "item-06")


def test_asyncio_gets_the_same(bundle_root: Path) -> None:
    async def ask(target: str) -> tuple[object, ...]:
        async with AsyncRecsysClient([target], timeout_s=30) as client:
            return (
                await client.recommend_labels("brands_for_you", customer_id=ANNA),
                await client.recommend_customers("customers_for_item", "item-06"),
                await client.placements(),
            )

    with shop_server(bundle_root, None) as target, RecsysClient([target]) as client:
        assert asyncio.run(ask(target)) == (
            client.recommend_labels("brands_for_you", customer_id=ANNA),
            client.recommend_customers("customers_for_item", "item-06"),
            client.placements(),
        )
    assert list(everybody(["a", "b"])) == [True, True]
