import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.als import Als, AlsModel
from recsys.models.ials import Ials, IalsModel
from recsys.models.least_squares import principal
from recsys.models.taste_sums import AdditiveModel

ITEMS, SIZE = 60, 12
KNOWN = np.arange(0, 2 * ITEMS, 2, dtype=np.int32)
"""Every other item number has a vector."""


def models(*, history_limit: int = 100) -> list[AdditiveModel]:
    random = np.random.default_rng(3)
    vectors = random.standard_normal((ITEMS, SIZE)).astype(np.float32) / np.float32(3)
    axes = principal(vectors)
    return [
        AlsModel(Als(history_limit=history_limit), KNOWN, vectors, vectors.T @ vectors),
        IalsModel(
            Ials(history_limit=history_limit, entries="log"),
            KNOWN,
            *axes,
            np.array([9.0], np.float32),
        ),
    ]


@given(
    number=st.integers(0, 1),
    seeds=st.sets(st.integers(0, 2 * ITEMS + 5), min_size=1, max_size=40),
    start=st.integers(0, 1_000),
)
def test_what_the_history_adds_makes_the_served_score(
    number: int, seeds: set[int], start: int
) -> None:
    model = models()[number]
    nums = np.array(sorted(seeds), np.int32)
    weights = np.random.default_rng(start).uniform(0.1, 20, len(nums)).astype(np.float32)
    wanted = np.arange(0, 2 * ITEMS + 4, dtype=np.int32)

    counted, parts = model.contributions(nums, weights, wanted)

    vector = model.fold_in(nums, weights)
    assert counted.tolist() == [num for num in nums.tolist() if num in KNOWN]
    assert parts.shape == (len(wanted), len(counted))
    if vector is None:
        assert len(counted) == 0
        return
    served = np.zeros(len(wanted))
    served[KNOWN] = model.vectors @ vector
    assert np.abs(parts.sum(axis=1) - served).max() < 1e-5


@pytest.mark.parametrize("number", [0, 1])
def test_only_the_heaviest_of_a_long_history_add_anything(number: int) -> None:
    model = models(history_limit=2)[number]
    nums, weights = KNOWN[:4], np.array([1.0, 5.0, 2.0, 9.0], np.float32)

    counted, parts = model.contributions(nums, weights, KNOWN[:3])

    vector = model.fold_in(nums, weights)
    assert vector is not None
    assert counted.tolist() == [KNOWN[1], KNOWN[3]]
    assert np.allclose(parts.sum(axis=1), model.vectors[:3] @ vector, atol=1e-5)


@pytest.mark.parametrize("number", [0, 1])
def test_a_part_is_the_weight_times_an_own_likeness(number: int) -> None:
    """The bought item itself owes most to having been bought."""
    model = models()[number]
    nums = KNOWN[[4, 9]]

    _, parts = model.contributions(nums, np.array([3.0, 3.0], np.float32), nums)

    assert parts[0, 0] > 0
    assert parts[1, 1] > 0
    counts = parts / parts.T  # symmetric but for the confidences, which are equal here
    assert np.allclose(counts, 1)
