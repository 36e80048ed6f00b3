"""Sample ratios: Pearson's chi-square by hand, and what no chance explains."""

import pytest

from recsys.online.sample_ratio import sample_ratio

HALVES = {"control": 0.5, "bold": 0.5}


def test_chi_square_by_hand() -> None:
    found = sample_ratio("colours", "v1", HALVES, {"control": 520, "bold": 480})
    assert found.chi_square == pytest.approx(20**2 / 500 * 2)
    assert found.p_value == pytest.approx(0.2059, abs=1e-4)
    assert found.expected == {"control": 500, "bold": 500}
    assert not found.mismatch


def test_only_ratios_of_weights_count_and_three_arms_too() -> None:
    weights = {"control": 2.0, "bold": 1.0, "hold-out": 1.0}
    customers = {"control": 1_000, "bold": 600, "hold-out": 400}
    found = sample_ratio("colours", "v1", weights, customers)
    assert found.chi_square == pytest.approx(100**2 / 500 * 2)
    assert found.mismatch


def test_an_arm_that_nobody_got_is_a_mismatch() -> None:
    assert sample_ratio("colours", "v1", HALVES, {"control": 40}).mismatch


def test_an_arm_that_should_get_nobody_is_one_too() -> None:
    found = sample_ratio("colours", "v1", {**HALVES, "old": 0.0}, {"control": 5, "old": 1})
    assert found.p_value == 0.0
    assert found.mismatch
    silent = sample_ratio("colours", "v1", {**HALVES, "old": 0.0}, {"control": 50, "bold": 51})
    assert list(silent.customers) == ["control", "bold"]
    assert not silent.mismatch


def test_few_customers_say_nothing() -> None:
    found = sample_ratio("colours", "v1", HALVES, {"control": 9})
    assert (found.chi_square, found.p_value, found.mismatch) == (None, None, False)


def test_whoever_crosses_is_a_mismatch() -> None:
    assert sample_ratio("c", "v1", HALVES, {"control": 50, "bold": 50}, crossed=1).mismatch
