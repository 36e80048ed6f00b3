"""A server answers with learned values as soon as they are there, and keeps them."""

import time
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import current
from recsys.data.state import CustomerStates
from recsys.offers.values import Audience, PastContacts, ValueBasis
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import CustomerId
from serving.state.live_offers import LiveOffers
from tests.campaign_store import Campaign, store_campaign
from tests.integration.training.commands import in_process


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store after a campaign, and values that were learned from it."""
    folder = tmp_path_factory.mktemp("values")
    url = f"store://{folder / 'store'}"
    store_campaign(url, Campaign(time.time_ns() // 1_000, customers=1_500))
    said = in_process("values", "--source", url, "--out", folder / "values")
    assert said.status == 0, said
    return folder


@pytest.fixture
def store(campaign: Path):
    opened: Store = open_store(f"store://{campaign / 'store'}")
    yield opened
    opened.close()


def test_values_are_followed_and_a_damaged_version_changes_nothing(
    campaign, store, recommender
) -> None:
    root = campaign / "values"
    live = LiveOffers(store, root)
    desk = live.look(recommender)
    assert desk.values.version == current(root).name
    assert live.look(recommender) is desk
    damaged = root / "20990101T000000Z-damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{}")
    before = (root / "current").read_text()
    (root / "current").write_text(damaged.name + "\n")
    assert live.look(recommender).values.version == desk.values.version
    (root / "current").write_text(before)


def test_customers_of_a_bundle_are_judged_by_them(campaign, store, recommender) -> None:
    desk = LiveOffers(store, campaign / "values").look(recommender)
    states: CustomerStates = recommender.resolver.states
    customers = [CustomerId(str(number)) for number in range(len(states))]
    audience = Audience(
        customers, states, PastContacts.none(len(states)), states.scale.reference_time
    )
    offers = [each for each in desk.book.offers if each.offer.scope.is_basket]
    found = desk.values.worth(audience, offers)
    assert found.basis == (ValueBasis.PROPENSITY,)
    assert found.probability.shape == (len(states), 1)
    assert np.isfinite(found.gain).all()
    assert ((found.probability >= 0) & (found.probability <= 1)).all()


def test_without_values_affinity_answers(store, recommender, tmp_path) -> None:
    for root in (None, tmp_path / "nothing-yet"):
        assert LiveOffers(store, root).look(recommender).values.version == ""
