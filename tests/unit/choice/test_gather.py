import time

import numpy as np
import pytest

from recsys.choice import gather
from recsys.choice.gather import CANDIDATES, LEAST_CUSTOMERS, Fits, ask, fit_variants
from recsys.choice.menu import Menu
from recsys.config import validated
from recsys.data.progress import silent
from recsys.data.splits import Split
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.metrics.ndcg import ndcg_at
from recsys.models.repurchase import Repurchase
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.temporal import temporal
from tests.ranked_shop import large_shop
from tests.small_shop import shop_dataset
from tests.unit.choice.menus import SMALL

MENU = validated(Menu, SMALL, where="test")
ALL = ["repurchase-1", "popular-1", "alike", "repurchase-2", "popular-2"]


@pytest.fixture(scope="module")
def split() -> Split:
    return temporal(shop_dataset(), test_days=28).split


@pytest.fixture(scope="module")
def fits(split) -> Fits:
    return fit_variants(split, load_config(), MENU, seconds=600, progress=silent)


@pytest.fixture(scope="module")
def cases(split) -> Cases:
    return cases_for("for_you", split, limit=20, seed=0)


def asked(fits: Fits, split: Split, cases: Cases, seconds: float = 600):
    placement = load_config().placements["for_you"]
    return ask(fits, split, cases, placement, seconds=seconds, k=20, progress=silent)


def test_everything_is_fitted_while_there_is_time(fits):
    assert list(fits.variants) == ALL
    assert set(fits.seconds) == set(ALL)
    assert (fits.left_out, fits.failed) == ({}, {})
    assert set(fits.recommender.sources) == set(ALL)


def test_without_time_one_variant_is_fitted_all_the_same(split):
    found = fit_variants(split, load_config(), MENU, seconds=0, progress=silent)
    assert list(found.variants) == ALL[:1]
    assert list(found.left_out) == ALL[1:]


def test_a_slow_first_variant_leaves_out_its_kin_only(split, monkeypatch):
    fit = Repurchase.fit

    def slowly(self, data):
        time.sleep(0.4)
        return fit(self, data)

    monkeypatch.setattr(Repurchase, "fit", slowly)
    found = fit_variants(split, load_config(), MENU, seconds=0.7, progress=silent)
    assert "repurchase-2" in found.left_out
    assert "repurchase-1" in found.variants


def test_if_the_first_fails_the_next_is_tried(split, monkeypatch):
    def missing(*_: object) -> None:
        message = "needs an extra"
        raise ConfigError(message)

    monkeypatch.setattr(Repurchase, "fit", missing)
    found = fit_variants(split, load_config(), MENU, seconds=0, progress=silent)
    assert found.failed == {"repurchase-1": "needs an extra"}
    assert list(found.variants) == ["popular-1"]


def test_what_is_found_is_what_the_recommender_would_list(fits, split, cases):
    """One source alone: the search's figure is that of served lists."""
    evidence = asked(fits, split, cases)
    assert evidence.columns == tuple(ALL)
    order = np.random.default_rng(0).permutation(len(cases))
    resolver, config = fits.recommender.resolver, load_config().placements["for_you"]
    numbers = fits.recommender.catalogue.items.numbers(split.items.series())
    hits = np.zeros((len(cases), 20), dtype=bool)
    for row, case in enumerate(order.tolist()):
        request = resolver.resolve(cases.queries[case], config)
        nums, _ = fits.recommender.sources["alike"].scores(request).best(20)
        truth = cases.truth_item_nums[cases.truth_offsets[case] : cases.truth_offsets[case + 1]]
        hits[row, : len(nums)] = np.isin(nums, numbers[truth])
    assert evidence.truth_sizes.tolist() == cases.truth_sizes[order].tolist()
    served = ndcg_at(hits, cases.truth_sizes[order], 20)
    assert evidence.ndcg(evidence.column("alike")) == pytest.approx(served)
    assert CANDIDATES >= 20


def test_placements_show_what_they_may(fits, split):
    """No candidate of `discover` was bought before."""
    discover = cases_for("discover", split, limit=20, seed=0)
    placement = load_config().placements["discover"]
    evidence = ask(fits, split, discover, placement, seconds=9, k=20, progress=silent)
    assert not evidence.column("repurchase-1").any()
    assert evidence.column("alike").any()


def test_without_time_some_customers_are_asked_all_the_same(monkeypatch):
    split = temporal(large_shop(8), test_days=28).split
    cases = cases_for("for_you", split, limit=20, seed=0)
    assert len(cases) > LEAST_CUSTOMERS + 50
    fits = fit_variants(split, load_config(), MENU, seconds=0, progress=silent)
    assert LEAST_CUSTOMERS <= len(asked(fits, split, cases, 0).truth_sizes) < LEAST_CUSTOMERS + 50
    monkeypatch.setattr(gather, "LEAST_CUSTOMERS", 50)
    assert len(asked(fits, split, cases, 0).truth_sizes) == 50
