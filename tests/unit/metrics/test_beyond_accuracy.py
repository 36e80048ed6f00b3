"""Coverage and novelty at their edges."""

import numpy as np
import pytest

from recsys.metrics.coverage import coverage_at
from recsys.metrics.novelty import novelty_at
from recsys.types import UNKNOWN

LISTS = np.array([[0, 1, 2], [0, 3, UNKNOWN]], dtype=np.int32)


def test_coverage_grows_with_k_and_ignores_padding() -> None:
    assert [coverage_at(LISTS, k, n_items=8) for k in (1, 2, 3, 9)] == [1 / 8, 3 / 8, 4 / 8, 4 / 8]


def test_coverage_of_empty_lists_is_nothing() -> None:
    assert coverage_at(np.full((3, 2), UNKNOWN, dtype=np.int32), 2, n_items=5) == 0.0


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 0)])
def test_out_of_range_arguments_are_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        coverage_at(LISTS, k, n_items=n)
    with pytest.raises(ValueError, match="at least 1"):
        novelty_at(LISTS, np.ones(4, np.int32), n, k)


def test_novelty_is_the_mean_information_of_the_items_shown() -> None:
    buyers = np.array([16, 8, 4, 0], dtype=np.int32)
    values = novelty_at(LISTS, buyers, n_customers=16, k=3)
    # An item without a buyer counts as if it had one: log2(16) = 4 bits.
    np.testing.assert_allclose(values, [(0 + 1 + 2) / 3, (0 + 4) / 2])
    np.testing.assert_allclose(novelty_at(LISTS, buyers, n_customers=16, k=1), [0, 0])
