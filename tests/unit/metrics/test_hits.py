import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.metrics.hits import checked_sizes, hit_matrix, top
from recsys.types import UNKNOWN

cases = st.lists(
    st.tuples(
        st.lists(st.integers(0, 30), unique=True, max_size=6),
        st.sets(st.integers(0, 30), max_size=8),
    ),
    min_size=1,
    max_size=8,
)


@given(cases)
def test_hits_are_membership_in_the_own_truth(pairs: list[tuple[list[int], set[int]]]) -> None:
    depth = max(len(items) for items, _ in pairs)
    lists = np.full((len(pairs), depth), UNKNOWN, dtype=np.int32)
    for row, (items, _) in enumerate(pairs):
        lists[row, : len(items)] = items
    offsets = np.cumsum([0, *(len(truth) for _, truth in pairs)])
    flat = np.array([item for _, truth in pairs for item in truth], dtype=np.int32)

    found = hit_matrix(lists, offsets, flat)

    expected = [
        [rank < len(items) and items[rank] in truth for rank in range(depth)]
        for items, truth in pairs
    ]
    assert found.dtype == np.bool_
    assert found.shape == lists.shape
    assert found.tolist() == expected


def test_hits_refuse_another_number_of_customers() -> None:
    with pytest.raises(ValueError, match="2 lists but the truth of 1"):
        hit_matrix(np.zeros((2, 1), np.int32), np.array([0, 1]), np.zeros(1, np.int32))


def test_unknown_truth_is_never_hit_by_padding() -> None:
    lists = np.array([[UNKNOWN, 3]], dtype=np.int32)
    truth = np.array([UNKNOWN], dtype=np.int32)
    assert not hit_matrix(lists, np.array([0, 1]), truth).any()


def test_top_refuses_k_below_one() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        top(np.ones((1, 1), dtype=np.bool_), 0)


@pytest.mark.parametrize("sizes", [[1], [1, 0], [1, 2, 3]])
def test_sizes_must_fit(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="2 customers"):
        checked_sizes(np.ones((2, 1), dtype=np.bool_), np.array(sizes, dtype=np.int32))
