"""Whatever the vectors, masks and batch: lists are full, exact scans are brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.index.config import IndexConfig
from recsys.index.exact import ExactIndex
from recsys.index.flat import FlatIndex
from recsys.index.hnsw import EXACT_SHARE, HnswIndex
from recsys.index.protocol import VectorIndex
from recsys.index.recall import recall_at
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray
from tests.vectors import customers_of, spread_nums, trained_like

TIE = 1e-6

LARGE = trained_like(4_000, 24, seed=11)
LARGE_NUMS = spread_nums(len(LARGE))
LARGE_QUERIES = customers_of(LARGE, 60)
LARGE_INDEXES: dict[str, VectorIndex] = {
    "exact": ExactIndex.build(LARGE, LARGE_NUMS),
    "flat": FlatIndex.build(LARGE, LARGE_NUMS),
    "hnsw": HnswIndex.build(LARGE, LARGE_NUMS, IndexConfig()),
}


def drawn(
    seed: int, rows: int, dim: int, *, coarse: bool
) -> tuple[FloatArray, NumArray, FloatArray]:
    """Random vectors; coarse ones have few distinct values, so that scores are often equal."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, dim)).astype(np.float32)
    queries = rng.normal(size=(4, dim)).astype(np.float32)
    if coarse:
        vectors, queries = np.round(vectors), np.round(queries)
    return vectors, spread_nums(rows, seed=seed), queries


def brute_force(
    vectors: FloatArray, nums: NumArray, query: FloatArray, mask: BoolArray
) -> dict[int, float]:
    """Score of every allowed item, one product at a time in double precision."""
    return {
        int(num): float(np.dot(vector.astype(np.float64), query.astype(np.float64)))
        for num, vector in zip(nums, vectors, strict=True)
        if mask[num]
    }


def assert_is_brute_force(found: NumArray, scores: FloatArray, truth: dict[int, float]) -> None:
    """Same count, same scores place by place, and each item has the score it is given."""
    expected = sorted(truth.values(), reverse=True)[: len(found)]
    real = found[found != UNKNOWN]
    assert len(real) == min(len(found), len(truth)) == len(set(real.tolist()))
    tolerance = TIE * max(1.0, *(abs(score) for score in truth.values())) if truth else TIE
    np.testing.assert_allclose(scores[: len(real)], expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        [truth[num] for num in real.tolist()], scores[: len(real)], rtol=0, atol=tolerance
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 120),
    dim=st.integers(1, 20),
    limit=st.integers(1, 150),
    share=st.floats(0, 1),
    coarse=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_exact_scans_equal_brute_force(
    *, seed: int, rows: int, dim: int, limit: int, share: float, coarse: bool
) -> None:
    vectors, nums, queries = drawn(seed, rows, dim, coarse=coarse)
    mask = np.random.default_rng(seed + 1).random(int(nums[-1]) + 1) < share
    narrow = np.count_nonzero(mask[nums]) < EXACT_SHARE * rows
    indexes: list[VectorIndex] = [
        ExactIndex.build(vectors, nums),
        FlatIndex.build(vectors, nums),
    ]
    if narrow:
        indexes.append(HnswIndex.build(vectors, nums, IndexConfig()))
    for index in indexes:
        found, scores = index.search(queries, limit, mask)
        for place, query in enumerate(queries):
            truth = brute_force(vectors, nums, query, mask)
            assert_is_brute_force(found[place], scores[place], truth)


@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(EXACT_SHARE, 1),
    limit=st.sampled_from([1, 20, 100]),
)
@settings(max_examples=25, deadline=None)
def test_graph_under_wide_filters_is_full_and_finds_enough(
    seed: int, share: float, limit: int
) -> None:
    mask = np.random.default_rng(seed).random(int(LARGE_NUMS[-1]) + 1) < share
    index, reference = LARGE_INDEXES["hnsw"], LARGE_INDEXES["exact"]
    found, _ = index.search(LARGE_QUERIES, limit, mask)
    assert (found != UNKNOWN).all()
    assert mask[found].all()
    assert recall_at(index, reference, LARGE_QUERIES, limit, mask) >= 0.98


@pytest.mark.parametrize("kind", ["exact", "flat", "hnsw"])
@given(
    places=st.lists(st.integers(0, len(LARGE_QUERIES) - 1), min_size=1, max_size=60),
    shares=st.lists(st.sampled_from([None, 0.05, 0.3, 0.9]), min_size=1, max_size=3),
    limit=st.integers(1, 150),
)
@settings(max_examples=20, deadline=None)
def test_answers_are_the_same_bits_in_any_batch(
    kind: str, places: list[int], shares: list[float | None], limit: int
) -> None:
    index = LARGE_INDEXES[kind]
    known = {
        share: None
        if share is None
        else np.random.default_rng(5).random(int(LARGE_NUMS[-1]) + 1) < share
        for share in shares
    }
    masks = [known[shares[place % len(shares)]] for place in places]
    nums, scores = index.search(LARGE_QUERIES[places], limit, masks)
    for row, (place, mask) in enumerate(zip(places, masks, strict=True)):
        alone = index.search(LARGE_QUERIES[place : place + 1], limit, mask)
        assert np.array_equal(nums[row], alone[0][0])
        assert np.array_equal(scores[row], alone[1][0])
