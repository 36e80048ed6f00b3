import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.choice.evidence import Evidence, stack
from recsys.metrics.ndcg import ndcg_at
from recsys.pipeline.blend import Pool, blend, boost_factors
from recsys.pipeline.scores import ListedScores


def evidence(shares, relevant, sizes, k=5) -> Evidence:
    shares = np.asarray(shares, dtype=np.float32)
    names = tuple("abcdef"[: len(shares)])
    return Evidence(names, shares, np.asarray(relevant), np.asarray(sizes, np.int32), k)


@st.composite
def judged(draw):
    """Totals with ties and zeros, what is right, and right items that are no candidates."""
    customers, candidates = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    shape = (customers, candidates)
    totals = draw(arrays(np.float32, shape, elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0])))
    relevant = draw(arrays(bool, shape))
    beside = draw(arrays(np.int32, customers, elements=st.integers(1, 9)))
    return totals, relevant, relevant.sum(axis=1) + beside, draw(st.integers(1, 30))


@given(judged())
def test_ndcg_is_that_of_the_list_that_would_be_served(case):
    totals, relevant, sizes, k = case
    hits = np.zeros((len(totals), k), dtype=bool)
    for row, values in enumerate(totals):
        nums = np.arange(len(values), dtype=np.int32)
        ranked = blend(Pool(nums, values[:, None]), [1.0])  # leaves out what has no score
        hits[row, : len(ranked.item_nums[:k])] = relevant[row, ranked.item_nums[:k]]
    found = evidence(totals[None], relevant, sizes, k).ndcg(totals)
    assert found == pytest.approx(ndcg_at(hits, sizes, k), abs=1e-12)


def test_ndcg_on_random_data_with_fewer_candidates_than_places():
    random = np.random.default_rng(0)
    totals = random.uniform(0, 1, (200, 12)).astype(np.float32)
    totals[random.uniform(size=totals.shape) < 0.3] = 0
    relevant = random.uniform(size=totals.shape) < 0.2
    sizes = relevant.sum(axis=1) + 1
    order = np.argsort(-totals, axis=1, kind="stable")
    hits = np.take_along_axis(relevant & (totals > 0), order, axis=1)
    found = evidence(totals[None], relevant, sizes, k=20).ndcg(totals)
    assert found == pytest.approx(ndcg_at(hits, sizes, 20), abs=1e-12)


def test_stacking_pads_with_nothing():
    lists = [
        (
            np.array([2, 5, 7], np.int32),
            np.array([[0.1, 0.0], [0.5, 0.2], [0.0, 0.9]], np.float32),
        ),
        (np.array([3], np.int32), np.array([[0.4, 0.6]], np.float32)),
        (np.zeros(0, np.int32), np.zeros((0, 2), np.float32)),
    ]
    found = stack(("a", "b"), lists, [np.array([5, 9]), np.array([3]), np.array([1])], k=3)
    assert found.column("a").tolist() == pytest.approx(
        np.array([[0.1, 0.5, 0], [0.4, 0, 0], [0, 0, 0]], np.float32)
    )
    assert found.column("b")[0].tolist() == pytest.approx([0, 0.2, 0.9])
    assert found.relevant.tolist() == [[False, True, False], [True, False, False], [False] * 3]
    assert found.truth_sizes.tolist() == [2, 1, 1]
    assert found.ndcg(found.column("a")).tolist() == pytest.approx([0.6131, 1, 0], abs=1e-4)


def test_nobody_with_candidates_is_no_reason_to_fail():
    nothing = (np.zeros(0, np.int32), np.zeros((0, 1), np.float32))
    found = stack(("a",), [nothing], [np.array([1])], k=20)
    assert found.ndcg(found.column("a")).tolist() == [0]


def test_factors_are_those_of_the_served_boost():
    values = np.array([0.4, 0.0, 0.1, 0.2], np.float32)
    nums = np.arange(4, dtype=np.int32)
    source = ListedScores(nums, values, np.ones(4, bool))
    found = evidence([values[None] / values.sum()], np.zeros((1, 4), bool), [1])
    for power in (0.3, 1.0, 0.3):
        served = boost_factors(source, nums, power)
        assert found.factors("a", power)[0] == pytest.approx(served, rel=1e-6)
    silent = evidence([np.zeros((1, 4))], np.zeros((1, 4), bool), [1])
    assert silent.factors("a", 0.5)[0] == pytest.approx([0.1] * 4)


def test_factors_of_one_boost_are_not_those_of_another():
    found = evidence(np.random.default_rng(0).uniform(size=(2, 3, 4)), np.zeros((3, 4)), [1] * 3)
    one = found.factors("a", 0.5).copy()
    assert not np.array_equal(found.factors("b", 0.5), one)
    assert np.array_equal(found.factors("a", 0.5), one)
