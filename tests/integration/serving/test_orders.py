"""RankItems over a real port: everything that may be shown, in the placement's order."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.client import AsyncRecsysClient, Consent, RecsysClient
from recsys.errors import InvalidFilterError, InvalidQueryError, UnknownPlacementError
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import Tier
from tests.integration.serving.shop_server import logged, shop_client, shop_server

ANNA = "customer-02"
FOUND = [f"item-{number:02}" for number in range(30)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


@pytest.fixture
def client(bundle_root: Path, store: Store) -> Iterator[RecsysClient]:
    with shop_client(bundle_root, store) as client:
        yield client


def test_results_of_a_search_come_in_the_order_of_the_list(client: RecsysClient) -> None:
    listed = [item.item_id for item in client.recommend("for_you", customer_id=ANNA).items]
    others = [item_id for item_id in FOUND if item_id not in listed]
    told = client.rank_items("for_you", [*others, *reversed(listed)], customer_id=ANNA)
    assert [item.item_id for item in told.items][: len(listed)] == listed
    assert told.tier is Tier.PERSONALISED
    assert set(told.forbidden_item_ids) == {"item-04", "item-05"}  # they cannot be sold
    assert told.missing_item_ids == ()
    assert len(told.items) == len({*others, *listed}) - 2
    assert [item.rank for item in told.items] == list(range(1, len(told.items) + 1))
    assert told.items[0].reason.code == "bought-before"


def test_it_says_what_is_not_there_and_what_may_not_be_shown(client: RecsysClient) -> None:
    told = client.rank_items(
        "for_you", ["x", "item-20", "item-02", "y", "item-05"], filter="price < 10"
    )
    assert [item.item_id for item in told.items] == ["item-02"]
    assert told.missing_item_ids == ("x", "y")
    assert told.forbidden_item_ids == ("item-20", "item-05")


def test_variants_are_all_kept_and_what_nobody_knows_stays_as_it_was(
    client: RecsysClient,
) -> None:
    ids = ["item-47", "item-46", "item-45", "item-44"]
    told = client.rank_items("for_you", ids, customer_id=ANNA)
    assert [item.item_id for item in told.items] == ids
    assert {item.reason.code for item in told.items} == {"as-given"}
    assert told.tier is Tier.POPULAR


def test_parameters_of_filters_are_bound(client: RecsysClient) -> None:
    told = client.rank_items(
        "popular",
        FOUND,
        filter="price < :most AND brand IN :brands",
        filter_parameters={"most": 20, "brands": ["brand-1", "brand-2"]},
    )
    direct = client.rank_items(
        "popular", FOUND, filter="price<20 AND brand IN ('brand-1','brand-2')"
    )
    assert told.items == direct.items != ()
    with pytest.raises(InvalidFilterError):
        client.rank_items("popular", FOUND, filter="price < :most")


def test_an_order_is_logged_under_its_token_and_draws_nothing(
    bundle_root: Path, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text("[exploration.popular]\ntemperature = 5\n")
    with shop_client(bundle_root, store, file) as client:
        told = client.rank_items("popular", FOUND)
        assert all(item.propensity is None for item in told.items)
        assert told.attribution_token
        shown = logged(store, 1)[told.request_id]
    assert shown.placement == "popular"
    assert shown.item_ids == [item.item_id for item in told.items]
    assert list(shown.query["only_item_ids"]) == FOUND


def test_rules_of_the_placement_hold_for_an_order(
    bundle_root: Path, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text(
        '[rules.popular.no-caffeine]\nkind = "exclude"\nfilter = "caffeine"\n'
        '[rules.popular.first]\nkind = "pin"\nitem_id = "item-22"\nposition = 1\n'
    )
    with shop_client(bundle_root, store, file) as client:
        told = client.rank_items("popular", FOUND)
        plain = client.rank_items("popular", FOUND, filter="NOT caffeine")
    listed = [item.item_id for item in told.items]
    assert listed[0] == "item-22"
    assert told.items[0].moves[-1].rule == "first"
    assert sorted(listed) == sorted(item.item_id for item in plain.items)
    assert set(listed) | set(told.forbidden_item_ids) == set(FOUND)


def test_who_refused_is_ordered_for_as_nobody(client: RecsysClient) -> None:
    nobody = client.rank_items("for_you", FOUND)
    assert client.rank_items("for_you", FOUND, customer_id=ANNA).items != nobody.items
    client.set_consent(ANNA, Consent(use_in_email=False))
    told = client.rank_items("for_you", FOUND, customer_id=ANNA, purpose="email")
    assert told.items == nobody.items


def test_what_is_wrong_is_named(client: RecsysClient) -> None:
    def field(ids: list[str], **settings: object) -> str:
        with pytest.raises(InvalidQueryError) as caught:
            client.rank_items("popular", ids, **settings)
        return caught.value.field

    assert field([]) == "item_ids"
    assert field(["a", "b", "a"]) == "item_ids[2]"
    assert field(["a", ""]) == "item_ids[1]"
    assert field([str(number) for number in range(1_001)]) == "item_ids"
    assert field(["a"], market="nowhere") == "market"
    assert field(["a"], filter_parameters={"never": 1}) == "filter_parameters.never"
    with pytest.raises(UnknownPlacementError):
        client.rank_items("no such placement", ["a"])


def test_a_thousand_may_be_ordered(client: RecsysClient) -> None:
    ids = [f"item-{number:02}" for number in range(1_000)]
    told = client.rank_items("popular", ids)
    assert len(told.items) == 46
    assert len(told.missing_item_ids) == 1_000 - 48


def test_asyncio_gets_the_same_order(bundle_root: Path) -> None:
    async def ask(target: str) -> list[str]:
        async with AsyncRecsysClient([target], timeout_s=30) as client:
            told = await client.rank_items("for_you", FOUND, customer_id=ANNA)
        return [item.item_id for item in told.items]

    with shop_server(bundle_root, None) as target, RecsysClient([target]) as client:
        told = client.rank_items("for_you", FOUND, customer_id=ANNA)
        assert asyncio.run(ask(target)) == [item.item_id for item in told.items]
