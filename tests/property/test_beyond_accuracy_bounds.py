"""What holds for the metrics beyond accuracy, and for the NDCGs, whatever the lists are."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from recsys.metrics.auc import auc
from recsys.metrics.average_precision import average_precision_at
from recsys.metrics.average_precision_full import average_precision_full_at
from recsys.metrics.calibration import ALPHA, calibration_kl_at
from recsys.metrics.diversity import intra_list_diversity_at
from recsys.metrics.exposure_gini import exposure_gini_at
from recsys.metrics.graded_ndcg import ndcg_exponential_gain_at, ndcg_linear_gain_at
from recsys.metrics.lists import incidence
from recsys.metrics.margin import margin_at
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.ndcg_full_ideal import ndcg_full_ideal_at
from recsys.metrics.popularity_bias import average_popularity_at
from recsys.metrics.precision import precision_at
from recsys.metrics.repeat_recall import explore_recall_at, repeat_recall_at
from recsys.metrics.repeat_share import repeat_share_at
from recsys.metrics.revenue import revenue_at
from recsys.metrics.serendipity import serendipity_at
from recsys.types import UNKNOWN, BoolArray, NumArray

ITEMS, KINDS = 15, 4
ks = st.integers(1, 12)
seeds = st.integers(0, 2**32 - 1)
ROUNDING = 1e-9
"""Sums of k and of k + 1 numbers round differently, even where the last number is 0."""


@st.composite
def shown_lists(draw: st.DrawFn) -> NumArray:
    """A few lists of distinct items, each of its own length."""
    rows = draw(
        st.lists(
            st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=8), min_size=1, max_size=6
        )
    )
    lists = np.full((len(rows), max(1, *map(len, rows))), UNKNOWN, dtype=np.int32)
    for number, row in enumerate(rows):
        lists[number, : len(row)] = row
    return lists


def some_hits(lists: NumArray, seed: int) -> BoolArray:
    drawn: BoolArray = np.random.default_rng(seed).random(lists.shape) < 0.5
    return drawn & (lists != UNKNOWN)


@given(shown_lists(), ks, seeds)
def test_bounds(lists: NumArray, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = csr_array(np.eye(KINDS)[rng.integers(KINDS, size=ITEMS)])
    tastes = csr_array(rng.integers(0, 3, size=(len(lists), KINDS)).astype(float))
    ranges = {
        1.0 + 1e-12: intra_list_diversity_at(lists, kinds, k),
        -np.log(ALPHA) + 1e-12: calibration_kl_at(lists, kinds, tastes, k),
        1.0: repeat_share_at(lists, some_hits(lists, seed), k),
        3.0: average_popularity_at(lists, rng.random(ITEMS) * 3, k),
    }
    for highest, values in ranges.items():
        assert values.shape == (len(lists),)
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= highest)).all()
    gini = exposure_gini_at(lists, k, ITEMS)
    assert np.isnan(gini) == (lists[:, :k] == UNKNOWN).all()
    assert np.isnan(gini) or 0 <= gini <= 1 - 1 / ITEMS + 1e-12


@given(shown_lists(), ks, seeds)
def test_serendipity_never_exceeds_precision(lists: NumArray, k: int, seed: int) -> None:
    hits = some_hits(lists, seed)
    popular = np.random.default_rng(seed).permutation(ITEMS).astype(np.int32)
    found = serendipity_at(lists, hits, popular, k)
    assert ((found >= 0) & (found <= precision_at(hits, k))).all()
    nobody_knows = np.zeros(0, dtype=np.int32)
    assert (serendipity_at(lists, hits, nobody_knows, k) == precision_at(hits, k)).all()


@given(shown_lists(), ks, seeds)
@example(np.array([[-1] * 8, [1, 2, 4, 5, 12, 3, 0, 6]], dtype=np.int32), 7, 809)
def test_revenue_grows_with_k_and_bounds_margin(lists: NumArray, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    hits, prices, costs = some_hits(lists, seed), rng.random(ITEMS) * 50, rng.random(ITEMS) * 9
    revenue = revenue_at(lists, hits, prices, k)
    assert (revenue_at(lists, hits, prices, k + 1) >= revenue - ROUNDING).all()
    assert (margin_at(lists, hits, prices, costs, k) <= revenue).all()
    ones = np.ones(ITEMS)
    np.testing.assert_allclose(revenue_at(lists, hits, ones, k), k * precision_at(hits, k))
    assert np.isnan(margin_at(lists, hits, prices, np.full(ITEMS, np.nan), k)).all()


@given(shown_lists(), ks, seeds)
def test_repeats_and_discoveries_add_up_to_recall(lists: NumArray, k: int, seed: int) -> None:
    hits, known = some_hits(lists, seed), some_hits(lists, seed + 1)
    repeats = (hits & known).sum(axis=1).astype(np.int32)
    news = (hits & ~known).sum(axis=1).astype(np.int32)
    of_repeats = repeat_recall_at(hits, known, repeats, k)
    of_news = explore_recall_at(hits, known, news, k)
    assert (np.isnan(of_repeats) == (repeats == 0)).all()
    total = np.nan_to_num(of_repeats) * repeats + np.nan_to_num(of_news) * news
    np.testing.assert_allclose(total, hits[:, :k].sum(axis=1))


@given(shown_lists(), ks)
def test_the_order_within_k_does_not_change_a_set(lists: NumArray, k: int) -> None:
    assert (incidence(lists, k, ITEMS) != incidence(lists[:, :k][:, ::-1], k, ITEMS)).nnz == 0


@given(st.integers(1, 8), st.integers(2, 12), seeds)
def test_auc_only_knows_the_order(customers: int, items: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-5, 6, size=(customers, items)).astype(float)
    right = rng.random((customers, items)) < 0.5
    found = auc(scores, right)
    np.testing.assert_array_equal(auc(np.exp(scores), right), found)
    np.testing.assert_allclose(auc(-scores, right), 1 - found)
    np.testing.assert_allclose(auc(scores, ~right), 1 - found)
    known = found[~np.isnan(found)]
    assert ((known >= 0) & (known <= 1)).all()


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 12))), seeds, ks)
def test_the_maps_relate_as_their_docs_say(hits: BoolArray, seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = (np.maximum(hits.sum(axis=1), 1) + rng.integers(0, 9, len(hits))).astype(np.int32)
    cut, full = average_precision_at(hits, sizes, k), average_precision_full_at(hits, sizes, k)
    assert (full >= 0).all()
    assert (full <= cut + 1e-12).all()
    np.testing.assert_allclose(full[sizes <= k], cut[sizes <= k])
    np.testing.assert_allclose(full * sizes, cut * np.minimum(sizes, k))


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 12))), seeds, ks)
def test_the_ndcgs_relate_as_their_docs_say(hits: BoolArray, seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = (np.maximum(hits.sum(axis=1), 1) + rng.integers(0, 9, len(hits))).astype(np.int32)
    cut, full = ndcg_at(hits, sizes, k), ndcg_full_ideal_at(hits, sizes, k)
    assert (full <= cut + 1e-12).all()
    np.testing.assert_allclose(full[sizes <= k], cut[sizes <= k])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    ones, grades = np.ones(offsets[-1]), hits.astype(np.float64)
    np.testing.assert_allclose(ndcg_linear_gain_at(grades, offsets, ones, k), cut)
    np.testing.assert_allclose(ndcg_exponential_gain_at(grades, offsets, ones, k), cut)
