"""What every vector index promises, and the implementations that must keep it."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.index.build import load_index
from recsys.index.config import IndexConfig
from recsys.index.exact import ExactIndex
from recsys.index.flat import FlatIndex
from recsys.index.hnsw import HnswIndex
from recsys.index.protocol import VectorIndex
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray
from tests.vectors import customers_of, spread_nums, trained_like

ROWS, DIM = 600, 16
VECTORS = trained_like(ROWS, DIM)
NUMS = spread_nums(ROWS)
QUERIES = customers_of(VECTORS, 25)
N_ITEMS = int(NUMS[-1]) + 10


def kept(share: float, seed: int = 3) -> BoolArray:
    return np.random.default_rng(seed).random(N_ITEMS) < share


class VectorIndexContract(ABC):
    """Inherit, build, and get the tests."""

    @classmethod
    @abstractmethod
    def build(cls, vectors: FloatArray, item_nums: NumArray) -> VectorIndex: ...

    @pytest.fixture(scope="class")
    @classmethod
    def index(cls) -> VectorIndex:
        return cls.build(VECTORS, NUMS)

    def test_describes_itself(self, index: VectorIndex) -> None:
        assert index.dim == DIM
        assert index.item_nums.dtype == np.int32
        assert index.item_nums.tolist() == NUMS.tolist()
        assert not index.item_nums.flags.writeable

    def test_scores_are_inner_products_best_first(self, index: VectorIndex) -> None:
        nums, scores = index.search(QUERIES, 30)
        assert nums.dtype == np.int32
        assert scores.dtype == np.float32
        assert nums.shape == scores.shape == (len(QUERIES), 30)
        assert (np.diff(scores, axis=1) <= 0).all()
        rows = np.searchsorted(NUMS, nums)
        expected = np.einsum("qkd,qd->qk", VECTORS[rows], QUERIES)
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)

    def test_finds_the_best(self, index: VectorIndex) -> None:
        nums, _ = index.search(QUERIES, 10)
        products = QUERIES.astype(np.float64) @ VECTORS.T.astype(np.float64)
        best = NUMS[np.argsort(-products, axis=1)[:, :10]]
        shares = [len(set(a) & set(b)) / 10 for a, b in zip(nums, best, strict=True)]
        assert np.mean(shares) >= 0.98

    def test_items_of_a_list_are_distinct(self, index: VectorIndex) -> None:
        nums, _ = index.search(QUERIES, 100)
        assert all(len(set(row)) == 100 for row in nums.tolist())

    @pytest.mark.parametrize("share", [0.02, 0.19, 0.21, 0.6])
    def test_filter_is_obeyed_and_count_full(self, index: VectorIndex, share: float) -> None:
        mask = kept(share)
        available = int(mask[NUMS].sum())
        for limit in (1, available // 2, available, available + 5):
            nums, scores = index.search(QUERIES, limit, mask)
            found = min(limit, available)
            assert mask[nums[:, :found]].all()
            assert np.isin(nums[:, :found], NUMS).all()
            assert (nums[:, found:] == UNKNOWN).all()
            assert np.isneginf(scores[:, found:]).all()
            assert np.isfinite(scores[:, :found]).all()

    def test_each_query_may_have_its_mask(self, index: VectorIndex) -> None:
        masks = [kept(0.1), None, kept(0.5), kept(0.1), np.zeros(N_ITEMS, dtype=np.bool_)]
        nums, scores = index.search(QUERIES[:5], 12, masks)
        for place, mask in enumerate(masks):
            alone = index.search(QUERIES[place : place + 1], 12, mask)
            assert np.array_equal(nums[place], alone[0][0])
            assert np.array_equal(scores[place], alone[1][0])
        assert (nums[4] == UNKNOWN).all()

    def test_limit_past_the_rows_is_padded(self, index: VectorIndex) -> None:
        nums, scores = index.search(QUERIES[:2], ROWS + 7)
        assert sorted(nums[0, :ROWS].tolist()) == NUMS.tolist()
        assert (nums[:, ROWS:] == UNKNOWN).all()
        assert np.isneginf(scores[:, ROWS:]).all()

    def test_no_queries(self, index: VectorIndex) -> None:
        nums, scores = index.search(np.empty((0, DIM), dtype=np.float32), 5)
        assert nums.shape == scores.shape == (0, 5)

    def test_no_rows(self) -> None:
        empty = self.build(np.empty((0, DIM), dtype=np.float32), np.empty(0, dtype=np.int32))
        nums, scores = empty.search(QUERIES[:2], 3, kept(0.5))
        assert (nums == UNKNOWN).all()
        assert np.isneginf(scores).all()

    def test_equal_scores_are_in_order_of_item_number(self) -> None:
        vectors = np.repeat(trained_like(3, 8), 5, axis=0)
        index = self.build(vectors, spread_nums(15))
        nums, scores = index.search(vectors[:1], 15)
        order = np.lexsort((nums[0], -scores[0]))
        assert np.array_equal(order, np.arange(15))

    def test_zero_vectors_can_be_found(self) -> None:
        vectors = np.zeros((4, 3), dtype=np.float32)
        vectors[0, 0] = -1.0
        index = self.build(vectors, np.arange(4, dtype=np.int32))
        nums, scores = index.search(np.array([[1.0, 0.0, 0.0]], dtype=np.float32), 4)
        assert nums.tolist() == [[1, 2, 3, 0]]
        assert scores.tolist() == [[0.0, 0.0, 0.0, -1.0]]

    def test_answers_do_not_depend_on_the_batch(self, index: VectorIndex) -> None:
        for mask in (None, kept(0.1), kept(0.5)):
            nums, scores = index.search(QUERIES, 20, mask)
            for place in range(len(QUERIES)):
                single = index.search(QUERIES[place : place + 1], 20, mask)
                assert np.array_equal(single[0][0], nums[place])
                assert np.array_equal(single[1][0], scores[place])

    def test_threads_get_the_same_answers(self, index: VectorIndex) -> None:
        expected = index.search(QUERIES, 20, kept(0.5))
        with ThreadPoolExecutor(4) as threads:
            answers = threads.map(lambda _: index.search(QUERIES, 20, kept(0.5)), range(8))
            for nums, scores in answers:
                assert np.array_equal(nums, expected[0])
                assert np.array_equal(scores, expected[1])

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_refuses_a_query_that_is_not_finite(self, index: VectorIndex, bad: float) -> None:
        queries = QUERIES[:2].copy()
        queries[1, 3] = bad
        with pytest.raises(ValueError, match="finite"):
            index.search(queries, 5)

    def test_refuses_what_has_the_wrong_shape(self, index: VectorIndex) -> None:
        with pytest.raises(ValueError, match="limit 0"):
            index.search(QUERIES, 0)
        with pytest.raises(ValueError, match="are not"):
            index.search(QUERIES[:, :-1], 5)
        with pytest.raises(ValueError, match="are not"):
            index.search(QUERIES[0], 5)
        with pytest.raises(ValueError, match="1 masks for 2 queries"):
            index.search(QUERIES[:2], 5, [None])
        with pytest.raises(ValueError, match="does not reach"):
            index.search(QUERIES, 5, np.ones(int(NUMS[-1]), dtype=np.bool_))
        with pytest.raises(ValueError, match="bool"):
            index.search(QUERIES, 5, [np.ones(N_ITEMS, dtype=np.int8)] * len(QUERIES))

    def test_refuses_to_build_what_does_not_fit(self) -> None:
        nums = np.arange(3, dtype=np.int32)
        vectors = np.ones((3, 2), dtype=np.float32)
        for wrong in (nums[::-1], np.array([-1, 0, 1], np.int32), np.array([0, 0, 1], np.int32)):
            with pytest.raises(ValueError, match="ascending"):
                self.build(vectors, wrong)
        for misfit in (vectors[:2], vectors[0], np.ones((3, 0), dtype=np.float32)):
            with pytest.raises(ValueError, match="do not fit"):
                self.build(misfit, nums)
        with pytest.raises(ValueError, match="finite"):
            self.build(np.full((3, 2), np.nan, dtype=np.float32), nums)

    @pytest.mark.parametrize("mmap", [True, False])
    def test_comes_back_from_files(self, index: VectorIndex, tmp_path: Path, mmap: bool) -> None:  # noqa: FBT001
        index.save(tmp_path, "als")
        loaded = load_index(tmp_path, "als", mmap=mmap)
        assert type(loaded) is type(index)
        assert loaded.kind is index.kind
        assert loaded.dim == DIM
        assert not loaded.item_nums.flags.writeable
        for mask in (None, kept(0.1), kept(0.5)):
            expected, got = index.search(QUERIES, 15, mask), loaded.search(QUERIES, 15, mask)
            assert np.array_equal(got[0], expected[0])
            assert np.array_equal(got[1], expected[1])

    def test_same_vectors_give_the_same_files(self, tmp_path: Path) -> None:
        for folder in (tmp_path / "a", tmp_path / "b"):
            folder.mkdir()
            self.build(VECTORS, NUMS).save(folder, "als")
        names = sorted(path.name for path in (tmp_path / "a").iterdir())
        assert len(names) == 2
        for name in names:
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


class TestExactIndex(VectorIndexContract):
    @classmethod
    def build(cls, vectors: FloatArray, item_nums: NumArray) -> VectorIndex:
        return ExactIndex.build(vectors, item_nums)

    def test_lowest_item_numbers_win_at_the_cut(self) -> None:
        index = self.build(np.ones((50, 4), dtype=np.float32), spread_nums(50))
        nums, _ = index.search(np.ones((1, 4), dtype=np.float32), 7)
        assert nums[0].tolist() == index.item_nums[:7].tolist()


class TestFlatIndex(VectorIndexContract):
    @classmethod
    def build(cls, vectors: FloatArray, item_nums: NumArray) -> VectorIndex:
        return FlatIndex.build(vectors, item_nums)


class TestHnswIndex(VectorIndexContract):
    @classmethod
    def build(cls, vectors: FloatArray, item_nums: NumArray) -> VectorIndex:
        return HnswIndex.build(vectors, item_nums, IndexConfig())
