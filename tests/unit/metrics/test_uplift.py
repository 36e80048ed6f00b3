"""What metrics of uplift promise beyond what another library can be asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.metrics.auuc import auuc
from recsys.metrics.qini import qini, qini_ratio
from recsys.metrics.reliability import reliability_bins
from recsys.metrics.uplift_at import uplift_at
from recsys.metrics.uplift_curve import qini_curve, uplift_curve

EFFECT = 0.2


def sample(seed: int, count: int = 4_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns true uplifts, sides and outcomes of a randomised campaign."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(-EFFECT, EFFECT, size=count)
    treated = rng.random(count) < 0.5
    return truth, treated, (rng.random(count) < 0.4 + truth * treated).astype(float)


def brute_force(scores: np.ndarray, treated: np.ndarray, outcomes: np.ndarray) -> list[float]:
    """Returns the Qini curve one threshold after another, in plain Python."""
    gains = [0.0]
    for edge in sorted(set(scores.tolist()), reverse=True):
        mine = [y for s, t, y in zip(scores, treated, outcomes, strict=True) if s >= edge and t]
        rest = [
            y for s, t, y in zip(scores, treated, outcomes, strict=True) if s >= edge and not t
        ]
        scale = len(mine) / len(rest) if rest else 0.0
        gains.append((sum(mine) - sum(rest) * scale) / treated.sum())
    return gains


@given(st.integers(0, 10_000))
def test_the_curve_equals_brute_force_for_amounts_and_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, size=20).astype(float)
    treated = np.append(rng.random(18) < 0.5, [True, False])
    outcomes = rng.exponential(size=20)
    found = qini_curve(scores, treated, outcomes)
    np.testing.assert_allclose(found.gains, brute_force(scores, treated, outcomes), atol=1e-12)


@given(st.permutations(range(12)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    scores = np.repeat([3.0, 2.0, 1.0], 4)
    treated = np.tile([True, False], 6)
    outcomes = np.array([1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0], dtype=float)
    expected = qini(scores, treated, outcomes), auuc(scores, treated, outcomes)
    found = qini(*(each[order] for each in (scores, treated, outcomes)))
    assert found == pytest.approx(expected[0])
    assert auuc(*(each[order] for each in (scores, treated, outcomes))) == pytest.approx(
        expected[1]
    )


def test_the_true_order_beats_a_random_one_and_its_reverse_loses() -> None:
    truth, treated, outcomes = sample(1)
    rng = np.random.default_rng(0)
    random = [qini(rng.random(len(truth)), treated, outcomes) for _ in range(50)]
    spread = float(np.std(random))
    assert abs(np.mean(random)) < spread
    assert qini(truth, treated, outcomes) > 3 * spread
    assert qini(-truth, treated, outcomes) < -3 * spread


def test_equal_scores_say_nothing() -> None:
    _, treated, outcomes = sample(2)
    assert qini(np.zeros(len(treated)), treated, outcomes) == pytest.approx(0.0, abs=1e-12)


def test_both_curves_end_at_the_mean_effect() -> None:
    truth, treated, outcomes = sample(3)
    effect = outcomes[treated].mean() - outcomes[~treated].mean()
    for curve in (qini_curve, uplift_curve):
        assert curve(truth, treated, outcomes).gains[-1] == pytest.approx(effect)
    assert uplift_at(truth, treated, outcomes, 1.0) == pytest.approx(effect)


def test_weights_undo_an_unequal_assignment() -> None:
    """Half the customers are treated in nine of ten cases, half in one: only weights say so."""
    rng = np.random.default_rng(5)
    keen = rng.random(60_000) < 0.5
    chance = np.where(keen, 0.9, 0.1)
    treated = rng.random(len(keen)) < chance
    outcomes = (rng.random(len(keen)) < 0.1 + 0.5 * keen).astype(float)  # no effect at all
    weights = 1 / np.where(treated, chance, 1 - chance)
    scores = rng.random(len(keen))
    assert abs(uplift_curve(scores, treated, outcomes).gains[-1]) > 0.3
    assert abs(uplift_curve(scores, treated, outcomes, weights).gains[-1]) < 0.02
    assert abs(uplift_at(scores, treated, outcomes, 1.0, weights)) < 0.02


def test_weights_count_as_so_many_rows() -> None:
    truth, treated, outcomes = sample(6, count=50)
    times = np.arange(50) % 3 + 1
    one = qini_curve(truth, treated, outcomes, times.astype(float))
    many = qini_curve(*(np.repeat(each, times) for each in (truth, treated, outcomes)))
    np.testing.assert_allclose(one.gains, many.gains, atol=1e-12)


def test_points_between_lie_on_straight_lines() -> None:
    curve = qini_curve(np.array([1.0, 0.0]), np.array([True, False]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(curve.at(np.array([0.0, 0.25, 0.5, 1.0])), [0.0, 0.5, 1.0, 0.0])


@pytest.mark.parametrize(
    ("scores", "treated", "outcomes", "weights", "said"),
    [
        ([1.0], [True, False], [0.0, 1.0], None, "must match"),
        ([1.0, np.nan], [True, False], [0.0, 1.0], None, "finite"),
        ([1.0, 2.0], [True, False], [0.0, np.inf], None, "finite"),
        ([1.0, 2.0], [True, True], [0.0, 1.0], None, "both"),
        ([1.0, 2.0], [True, False], [0.0, 1.0], [1.0, 0.0], "above 0"),
    ],
)
def test_rows_without_an_effect_to_read_are_refused(
    scores: list[float],
    treated: list[bool],
    outcomes: list[float],
    weights: list[float] | None,
    said: str,
) -> None:
    with pytest.raises(ValueError, match=said):
        qini(
            np.array(scores),
            np.array(treated),
            np.array(outcomes),
            None if weights is None else np.array(weights),
        )


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        uplift_at(*sample(0, count=10), 0.0)


def test_a_side_that_has_nobody_at_the_top_has_no_uplift() -> None:
    found = uplift_at(np.array([2.0, 1.0]), np.array([True, False]), np.array([1.0, 0.0]), 0.5)
    assert np.isnan(found)


def test_a_ratio_needs_outcomes_of_0_and_1() -> None:
    scores, treated = np.array([1.0, 0.0]), np.array([True, False])
    with pytest.raises(ValueError, match="0 and 1"):
        qini_ratio(scores, treated, np.array([2.0, 0.0]))
    assert np.isnan(qini_ratio(scores, treated, np.zeros(2)))


@given(st.integers(0, 1_000), st.integers(1, 12))
def test_bins_hold_every_row_and_what_happened(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    forecasts = np.round(rng.random(100), 1)
    outcomes = (rng.random(100) < forecasts).astype(float)
    found = reliability_bins(forecasts, outcomes, bins)
    assert 1 <= len(found.rows) <= bins
    assert found.rows.sum() == 100
    assert found.expected @ found.rows == pytest.approx(forecasts.sum())
    assert found.happened @ found.rows == pytest.approx(outcomes.sum())
    assert (np.diff(found.expected) > 0).all()


def test_a_calibrated_forecast_has_a_small_error_and_a_skewed_one_a_large() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(50_000)
    outcomes = (rng.random(len(truth)) < truth).astype(float)
    assert reliability_bins(truth, outcomes).error() < 0.01
    assert reliability_bins(truth**2, outcomes).error() > 0.1


def test_no_rows_have_no_reliability() -> None:
    with pytest.raises(ValueError, match="0 bins"):
        reliability_bins(np.array([0.1]), np.array([0.0]), 0)
