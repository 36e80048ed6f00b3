"""Ratios over customers: values by hand, the formulas, and that intervals hold what they say."""

import numpy as np
import pytest

from recsys.online.ratios import Estimate, change, difference, ratio, smallest_difference


def of(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_a_ratio_is_that_of_sums_not_the_mean_of_ratios() -> None:
    assert ratio(of(1, 0, 3), of(1, 1, 8)).value == 0.4


def test_without_skewness_the_interval_is_the_delta_methods() -> None:
    brought, shown = of(1, 3, 2, 2), of(2, 2, 2, 2)
    found = ratio(brought, shown)
    error = np.sqrt(4 / 3 * np.sum(((brought - shown) / 8) ** 2))
    assert found.value == 1.0
    assert found.low is not None
    assert found.high is not None
    assert found.high - 1 == pytest.approx(1.959964 * error, rel=1e-6)
    assert 1 - found.low == pytest.approx(found.high - 1)


def test_a_long_tail_reaches_further_up() -> None:
    found = ratio(of(*[1.0] * 60, 100.0), np.ones(61))
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.value > 2 * (found.value - found.low)
    mirrored = ratio(-of(*[1.0] * 60, 100.0), np.ones(61))
    assert mirrored.low == pytest.approx(-found.high)
    assert mirrored.high == pytest.approx(-found.low)


def test_units_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    brought, shown = rng.lognormal(size=50), rng.integers(1, 9, 50).astype(float)
    found, scaled = ratio(brought, shown), ratio(100 * brought, shown)
    assert scaled.low == pytest.approx(100 * (found.low or 0))
    assert scaled.high == pytest.approx(100 * (found.high or 0))
    assert found.times(100) == Estimate(
        pytest.approx(scaled.value), pytest.approx(scaled.low), pytest.approx(scaled.high)
    )


def test_nothing_is_said_where_nothing_can_be() -> None:
    for brought in (of(0, 0, 0), of(2, 2, 2)):
        found = ratio(brought, of(2, 2, 2))
        assert (found.low, found.high) == (None, None)
    assert ratio(of(3), of(2)) == Estimate(1.5, None, None)
    assert Estimate(0.5, None, None).within(0, 1).times(10) == Estimate(5.0, None, None)


def test_bounds_are_cut_to_what_can_be() -> None:
    assert Estimate(0.5, -0.1, 1.2).within(0, 1) == Estimate(0.5, 0, 1)


def test_the_same_on_both_sides_differs_by_nothing() -> None:
    """Customers who saw both arms move both figures alike."""
    brought, shown = of(1, 0, 3), of(1, 2, 8)
    assert difference(brought, shown, brought, shown) == Estimate(0.0, None, None)


def test_a_difference_of_separate_customers_adds_their_variances() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(5, 1, 400), rng.normal(4, 2, 300)
    zeros = np.zeros
    found = difference(
        np.r_[one, zeros(300)],
        np.r_[np.ones(400), zeros(300)],
        np.r_[zeros(400), other],
        np.r_[zeros(400), np.ones(300)],
    )
    error = np.sqrt(one.var() / 400 + other.var() / 300)
    assert found.value == pytest.approx(one.mean() - other.mean())
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.02)


def test_intervals_of_clustered_and_skewed_figures_hold_the_truth() -> None:
    """300 draws of 600 customers; the truth of each is known."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        shown = rng.geometric(0.2, 600).astype(float)
        chance = rng.beta(2, 18, 600)
        brought = rng.binomial(shown.astype(int), chance) * rng.lognormal(0, 0.8, 600)
        found = ratio(brought, shown)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 * np.exp(0.32) <= found.high
    assert 0.91 * 300 <= held <= 0.985 * 300


def test_the_smallest_difference_is_the_textbook_one() -> None:
    """Two groups of shares near .1: 2.8 standard errors of the difference (Cohen 1988)."""
    rng = np.random.default_rng(1)
    for held_out in (0.5, 0.1):
        side = (rng.random(50_000) < held_out).astype(float)
        bought = (rng.random(50_000) < 0.1).astype(float)
        found = smallest_difference(bought * side, side, bought * (1 - side), 1 - side)
        counts = side.sum(), 50_000 - side.sum()
        error = (0.1 * 0.9 * (1 / counts[0] + 1 / counts[1])) ** 0.5
        assert found == pytest.approx(2.8016 * error, rel=0.02)


def test_weights_of_a_whole_side_change_nothing() -> None:
    rng = np.random.default_rng(2)
    side, value = (rng.random(900) < 0.2).astype(float), rng.exponential(size=900)
    plain = (value * side, side, value * (1 - side), 1 - side)
    weighted = tuple(each * factor for each, factor in zip(plain, (5, 5, 1.25, 1.25), strict=True))
    assert smallest_difference(*plain) == pytest.approx(smallest_difference(*weighted))
    for function in (difference, change):
        one, other = function(*plain), function(*weighted)
        assert one is not None
        assert other is not None
        assert (one.value, one.low, one.high) == pytest.approx(
            (other.value, other.low, other.high)
        )
