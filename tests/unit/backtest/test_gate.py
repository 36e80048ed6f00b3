"""What the release gate decides, on figures that a test makes up."""

import numpy as np
import pytest

from recsys.backtest.gate import Rules, Trials, decide, relative_difference
from recsys.backtest.significance import resampled_sums


def trials(
    current: np.ndarray,
    candidate: np.ndarray,
    *,
    placement: str = "for_you",
    people: np.ndarray | None = None,
    **groups: np.ndarray,
) -> Trials:
    everybody = np.ones(len(current), dtype=np.bool_)
    who = np.arange(len(current)) if people is None else people
    return Trials(placement, who, current, candidate, {"all": everybody, **groups})


def shop(customers: int, gain: float, *, noise: float = 0.01, seed: int = 0) -> Trials:
    """Customers whose figures change by a share, with noise around it."""
    rng = np.random.default_rng(seed)
    current = rng.uniform(0.1, 0.5, customers)
    return trials(current, current * (1 + gain) + rng.normal(0, noise, customers))


@pytest.mark.parametrize(
    ("gain", "passed"), [(0.1, True), (0.0, True), (-0.01, True), (-0.03, False), (-0.5, False)]
)
def test_with_many_customers_the_margin_decides(gain: float, passed: bool) -> None:  # noqa: FBT001
    decision = decide([shop(20_000, gain)], seed=0)
    assert decision.passed is passed
    (check,) = decision.checks
    assert check.relative.value == pytest.approx(gain, abs=0.002)
    assert check.relative.low <= check.relative.value <= check.relative.high
    assert bool(decision.reasons) is not passed
    if not passed:
        assert "for_you: is worse by more than 2.0%" in decision.reasons[0]


def test_few_customers_cannot_show_that_nothing_is_lost() -> None:
    few, many = (decide([shop(size, 0.0, noise=0.1)], seed=0) for size in (60, 60_000))
    assert not few.passed
    assert "cannot be shown not to be worse" in few.reasons[0]
    assert "60 customers" in few.reasons[0]
    assert many.passed
    wide = decide([shop(60, 0.0, noise=0.1)], Rules(margin=0.5), seed=0)
    assert wide.passed


def test_every_placement_has_to_pass() -> None:
    good, bad = shop(5_000, 0.05), shop(5_000, -0.05, seed=1)
    bad = trials(bad.current, bad.candidate, placement="discover")
    decision = decide([good, bad], seed=0)
    assert not decision.passed
    assert [check.passed for check in decision.checks] == [True, False]
    assert decision.reasons[0].startswith("discover")


def test_a_slice_blocks_only_when_large_and_proven_worse() -> None:
    rng = np.random.default_rng(2)
    current = rng.uniform(0.1, 0.5, 10_000)
    candidate = current * 1.02 + rng.normal(0, 0.01, 10_000)
    small, large, unlucky = (np.arange(10_000) < size for size in (499, 500, 600))
    hurt = candidate.copy()
    hurt[large] -= 0.05
    refused = decide([trials(current, hurt, small=small, large=large)], seed=0)
    assert [check.slice for check in refused.checks] == ["all", "large"]
    assert [check.passed for check in refused.checks] == [True, False]
    assert "for_you, large: is worse by" in refused.reasons[0]
    assert refused.checks[1].p_holm is not None
    assert refused.checks[1].p_holm <= 0.05
    # Worse on average, but within luck.
    noisy = candidate.copy()
    noisy[unlucky] += rng.normal(-0.005, 0.3, 600) - 0.005
    lucky = decide([trials(current, noisy, unlucky=unlucky)], Rules(margin=0.1), seed=0)
    assert lucky.checks[1].relative.value < 0
    assert lucky.passed


def test_a_proven_loss_of_nothing_does_not_block() -> None:
    rng = np.random.default_rng(6)
    current = rng.uniform(0.1, 0.5, 10_000)
    candidate = current * 0.99
    decision = decide([trials(current, candidate, group=np.arange(10_000) < 5_000)], seed=0)
    assert decision.checks[1].p_holm is not None
    assert decision.checks[1].p_holm < 0.001
    assert decision.passed


def test_many_slices_are_corrected_for() -> None:
    rng = np.random.default_rng(4)
    current = rng.uniform(0.1, 0.5, 30_000)
    candidate = current + rng.normal(0, 0.05, 30_000)
    groups = {f"slice {n}": np.arange(30_000) % 50 == n for n in range(50)}
    decision = decide([trials(current, candidate, **groups)], seed=0)
    assert len(decision.checks) == 51
    assert decision.passed


def test_a_person_at_two_cut_offs_is_one_witness() -> None:
    rng = np.random.default_rng(3)
    current, candidate = rng.uniform(0.1, 0.5, 300), rng.uniform(0.1, 0.5, 300)
    once = decide([trials(current, candidate)], seed=0)
    people = np.tile(np.arange(300), 2)
    twice = decide([trials(np.tile(current, 2), np.tile(candidate, 2), people=people)], seed=0)
    assert once.checks == twice.checks
    means = np.array([0.2, 0.4, 0.9])
    two = trials(means, means * 2, people=np.array([0, 0, 1]))
    (check,) = decide([two], seed=0).checks
    assert (check.customers, check.current) == (2, pytest.approx(0.6))


def test_customers_without_a_value_do_not_count() -> None:
    current, candidate = np.array([0.5, np.nan, 0.4]), np.array([0.5, 0.1, np.nan])
    (check,) = decide([trials(current, candidate)], seed=0).checks
    assert (check.customers, check.relative.value) == (1, 0)


def test_the_relative_difference_is_of_the_means() -> None:
    rng = np.random.default_rng(5)
    current = rng.uniform(0, 1, 500)
    found = relative_difference(current, 1.1 * current, seed=0)
    assert (found.low, found.value, found.high) == pytest.approx((0.1, 0.1, 0.1))
    nothing = np.zeros(4)
    assert relative_difference(nothing, nothing, seed=0).value == 0
    assert relative_difference(nothing, nothing + 1, seed=0).low == 1


def test_draws_have_as_many_rows_as_there_are() -> None:
    sums = np.stack([np.ones(40), np.arange(40.0)], axis=1)
    drawn = resampled_sums(sums, seed=1, resamples=500)
    assert drawn.shape == (500, 2)
    assert np.all(drawn[:, 0] == 40)
    assert drawn[:, 1].mean() == pytest.approx(40 * 19.5, rel=0.02)
    assert np.array_equal(drawn, resampled_sums(sums, seed=1, resamples=500))
