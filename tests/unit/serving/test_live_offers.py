"""What offers are about and worth follows the catalogue, look by look."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import structlog

from recsys.offers.affinity import AffinityValues
from recsys.offers.book import OfferBook
from recsys.offers.facts import Knowledge
from recsys.offers.offer import Offer
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.recommender import Recommender
from recsys.store.offers import Offers
from recsys.store.open import open_store
from recsys.store.store import Store
from serving.logs import OFFERS_LEFT_OUT
from serving.state.live_offers import LiveOffers, OfferDesk
from tests.catalogue_changes import Changes

TEA = {"category": ["Drinks", "Tea"]}
GIVEN = [
    {"offer_id": "drinks", "scope": {"category": ["Drinks"]}},
    {"offer_id": "everything", "eligibility": "purchases > 3"},
    {"offer_id": "lost", "eligibility": "shoe_size > 40"},
    {"offer_id": "some", "scope": {"item_ids": ["item-01", "item-02", "item-99"]}},
    {"offer_id": "tea", "scope": TEA},
]
BASE = {"kind": "percent", "discount": 10.0, "channels": ["email"]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    put(opened, *GIVEN)
    yield opened
    opened.close()


def put(store: Store, *given: dict[str, object]) -> None:
    offers = [Offer.model_validate({**BASE, **each}) for each in given]
    Offers(store).upsert([(each.offer_id, each.model_dump_json(), None, None) for each in offers])


def items(desk: OfferDesk) -> dict[str, list[int] | None]:
    return {
        each.offer.offer_id: None if each.item_nums is None else each.item_nums.tolist()
        for each in desk.book.offers
    }


def looked(live: LiveOffers, recommender: Recommender) -> OfferDesk:
    """A look, after which all is as if this were the first."""
    desk = live.look(recommender)
    assert desk is not None
    offers = [each.offer for each in desk.book.offers]
    afresh = OfferBook.of(offers, Knowledge.of(recommender))
    values = AffinityValues.of(recommender.resolver.states, recommender.catalogue)
    assert items(desk) == items(OfferDesk(afresh, values))
    assert desk.book.conditions.known.catalogue is recommender.catalogue
    assert desk.book.conditions.columns == afresh.conditions.columns
    assert list(desk.book.conditions.expressions) == list(afresh.conditions.expressions)
    assert list(desk.book.conditions.refused) == list(afresh.conditions.refused)
    assert isinstance(desk.values, AffinityValues)
    np.testing.assert_array_equal(desk.values.bought, values.bought)
    np.testing.assert_array_equal(desk.values.margins.weighted, values.margins.weighted)
    return desk


def test_a_change_of_a_price_changes_what_offers_are_worth_alone(
    store: Store, recommender: Recommender
) -> None:
    live, follower, changes = LiveOffers(store, None), CatalogueFollower(recommender), Changes()
    first = looked(live, recommender)
    row = changes.upsert("item-02", replaces=False, price=99.0)
    second = looked(live, follower.follow([row]))
    assert second.book.offers is first.book.offers, "nothing was looked up again"
    assert second.book.conditions.expressions is first.book.conditions.expressions
    assert second.values is not first.values


def test_items_that_come_go_or_move_are_followed(store: Store, recommender: Recommender) -> None:
    live, follower, changes = LiveOffers(store, None), CatalogueFollower(recommender), Changes()
    was = items(looked(live, recommender))
    new = follower.follow([changes.upsert("item-99", title="Green tea", price=3.0, **TEA)])
    came = items(looked(live, new))
    for offer_id in ("drinks", "some", "tea"):
        assert came[offer_id] == [*(was[offer_id] or []), len(recommender.catalogue)]
    moved = follower.follow([changes.upsert("item-02", replaces=False, category=["Cups"])])
    assert 2 in (came["tea"] or [])
    assert 2 not in (items(looked(live, moved))["tea"] or [2])
    gone = follower.follow([changes.remove("item-01")])
    assert 1 in (came["some"] or [])
    assert 1 not in (items(looked(live, gone))["some"] or [1])


def test_a_further_column_is_one_that_eligibility_may_not_name(
    store: Store, recommender: Recommender
) -> None:
    """An offer that cannot be evaluated is told once, however often the catalogue changes."""
    live, follower, changes = LiveOffers(store, None), CatalogueFollower(recommender), Changes()
    with structlog.testing.capture_logs() as lines:
        looked(live, recommender)
        looked(live, follower.follow([changes.upsert("item-02", replaces=False, shoe_size=41)]))
    assert [line["offer_id"] for line in lines if line["event"] == OFFERS_LEFT_OUT] == ["lost"]


def test_other_offers_are_looked_up(store: Store, recommender: Recommender) -> None:
    live = LiveOffers(store, None)
    looked(live, recommender)
    put(
        store,
        {"offer_id": "tea", "scope": {"item_ids": ["item-05"]}},
        {"offer_id": "z", "scope": TEA},
    )
    found = items(looked(live, recommender))
    assert found["tea"] == [5]
    assert len(found["z"] or []) > 1
