"""The graph on vectors shaped like trained ones."""

import faiss
import numpy as np
import pytest

from recsys.index.config import IndexConfig
from recsys.index.exact import ExactIndex
from recsys.index.hnsw import HnswIndex
from recsys.index.recall import recall_at
from tests.vectors import customers_of, trained_like

ROWS = 12_000
VECTORS = trained_like(ROWS, 32)
NUMS = np.arange(ROWS, dtype=np.int32)
QUERIES = customers_of(VECTORS, 60)
REFERENCE = ExactIndex.build(VECTORS, NUMS)


@pytest.fixture(scope="module")
def index() -> HnswIndex:
    return HnswIndex.build(VECTORS, NUMS, IndexConfig())


@pytest.mark.parametrize("share", [None, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("k", [20, 200])
def test_recall_on_trained_like_vectors(index: HnswIndex, share: float | None, k: int) -> None:
    mask = None if share is None else np.random.default_rng(4).random(ROWS) < share
    assert recall_at(index, REFERENCE, QUERIES, k, mask) >= 0.98


def test_a_graph_over_plain_inner_products_would_miss_items() -> None:
    # The reason for the lifted graph: with such norms the usual one has no way to most items.
    vectors = trained_like(ROWS, 32, norm_spread=1.2)
    queries = customers_of(vectors, 60)
    plain = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    plain.hnsw.efConstruction, plain.hnsw.efSearch = IndexConfig().ef_construction, 400
    faiss.omp_set_num_threads(1)
    plain.add(vectors)
    reference = ExactIndex.build(vectors, NUMS)
    lifted = HnswIndex.build(vectors, NUMS, IndexConfig())
    assert recall_at(HnswIndex(plain, NUMS), reference, queries, 200) < 0.95
    assert recall_at(lifted, reference, queries, 200) >= 0.99


@pytest.mark.parametrize("share", [0.25, 0.6])
def test_filters_that_go_with_taste(index: HnswIndex, share: float) -> None:
    # Each query may see one side of a plane, or just what points away from it.
    directions = np.random.default_rng(6).normal(size=(len(QUERIES), 32)).astype(np.float32)
    for towards in (directions, -QUERIES):
        sides = VECTORS @ towards.T
        masks = list((sides >= np.quantile(sides, 1 - share, axis=0)).T)
        nums, _ = index.search(QUERIES, 20, masks)
        assert (nums >= 0).all()
        assert recall_at(index, REFERENCE, QUERIES, 20, masks) >= 0.98


def test_narrow_filters_are_exact(index: HnswIndex) -> None:
    mask = np.random.default_rng(4).random(ROWS) < 0.1
    nums, _ = index.search(QUERIES, 50, mask)
    expected, _ = REFERENCE.search(QUERIES, 50, mask)
    assert np.mean(nums == expected) > 0.999


def test_a_filter_that_the_graph_cannot_reach_is_still_full() -> None:
    # Allowed is only what points away from the query: the graph search ends before it gets there.
    vectors = trained_like(3_000, 8, seed=9)
    query = vectors[:1]
    mask = vectors @ query[0] < np.quantile(vectors @ query[0], 0.25)
    index = HnswIndex.build(vectors, np.arange(3_000, dtype=np.int32), IndexConfig(ef_search=8))
    nums, scores = index.search(query, 40, mask)
    assert (nums >= 0).all()
    assert mask[nums].all()
    exact = ExactIndex.build(vectors, index.item_nums).search(query, 40, mask)
    np.testing.assert_allclose(scores, exact[1], atol=1e-6)


def test_another_seed_is_another_graph() -> None:
    indexes = [
        HnswIndex.build(VECTORS[:2000], NUMS[:2000], IndexConfig(seed=seed)) for seed in (1, 1, 2)
    ]
    levels = [faiss.vector_to_array(index.graph.hnsw.levels) for index in indexes]
    assert np.array_equal(levels[0], levels[1])
    assert not np.array_equal(levels[0], levels[2])
