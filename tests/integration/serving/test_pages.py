"""RecommendPage over a real port: no product twice, one moment, each slot an answer of its own."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.client import AsyncRecsysClient, Consent, PageSlot, RecsysClient, ShopEvent, Tuning
from recsys.errors import InvalidFilterError, InvalidQueryError, UnknownPlacementError
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import Tier
from tests.integration.serving.shop_server import NOW, logged, shop_client, shop_server

ANNA = "customer-02"
SLOTS = (
    PageSlot("buy_again", limit=4),
    PageSlot("for_you", limit=6),
    PageSlot("discover", limit=30),
    PageSlot("popular", limit=6),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


@pytest.fixture
def client(bundle_root: Path, store: Store) -> Iterator[RecsysClient]:
    with shop_client(bundle_root, store) as client:
        yield client


def test_no_product_stands_on_a_page_twice(client: RecsysClient) -> None:
    page = client.recommend_page(
        SLOTS, customer_id=ANNA, item_fields=["group_id", "title"], exclude_item_ids=["item-06"]
    )
    assert [len(slot.items) for slot in page[:2]] == [4, 6]
    items = [item for slot in page for item in slot.items]
    products = [item.details.get("group_id", item.item_id) for item in items]
    assert len(products) == len(set(products))
    assert "item-06" not in products
    # The shop has 42 products that may be shown: the page shows 4 + 6 + 30 and what is left.
    assert len(items) > 40
    assert all("title" in item.details for item in items)


def test_the_first_slot_is_the_plain_list_and_the_next_goes_on(client: RecsysClient) -> None:
    page = client.recommend_page(SLOTS, customer_id=ANNA)
    alone = client.recommend("buy_again", customer_id=ANNA, limit=4)
    assert page[0].items == alone.items
    shown = [item.item_id for item in page[0].items]
    rest = client.recommend("for_you", customer_id=ANNA, limit=6, exclude_item_ids=shown)
    assert page[1].items == rest.items
    assert page[1].tier == rest.tier == Tier.PERSONALISED
    assert {slot.query_time for slot in page} == {alone.query_time}


def test_variants_of_what_is_shown_are_left_out(client: RecsysClient) -> None:
    variants = "item_id IN ('item-40', 'item-41')"
    page = client.recommend_page(
        [PageSlot("popular", filter=variants), PageSlot("for_you", filter=variants)]
    )
    assert [len(slot.items) for slot in page] == [1, 0]


def test_every_slot_knows_the_same_events(client: RecsysClient) -> None:
    moment = datetime.fromtimestamp(NOW - 600, UTC)
    client.write_events(
        [
            ShopEvent(
                event_type="purchase",
                customer_id="new one",
                item_id=item_id,
                event_time=moment,
            )
            for item_id in ("item-02", "item-08")
        ]
    )
    page = client.recommend_page(["buy_again", "for_you"], customer_id="new one")
    assert [slot.live_event_count for slot in page] == [2, 2]
    assert {item.item_id for item in page[0].items} == {"item-02", "item-08"}


def test_each_slot_is_logged_with_a_token_of_its_own(client: RecsysClient, store: Store) -> None:
    page = client.recommend_page(SLOTS, customer_id=ANNA)
    assert len({slot.attribution_token for slot in page}) == len(SLOTS)
    assert all(slot.attribution_token for slot in page)
    shown = logged(store, len(SLOTS))
    assert set(shown) == {slot.request_id for slot in page}
    for slot, asked in zip(page, SLOTS, strict=True):
        assert shown[slot.request_id].placement == asked.placement
        assert shown[slot.request_id].item_ids == [item.item_id for item in slot.items]


def test_consent_holds_for_every_slot(client: RecsysClient) -> None:
    client.set_consent(ANNA, Consent(recommend_on_site=False))
    page = client.recommend_page(SLOTS, customer_id=ANNA)
    assert all(slot.consent_refused for slot in page)
    assert page[0].items == ()  # buys again: nobody in particular
    mailed = client.recommend_page(SLOTS, customer_id=ANNA, purpose="email")
    assert not any(slot.consent_refused for slot in mailed)


def test_the_erased_are_nobody_on_every_slot(client: RecsysClient) -> None:
    assert client.recommend_page(SLOTS, customer_id=ANNA)[0].items
    client.erase_customer(ANNA)
    deadline = time.monotonic() + 5
    while client.recommend_page(SLOTS, customer_id=ANNA)[0].items:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_experiments_hold_for_the_slot_that_they_are_about(
    bundle_root: Path, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text(
        '[experiments.plain]\nplacements = ["for_you"]\n'
        "[experiments.plain.arms.control]\n"
        "[experiments.plain.arms.blend.placements.for_you]\n"
        'sources = [{ name = "popular", weight = 1.0 }]\n'
        "[exploration.popular]\ntemperature = 5\n"
    )
    with shop_client(bundle_root, store, file) as client:
        arms = set()
        for number in range(12):
            page = client.recommend_page(
                ["buy_again", "for_you", "popular"], customer_id=f"customer-{number:02}"
            )
            arms.add(page[1].arm)
            assert [slot.experiment for slot in page] == ["", "plain", ""]
            assert any(item.propensity for item in page[2].items)
            listed = [item.item_id for slot in page for item in slot.items]
            assert len(listed) == len(set(listed))
        assert arms == {"control", "blend"}


def test_what_is_wrong_names_its_slot(client: RecsysClient) -> None:
    def field(slots: list[PageSlot], **settings: object) -> str:
        with pytest.raises(InvalidQueryError) as caught:
            client.recommend_page(slots, **settings)
        return caught.value.field

    assert field([]) == "slots"
    assert field([PageSlot("popular")] * 21) == "slots"
    assert field([PageSlot("popular"), PageSlot("")]) == "slots[1].placement"
    assert field([PageSlot("popular", limit=-1)]) == "slots[0].limit"
    assert field([PageSlot("popular")], visitor_id="v", customer_id="c") == "visitor_id"
    assert field([PageSlot("popular", tuning=Tuning(diversity=2))]).startswith("slots[0].tuning")
    assert field([PageSlot("popular", filter_name="none")]) == "slots[0].filter_name"
    with pytest.raises(InvalidFilterError) as caught:
        client.recommend_page([PageSlot("popular"), PageSlot("popular", filter="nothing < 3")])
    assert caught.value.position == 0
    assert "slots[1].filter" in str(caught.value)
    with pytest.raises(UnknownPlacementError):
        client.recommend_page(["popular", "no such placement"])


def test_asyncio_gets_the_same_page(bundle_root: Path) -> None:
    async def ask(target: str) -> list[list[str]]:
        async with AsyncRecsysClient([target], timeout_s=30) as client:
            page = await client.recommend_page(SLOTS, customer_id=ANNA)
        return [[item.item_id for item in slot.items] for slot in page]

    with shop_server(bundle_root, None) as target, RecsysClient([target]) as client:
        page = client.recommend_page(SLOTS, customer_id=ANNA, query_time=None)
        told = [[item.item_id for item in slot.items] for slot in page]
        assert asyncio.run(ask(target)) == told
        assert not page[0].attribution_token  # there is no store
        assert int(page[0].query_time.timestamp()) == NOW
