import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.pipeline.blend import HEAD, blend, boost_factors, pool
from recsys.pipeline.scores import ListedScores

ITEMS = 300


def listed(values, allowed=None):
    """Scores of a source: by item number."""
    nums = np.array(sorted(values), dtype=np.int32)
    scores = np.array([values[num] for num in nums.tolist()], dtype=np.float32)
    return ListedScores(nums, scores, np.ones(ITEMS, bool) if allowed is None else allowed)


score_tables = st.dictionaries(st.integers(0, ITEMS - 1), st.floats(-1, 100, width=32))


def test_every_source_scores_every_candidate():
    wide = listed({num: 100.0 - num for num in range(90)})
    narrow = listed({5: 2.0, 80: 1.0})
    candidates = pool([wide, narrow], limit=10)
    assert candidates.item_nums.tolist() == [*range(10), 80]
    # Item 80 is not among the ten best of the wide source, and has its score there all the same.
    head = sum(100.0 - num for num in range(10))
    assert candidates.shares[-1].tolist() == pytest.approx([20.0 / head, 1.0 / 3.0])


def test_the_scale_comes_from_the_head_whatever_the_limit():
    source = listed({num: 200.0 - num for num in range(150)})
    head = sum(200.0 - num for num in range(HEAD))
    for limit in (HEAD, 120):
        assert pool([source], limit).shares[0, 0] == pytest.approx(200.0 / head)


def test_a_source_that_says_nothing_adds_nothing():
    candidates = pool([listed({}), listed({3: 1.0})], limit=5)
    assert candidates.shares.tolist() == [[0.0, 1.0]]


@given(tables=st.lists(score_tables, min_size=1, max_size=4), limit=st.integers(1, 40))
def test_the_blend_is_the_weighted_sum_best_first(tables, limit):
    weights = [0.5 + place for place in range(len(tables))]
    candidates = pool([listed(table) for table in tables], limit)
    ranked = blend(candidates, weights)
    sums = dict(
        zip(candidates.item_nums.tolist(), candidates.shares @ np.array(weights), strict=True)
    )
    assert sorted(ranked.item_nums.tolist()) == sorted(num for num in sums if sums[num] > 0)
    assert ranked.scores.tolist() == sorted(ranked.scores.tolist(), reverse=True)
    assert np.isfinite(ranked.scores).all()
    for num, score, parts in zip(
        ranked.item_nums.tolist(), ranked.scores, ranked.parts, strict=True
    ):
        assert score == pytest.approx(sums[num], rel=1e-5)
        assert score == pytest.approx(parts.sum(), rel=1e-5)


def test_a_boost_lifts_what_is_popular_and_keeps_what_is_not():
    liked = listed({1: 1.0, 2: 1.0, 3: 0.1})
    popular = listed({2: 8.0, 3: 4.0})
    candidates = pool([liked], limit=5)
    factors = boost_factors(popular, candidates.item_nums, power=0.5)
    assert factors.tolist() == pytest.approx([0.01**0.5, 1.01**0.5, 0.51**0.5])
    ranked = blend(candidates, [1.0], factors)
    assert ranked.item_nums.tolist() == [2, 1, 3]
    assert ranked.parts.sum(axis=1) == pytest.approx(ranked.scores)


def test_a_boost_measures_by_the_best_item_that_may_be_shown():
    allowed = np.ones(ITEMS, bool)
    allowed[2] = False
    factors = boost_factors(listed({2: 8.0, 3: 4.0}, allowed), np.array([3], np.int32), power=1.0)
    assert factors.tolist() == pytest.approx([1.01])
