"""Half splits tell good orders from bad ones; sides that were drawn, from sides that were not."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.backtest.uplift import (
    GRID,
    METRICS,
    RANDOM,
    Balance,
    balance,
    halves,
    judge,
    spread,
    uplift_bins,
)
from recsys.data.progress import silent
from recsys.models.uplift import UpliftConfig, mean_effect
from tests.planted import EFFECT, planted


def test_halves_are_disjoint_whole_and_seeded() -> None:
    one, other = halves(101, 3)
    assert sorted(np.concatenate([one, other])) == list(range(101))
    assert (len(one), len(other)) == (50, 51)
    np.testing.assert_array_equal(halves(101, 3)[0], one)
    assert (halves(101, 4)[0] != one).any()


def test_a_learner_beats_a_random_order_in_every_figure() -> None:
    trial = planted(1, 6_000).trial
    found = judge(trial, {"ours": UpliftConfig()}, range(4), progress=silent)
    for metric in METRICS:
        lead = found["ours"].of(metric) - found[RANDOM].of(metric)
        assert lead.mean() > 0, metric
    assert found["ours"].curves.shape == (4, len(GRID))
    np.testing.assert_allclose(found["ours"].curves[:, -1], found[RANDOM].curves[:, -1])


def test_figures_do_not_hang_on_what_else_is_judged() -> None:
    trial = planted(2, 1_000).trial
    contenders = {"ours": UpliftConfig(), "other": UpliftConfig(learner="t-learner")}
    alone = judge(trial, {"other": contenders["other"]}, [5], progress=silent)
    both = judge(trial, contenders, [5], progress=silent)
    np.testing.assert_array_equal(alone["other"].figures, both["other"].figures)


def test_no_forecast_is_by_a_model_that_saw_the_customer() -> None:
    trial = planted(3, 800).trial
    config = UpliftConfig()
    found = judge(trial, {"ours": config}, [9], progress=silent)["ours"]
    train, test = halves(800, 9)
    assert np.isnan(found.forecasts[train]).all()
    expected = config.fit(trial.part(train)).uplift(trial.rows[test])
    np.testing.assert_array_equal(found.forecasts[test], expected)


def test_a_true_forecast_is_calibrated_bin_by_bin() -> None:
    made = planted(4, 40_000)
    bins = uplift_bins(made.truth, made.trial, bins=4)
    assert bins.rows.sum() == 40_000
    assert (np.abs(bins.happened - bins.expected) < 4 * bins.errors).all()
    assert bins.expected[-1] == pytest.approx(EFFECT)


def test_rows_without_forecast_or_bins_without_sides_are_left_out() -> None:
    trial = planted(5, 40).trial
    forecasts = np.where(np.arange(40) < 20, np.nan, 0.1)
    assert uplift_bins(forecasts, trial, bins=1).rows.sum() == 20
    assert len(uplift_bins(np.zeros(40), replace(trial, treated=np.arange(40) < 1)).rows) == 0


def test_the_error_of_an_effect_is_that_of_two_means() -> None:
    trial = planted(6, 5_000).trial
    value, error = mean_effect(trial)
    sides = [trial.outcomes[trial.treated], trial.outcomes[~trial.treated]]
    assert value == pytest.approx(sides[0].mean() - sides[1].mean())
    assert error == pytest.approx(sum(side.var() / len(side) for side in sides) ** 0.5)


def test_the_interval_for_another_campaign_is_the_wider_one() -> None:
    found = spread(np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.value == 2.5
    assert found.campaign.low < found.splits.low < 2.5 < found.splits.high < found.campaign.high
    wide, narrow = (each.high - each.low for each in (found.campaign, found.splits))
    assert wide / narrow == pytest.approx(5**0.5)
    with pytest.raises(ValueError, match="no spread"):
        spread(np.array([1.0]))


def test_sides_drawn_by_lot_cannot_be_told_and_others_can() -> None:
    trial = planted(7, 4_000).trial
    assert balance(trial).is_random
    rng = np.random.default_rng(0)
    chosen = rng.random(4_000) < trial.rows[:, 0]
    assert not balance(replace(trial, treated=chosen)).is_random
    assert Balance(0.52, 0.006).is_random


def test_sides_of_known_unequal_chances_count_as_drawn() -> None:
    trial = planted(8, 8_000).trial
    chances = np.where(trial.rows[:, 0] > 0.5, 0.8, 0.3)
    treated = np.random.default_rng(1).random(8_000) < chances
    drawn = replace(trial, treated=treated, chances=chances.astype(float))
    assert balance(drawn).is_random
