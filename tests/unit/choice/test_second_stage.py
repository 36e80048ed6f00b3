from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.assembly import FitConfig
from recsys.backtest.significance import Interval
from recsys.choice.second_stage import (
    Trial,
    has_past,
    sampled,
    trial_seconds,
    try_rankers,
    with_rankers,
)
from recsys.config import validated
from recsys.data.progress import silent
from recsys.fitting.config import load_config
from recsys.pipeline.ranker import RankerConfig
from recsys.protocols.cases import cases_for
from recsys.protocols.temporal import temporal
from tests.shops import day
from tests.small_shop import shop_dataset
from tests.street import DAYS, street

RANKER = {"horizon_days": 21, "cut_offs": 2, "trees": 30, "leaves": 4, "least_rows": 20}


def trial(shop, cutoff, **ranker: object) -> Trial | None:
    """Tries a ranker on a blend of one source, which likes what is looked at and bought alike."""
    weights = {"purchase": 1.0, "view": 1.0}
    use = [{"name": "liked", "weight": 1.0}]
    parts = {
        "models": {"liked": {"kind": "popularity", "event_weights": weights}},
        "sources": {"liked": {"kind": "popular", "model": "liked"}},
        "placements": {
            "for_you": {"sources": use, "ranker": {**RANKER, **ranker}},
            "popular": {"sources": use, "ranker": {}},
        },
    }
    config = validated(FitConfig, parts, where="test")
    split = temporal(shop, cutoff=cutoff).split
    cases = {"for_you": cases_for("for_you", split, limit=2, seed=0)}
    return try_rankers(split, config, cases, k=2, seed=0, progress=silent).get("for_you")


def test_a_ranker_that_knows_what_is_bought_beats_a_blend_that_does_not():
    found = trial(street(), day(DAYS - 21))
    assert found is not None
    assert found.used
    assert found.gain.low > 0.05


def test_a_ranker_that_learns_the_wrong_thing_is_rejected():
    """It orders by what is looked at, and is asked what is bought."""
    found = trial(street(), day(DAYS - 21), labels={"view": 1.0})
    assert found is not None
    assert not found.used
    assert found.gain.high < 0.01


def test_a_ranker_without_rows_is_not_tried():
    assert trial(street(), day(DAYS - 21), labels={"wishlist": 1.0}) is None
    assert trial(street(), day(DAYS - 21), horizon_days=300) is None


@pytest.mark.parametrize(("low", "used"), [(-0.001, False), (0.0, False), (0.0001, True)])
def test_only_a_gain_that_is_no_luck_counts(low, used):
    assert Trial(0.3, Interval(0.01, low, 0.02)).used is used


@pytest.mark.parametrize(
    ("horizon_days", "expected"), [(1, True), (60, True), (62, False), (300, False)]
)
def test_there_is_something_to_learn_from_only_before_a_cut_off(horizon_days, expected):
    split = temporal(shop_dataset(), test_days=28).split  # 62 days of training
    assert has_past(split, RankerConfig(horizon_days=horizon_days)) is expected


def test_data_without_times_have_no_past():
    shop = shop_dataset()
    once = shop.events.with_columns(event_time=pl.lit(day(10)))
    later = shop.events.filter(pl.col("event_time") >= day(80))
    split = temporal(replace(shop, events=pl.concat([once, later])), cutoff=day(11)).split
    assert not has_past(split, RankerConfig(horizon_days=1))


def test_rankers_are_laid_over_the_placements_that_are_named():
    mine, other = RankerConfig(trees=3), RankerConfig(trees=4)
    base = with_rankers(load_config(), {"for_you": mine, "popular": mine})
    found = with_rankers(base, {"for_you": other, "discover": None, "popular": None})
    rankers = {name: placement.ranker for name, placement in found.placements.items()}
    assert rankers["for_you"] == other
    assert [name for name, ranker in rankers.items() if ranker] == ["for_you"]
    assert with_rankers(base, {}) == base


def test_the_time_of_a_trial_counts_fits_questions_and_trees():
    ranker = RankerConfig(customers=1_000, cut_offs=3, candidates=100, trees=100)
    # Four fits, 3,000 questions to learn from and 1,600 to judge by, and trees of 300,000 rows.
    assert trial_seconds(ranker, 800, 2.0, 0.01) == pytest.approx(
        4 * 2 + (2_400 + 1_600) * 0.01 + 240_000 * 100 * 3e-7
    )
    assert trial_seconds(ranker, 10**6, 0.0, 0.03) == pytest.approx(
        (3_000 + 4_000) * 0.03 + 300_000 * 100 * 3e-7
    )


@pytest.mark.parametrize("most", [1, 7, 40, 10_000])
def test_a_sample_keeps_queries_and_truths_together(most):
    split = temporal(shop_dataset(), test_days=28).split
    cases = cases_for("for_you", split, limit=5, seed=0)
    drawn = sampled(cases, most, seed=3)
    assert len(drawn) == min(most, len(cases))
    rows = [cases.queries.index(query) for query in drawn.queries]
    assert rows == sorted(rows)
    for place, row in enumerate(rows):
        ends = cases.truth_offsets[row], cases.truth_offsets[row + 1]
        own = drawn.truth_offsets[place], drawn.truth_offsets[place + 1]
        expected = cases.truth_item_nums[slice(*ends)]
        assert drawn.truth_item_nums[slice(*own)].tolist() == expected.tolist()
        assert drawn.customer_nums[place] == cases.customer_nums[row]
    if 1 < most < len(cases):
        assert sampled(cases, most, seed=4).queries != drawn.queries
    assert np.array_equal(sampled(cases, most, seed=3).customer_nums, drawn.customer_nums)
