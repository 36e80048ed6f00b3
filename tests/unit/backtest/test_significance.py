import numpy as np
import pytest

from recsys.backtest import significance
from recsys.backtest.significance import bootstrap

RNG = np.random.default_rng(0)


def test_the_interval_is_that_of_the_normal_approximation() -> None:
    values = RNG.normal(3.0, 2.0, size=(4_000, 1))
    (interval,) = bootstrap(values, seed=1, resamples=4_000)
    error = values.std() / np.sqrt(len(values))
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    held = 0
    for trial in range(200):
        sample = np.random.default_rng(trial).exponential(1.0, size=(200, 1))
        (interval,) = bootstrap(sample, seed=trial, resamples=400)
        held += interval.low <= 1.0 <= interval.high
    assert 178 <= held <= 198


def test_equal_seeds_give_equal_intervals_and_others_do_not() -> None:
    values = RNG.random((50, 2))
    assert bootstrap(values, seed=7) == bootstrap(values, seed=7)
    assert bootstrap(values, seed=7) != bootstrap(values, seed=8)


def test_memory_bound_chunks_change_nothing_but_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    values = RNG.random((100, 1))
    whole = bootstrap(values, seed=7)
    monkeypatch.setattr(significance, "_CELLS_AT_ONCE", 250)
    (chunked,) = bootstrap(values, seed=7)
    assert chunked.value == whole[0].value
    assert chunked.low == pytest.approx(whole[0].low, abs=0.02)
    assert chunked.high == pytest.approx(whole[0].high, abs=0.02)


def test_columns_share_their_draws() -> None:
    values = RNG.random((60, 1))
    one, two, shifted = bootstrap(np.hstack([values, values, values + 1]), seed=3)
    assert one == two
    assert shifted.low == pytest.approx(one.low + 1)


def test_customers_without_a_value_do_not_count() -> None:
    values = RNG.random((400, 1))
    holes = np.concatenate([values, np.full((100, 1), np.nan)])
    (known,) = bootstrap(values, seed=2)
    (with_holes,) = bootstrap(holes, seed=2)
    assert with_holes.value == pytest.approx(known.value)
    assert with_holes.high - with_holes.low == pytest.approx(known.high - known.low, rel=0.15)


def test_resamples_that_miss_the_only_value_are_left_out() -> None:
    values = np.array([[0.5], [np.nan], [np.nan]])
    (interval,) = bootstrap(values, seed=2)
    assert (interval.value, interval.low, interval.high) == (0.5, 0.5, 0.5)


def test_a_pair_differs_certainly_where_single_intervals_overlap() -> None:
    hardness = RNG.random((300, 1))
    better = hardness + RNG.normal(0.02, 0.05, size=(300, 1))
    (a,), (b,) = bootstrap(hardness, seed=5), bootstrap(better, seed=5)
    (difference,) = bootstrap(better - hardness, seed=5)
    assert b.low < a.high
    assert difference.low > 0
    assert difference.value == pytest.approx(b.value - a.value)


@pytest.mark.parametrize("values", [np.zeros((0, 1)), np.array([[1.0, np.nan]])])
def test_a_column_without_values_is_refused(values: significance.Matrix) -> None:
    with pytest.raises(ValueError, match="without any value"):
        bootstrap(values, seed=0)
