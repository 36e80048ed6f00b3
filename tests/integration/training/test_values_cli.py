"""From a store's ledger to values of offers, as a person types it, and back."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import current, read_manifest, write_bundle
from recsys.data.state import CustomerStates, DecayScale, sum_days
from recsys.errors import BundleError
from recsys.offer_values import load_values, write_values
from recsys.offers.learned_values import LearnedValues
from recsys.offers.values import Audience, PastContacts, ScopedOffer, ValueBasis
from recsys.store.open import open_store
from recsys.types import DAY_S, EVENT_CODES, CustomerId, EventType
from tests.campaign_store import EFFECT, OFFERS, Campaign, store_campaign
from tests.integration.training.commands import in_process

NOW_US = time.time_ns() // 1_000
TEA, COFFEE = 1, 0
SCOPED = [ScopedOffer(OFFERS[0], np.array([TEA], dtype=np.int32)), ScopedOffer(OFFERS[1], None)]


def audience(*items: int) -> Audience:
    """Customers who bought an item each, three times in the last ninety days."""
    now = NOW_US // 1_000_000
    customers = np.repeat(np.arange(len(items), dtype=np.int32), 3)
    times = np.tile(now - np.array([80, 50, 20]) * DAY_S, len(items))
    kinds = np.full(len(customers), EVENT_CODES[EventType.PURCHASE], dtype=np.uint8)
    scale = DecayScale((30.0,), now)
    bought = np.repeat(np.array(items, dtype=np.int32), 3)
    nums, rows = sum_days(customers, bought, kinds, times, scale)
    counts = np.bincount(nums, minlength=len(items))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Audience(
        [CustomerId(f"c{place}") for place in range(len(items))],
        CustomerStates(offsets, rows, scale),
        PastContacts.none(len(items)),
        now,
    )


def fit(tmp: Path, campaign: Campaign, *words: object) -> tuple[LearnedValues, str]:
    url, out = f"store://{tmp / 'store'}", tmp / "values"
    store_campaign(url, campaign)
    said = in_process("values", "--source", url, "--out", out, *words)
    assert said.status == 0, said
    return load_values(current(out)), " ".join(said.output.split())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LearnedValues, str]:
    tmp = tmp_path_factory.mktemp("lottery")
    values, said = fit(tmp, Campaign(NOW_US))
    return tmp, values, said


def test_the_true_effect_is_learned_where_customers_were_held_out(fitted) -> None:
    _, values, said = fitted
    found = values.worth(audience(TEA, COFFEE), SCOPED)
    assert found.basis == (ValueBasis.UPLIFT, ValueBasis.PROPENSITY)
    assert found.gain[0, 0] == pytest.approx(EFFECT, abs=8)
    assert found.gain[1, 0] == pytest.approx(0.0, abs=4)
    assert found.probability[0, 0] == pytest.approx(0.5, abs=0.1)
    assert found.probability[1, 0] == pytest.approx(0.05, abs=0.05)
    assert "1 of 1 offers are valued by it" in said


def test_rows_are_the_same_alone_and_in_any_slice(fitted) -> None:
    values = fitted[1]
    together = values.worth(audience(TEA, COFFEE, TEA), SCOPED)
    for place, item in enumerate((TEA, COFFEE, TEA)):
        alone = values.worth(audience(item), SCOPED)
        np.testing.assert_array_equal(alone.gain[0], together.gain[place])
        np.testing.assert_array_equal(alone.probability[0], together.probability[place])
    assert values.worth(audience(TEA), []).gain.shape == (1, 0)


def test_the_manifest_says_what_was_found(fitted) -> None:
    manifest = read_manifest(current(fitted[0] / "values"))
    assert manifest.bundle_version == fitted[1].version
    assert manifest.metrics["no_uplift"] == ""
    assert manifest.metrics["mean_uplift"] == pytest.approx(EFFECT / 2, abs=3)
    assert manifest.metrics["propensity_auc"] > 0.7
    assert manifest.metrics["calibration_error"] < 0.1
    assert "on the latest contacts, by those before" in fitted[2]


def test_what_was_learned_from_the_same_ledger_is_the_same(fitted, tmp_path) -> None:
    tmp, values, _ = fitted
    words = ("--source", f"store://{tmp / 'store'}", "--out", tmp_path / "again")
    assert in_process("values", *words).status == 0
    again = load_values(current(tmp_path / "again"))
    assert again.learned == values.learned
    for name, array in values.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])


def test_a_damaged_file_is_not_loaded(fitted, tmp_path) -> None:
    copy = shutil.copytree(current(fitted[0] / "values"), tmp_path / "copy")
    trees = copy / "trees" / "propensity.npy"
    trees.write_bytes(trees.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match="damaged"):
        load_values(copy)


def test_a_bundle_of_something_else_is_no_values(tmp_path) -> None:
    path = write_bundle(
        tmp_path,
        lambda folder: (folder / "file").write_text("x") and None,
        config={},
        data={"digest": "1"},
        metrics={},
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(BundleError, match="holds no values of offers"):
        load_values(path)


def test_values_of_other_features_are_not_loaded(fitted, tmp_path) -> None:
    values = fitted[1]
    learned = values.learned.model_copy(update={"features": "0" * 64})
    path = write_values(
        tmp_path,
        learned,
        values.propensity,
        values.uplift,
        data={"digest": "1"},
        metrics={},
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(BundleError, match="learned from other features"):
        load_values(path)


def test_nobody_held_out_gives_no_uplift_and_says_so(tmp_path) -> None:
    values, said = fit(tmp_path, Campaign(NOW_US, customers=1_500, share=0.0))
    assert "No uplift was learned: nobody was held out at random" in said
    assert "part of them would have bought anyway" in said
    assert values.uplift is None
    found = values.worth(audience(TEA, COFFEE), SCOPED)
    assert found.basis == (ValueBasis.PROPENSITY, ValueBasis.PROPENSITY)
    assert found.gain[0, 0] > found.gain[1, 0] > 0


def test_sides_that_are_not_as_drawn_give_no_uplift(tmp_path) -> None:
    values, said = fit(tmp_path, Campaign(NOW_US, customers=1_500, share=0.4, held_out_of=0.25))
    assert "600 ±" in said
    assert "a difference between them is no effect" in said
    assert values.uplift is None


def test_too_few_held_out_give_no_uplift(tmp_path) -> None:
    values, said = fit(tmp_path, Campaign(NOW_US, customers=1_500, share=0.05))
    assert "and 200 are needed" in said
    assert values.uplift is None


def test_margin_scales_gains_and_a_file_sets_the_rest(tmp_path) -> None:
    config = tmp_path / "values.toml"
    config.write_text("least_held_out = 50\n")
    campaign = Campaign(NOW_US, customers=1_500, share=0.4)
    values, _ = fit(tmp_path, campaign, "--margin", "0.5", "--config", config)
    assert values.learned.config.least_held_out == 50
    assert values.worth(audience(TEA), SCOPED).gain[0, 0] == pytest.approx(EFFECT / 2, abs=5)


def test_contacts_younger_than_the_window_are_left_out(tmp_path) -> None:
    url = f"store://{tmp_path / 'store'}"
    store_campaign(url, Campaign(NOW_US, customers=300))
    said = in_process(
        "values", "--source", url, "--out", tmp_path / "values", "--window-days", "90"
    )
    assert said.status == 1
    assert "0 contacts with 0 redemptions are too few" in said.complaint
    assert "300 contacts are younger" in " ".join(said.complaint.split())
    assert not (tmp_path / "values").exists()


def test_a_store_without_contacts_says_so(tmp_path) -> None:
    url = f"store://{tmp_path / 'store'}"
    open_store(url).close()
    said = in_process("values", "--source", url, "--out", tmp_path / "values")
    assert said.status == 1
    assert "has no contacts" in said.complaint


def test_a_source_without_a_store_is_wrong_usage(tmp_path) -> None:
    said = in_process("values", "--source", tmp_path, "--out", tmp_path / "values")
    assert said.status == 2
