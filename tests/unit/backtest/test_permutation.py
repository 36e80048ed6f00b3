import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recsys.backtest import significance
from recsys.backtest.significance import holm, paired_permutation


def theirs(differences: np.ndarray) -> float:
    """Returns what scipy finds with all sign assignments of a pair."""
    test = stats.permutation_test(
        (differences, np.zeros_like(differences)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    return float(test.pvalue)


@pytest.mark.parametrize("customers", [2, 4, 9, 13])
@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_small_samples_agree_with_scipy_exactly(customers: int, shift: float) -> None:
    rng = np.random.default_rng(customers)
    smooth = rng.normal(shift, 1.0, size=customers)
    # Many equal sums: whether rounding takes them for equal decides the figure.
    tied = rng.integers(-2, 4, size=customers) / 10
    found = paired_permutation(np.stack([smooth, tied], axis=1), seed=0)
    assert found == pytest.approx([theirs(smooth), theirs(tied)], abs=1e-12)


def test_drawn_signs_come_near_all_of_them() -> None:
    differences = np.random.default_rng(2).normal(0.5, 1.0, size=(13, 1))
    (exact,) = paired_permutation(differences, seed=0, permutations=2**13)
    (drawn,) = paired_permutation(differences, seed=0, permutations=2**13 - 1)
    assert 0.01 < exact < 0.5
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact / 2**13))


def test_a_large_sample_agrees_with_the_t_test() -> None:
    differences = np.random.default_rng(4).normal(0.05, 1.0, size=(2_000, 1))
    (found,) = paired_permutation(differences, seed=0)
    assert found == pytest.approx(stats.ttest_1samp(differences[:, 0], 0).pvalue, abs=0.01)


def test_where_nothing_differs_five_of_a_hundred_tests_say_so() -> None:
    differences = np.random.default_rng(6).normal(0.0, 1.0, size=(60, 1_000))
    p_values = paired_permutation(differences, seed=1, permutations=999)
    assert 30 <= (p_values <= 0.05).sum() <= 70


def test_a_certain_difference_is_never_impossible() -> None:
    (found,) = paired_permutation(np.ones((500, 1)), seed=0, permutations=99)
    assert found == pytest.approx(1 / 100)


def test_no_difference_and_no_value_prove_nothing() -> None:
    differences = np.array([[0.0, np.nan, 1.0], [0.0, np.nan, np.nan], [0.0, np.nan, 1.0]])
    assert paired_permutation(differences, seed=0).tolist() == [1.0, 1.0, 0.5]


def test_only_the_seed_decides_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(8).normal(0.2, 1.0, size=(50, 2))
    whole = paired_permutation(differences, seed=3)
    assert (whole == paired_permutation(differences, seed=3)).all()
    assert (whole != paired_permutation(differences, seed=4)).any()
    monkeypatch.setattr(significance, "_CELLS_AT_ONCE", 1_000)
    np.testing.assert_allclose(paired_permutation(differences, seed=3), whole, atol=0.02)


def test_nobody_cannot_be_permuted() -> None:
    with pytest.raises(ValueError, match="without customers"):
        paired_permutation(np.zeros((0, 2)), seed=0)


def test_holm_by_hand() -> None:
    # Ascending .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04; none may fall below the last.
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.4, 0.9, 0.6])) == pytest.approx([1.0, 1.0, 1.0])
    assert holm(np.zeros(0)).tolist() == []
    assert doctest.testmod(significance).failed == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(listed: list[float]) -> None:
    p_values = np.array(listed)
    corrected = holm(p_values)
    assert (corrected >= p_values).all()
    assert (corrected <= np.minimum(p_values * len(p_values), 1.0) + 1e-12).all()
    # The order of the tests is kept.
    assert (np.diff(corrected[np.argsort(p_values, kind="stable")]) >= 0).all()
