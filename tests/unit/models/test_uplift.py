"""Learners of uplift find an effect that was planted, whoever buys anyway."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from recsys.models.small_trees import Trees, TreesConfig
from recsys.models.uplift import LearnerKind, Trial, UpliftConfig
from tests.planted import EFFECT, planted

LEARNERS: tuple[LearnerKind, ...] = get_args(LearnerKind)
ANY_AMOUNT: tuple[LearnerKind, ...] = ("t-learner", "transformed-outcome")


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("chance", [0.5, 0.8])
def test_a_planted_effect_is_recovered(learner: LearnerKind, chance: float) -> None:
    train, test = planted(1, chance=chance), planted(2, 4_000)
    found = UpliftConfig(learner=learner).fit(train.trial).uplift(test.trial.rows)
    moved = test.truth > 0
    lead = found[moved].mean() - found[~moved].mean()
    if learner == "s-learner":  # pulls effects to zero, as its description says
        assert 0 < lead < EFFECT
    else:
        assert lead == pytest.approx(EFFECT, abs=0.05)
    assert np.mean(found[moved] > np.median(found)) > 0.8


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_decides_is_named(learner: LearnerKind) -> None:
    shares = UpliftConfig(learner=learner).fit(planted(3).trial).shares()
    assert shares.shape == (5,)
    assert shares.sum() == pytest.approx(1.0)
    assert np.argsort(-shares)[0] == (0 if learner in ("t-learner", "s-learner") else 1)


@pytest.mark.parametrize("learner", ANY_AMOUNT)
def test_an_effect_on_amounts_is_recovered(learner: LearnerKind) -> None:
    train, test = planted(4), planted(5, 2_000)
    spent = replace(train.trial, outcomes=train.trial.outcomes * 30.0)
    found = UpliftConfig(learner=learner).fit(spent).uplift(test.trial.rows)
    lead = found[test.truth > 0].mean() - found[test.truth == 0].mean()
    assert lead == pytest.approx(30 * EFFECT, abs=3)


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_same_trial_gives_the_same_model_and_it_comes_back(learner: LearnerKind) -> None:
    config, trial = UpliftConfig(learner=learner), planted(6, 2_000).trial
    model = config.fit(trial)
    again = config.restore(config.fit(trial).arrays())
    np.testing.assert_array_equal(model.uplift(trial.rows), again.uplift(trial.rows))


def test_unequal_chances_are_weighed_out() -> None:
    """Those whom nothing moves buy more often and are treated more often: no effect of it."""
    rng = np.random.default_rng(7)
    rows = rng.random((20_000, 2)).astype(np.float32)
    keen = rows[:, 0] > 0.5
    chances = np.where(keen, 0.9, 0.1)
    treated = rng.random(len(rows)) < chances
    outcomes = (rng.random(len(rows)) < 0.1 + 0.6 * keen).astype(float)
    trial = Trial(rows, treated, outcomes, chances)
    for learner in ("class-transformation", "transformed-outcome"):
        found = UpliftConfig(learner=learner).fit(trial).uplift(rows)
        assert abs(found[keen].mean()) < 0.1
        assert abs(found[~keen].mean()) < 0.1


def test_a_row_gives_the_same_alone_and_among_others() -> None:
    trial = planted(8, 2_000).trial
    model = UpliftConfig().fit(trial)
    alone = np.concatenate([model.uplift(trial.rows[place : place + 1]) for place in range(20)])
    np.testing.assert_array_equal(alone, model.uplift(trial.rows)[:20])
    assert model.uplift(trial.rows[:0]).shape == (0,)


def test_names_of_things_are_not_taken_for_amounts() -> None:
    rng = np.random.default_rng(9)
    names = rng.integers(0, 12, size=(6_000, 1)).astype(np.float32)
    labels = np.isin(names[:, 0], (1, 5, 8)).astype(float)
    config = TreesConfig(trees=40, leaves=2, learning_rate=0.3, least_rows=1)
    found = config.fit(names, labels, kind="probability", categories=(0,)).means(names)
    assert found[labels == 1].min() > found[labels == 0].max()


def test_a_trial_of_one_side_is_refused() -> None:
    trial = planted(10, 100).trial
    with pytest.raises(ValueError, match="both treated and untreated"):
        UpliftConfig().fit(trial.part(trial.treated))


def test_a_chance_that_is_none_is_refused() -> None:
    trial = planted(10, 100).trial
    with pytest.raises(ValueError, match="between 0 and 1"):
        UpliftConfig().fit(replace(trial, chances=np.ones(100)))


def test_classes_of_amounts_are_refused() -> None:
    trial = planted(10, 100).trial
    spent = replace(trial, outcomes=trial.outcomes * 2)
    with pytest.raises(ValueError, match="0 and 1"):
        UpliftConfig(learner="class-transformation").fit(spent)


def test_arrays_of_another_learner_are_refused() -> None:
    arrays = UpliftConfig(learner="t-learner").fit(planted(11, 400).trial).arrays()
    with pytest.raises(ValueError, match="lacks 'both'"):
        UpliftConfig(learner="s-learner").restore(arrays)
    with pytest.raises(ValueError, match="cannot be read"):
        Trees.restore(np.frombuffer(b"not trees", dtype=np.uint8))
