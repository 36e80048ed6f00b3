"""When items are needed again, and what is missing in a cart, over a real port."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.client import RecsysClient, ShopEvent
from recsys.pipeline.query import Query, Replenishment
from recsys.pipeline.recommender import Recommender
from recsys.store.open import open_store
from tests.integration.serving.shop_server import NOW, shop_client

ANNA = "customer-02"


@pytest.fixture
def client(bundle_root: Path, tmp_path: Path) -> Iterator[RecsysClient]:
    store = open_store(f"store://{tmp_path / 'store'}")
    with shop_client(bundle_root, store) as client:
        yield client
    store.close()


def told(client: RecsysClient, item_id: str) -> Replenishment:
    when = datetime.fromtimestamp(NOW, UTC)
    answer = client.recommend("buy_again", customer_id=ANNA, limit=50, query_time=when)
    [found] = [item.replenishment for item in answer.items if item.item_id == item_id]
    assert found is not None
    return found


def test_what_the_library_says_arrives(client: RecsysClient, loaded: Recommender) -> None:
    when = datetime.fromtimestamp(NOW, UTC)
    answer = client.recommend("buy_again", customer_id=ANNA, limit=50, query_time=when)
    [expected] = loaded.recommend([Query("buy_again", NOW, customer_id=ANNA, limit=50)])
    assert [(item.item_id, item.replenishment, item.reason) for item in answer.items] == [
        (item.item_id, item.replenishment, item.reason) for item in expected.items
    ]
    assert all(item.replenishment for item in answer.items)
    plain = client.recommend("for_you", customer_id=ANNA)
    assert all(item.replenishment is None for item in plain.items)


def test_a_purchase_in_the_store_moves_the_date(client: RecsysClient) -> None:
    when = datetime.fromtimestamp(NOW, UTC)
    answer = client.recommend("buy_again", customer_id=ANNA, query_time=when)
    item_id = answer.items[0].item_id
    before = told(client, item_id)
    moment = datetime.fromtimestamp(NOW - 60, UTC)
    client.write_events(
        [ShopEvent(event_type="purchase", customer_id=ANNA, item_id=item_id, event_time=moment)]
    )
    assert told(client, item_id).due_time > max(before.due_time, NOW)


def test_a_cart_is_left_out_of_what_completes_it(client: RecsysClient) -> None:
    cart = ["item-00", "item-02", "item-04"]
    answer = client.recommend(
        "complete_the_basket", customer_id=ANNA, context_item_ids=cart, limit=10
    )
    assert len(answer.items) == 10
    assert not {item.item_id for item in answer.items} & set(cart)
