"""Vectorised metrics beside their formulas, written out customer by customer."""

import itertools
import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from recsys.metrics.auc import auc
from recsys.metrics.calibration import ALPHA, calibration_kl_at
from recsys.metrics.diversity import intra_list_diversity_at
from recsys.metrics.exposure_gini import exposure_gini_at
from recsys.metrics.graded_ndcg import ndcg_exponential_gain_at, ndcg_linear_gain_at
from recsys.metrics.hits import ValueArray, hit_matrix
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.ndcg_full_ideal import ndcg_full_ideal_at
from recsys.metrics.repeat_recall import explore_recall_at, repeat_recall_at
from recsys.metrics.serendipity import serendipity_at
from recsys.types import UNKNOWN, NumArray
from tests.reference_ranx import ranx

CUSTOMERS, ITEMS, DEPTH, KINDS = 40, 30, 12, 5


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def lists(rng: np.random.Generator) -> NumArray:
    """Lists of every length from none to DEPTH."""
    full = np.stack([rng.permutation(ITEMS)[:DEPTH] for _ in range(CUSTOMERS)]).astype(np.int32)
    lengths = rng.integers(0, DEPTH + 1, size=CUSTOMERS)
    return np.where(np.arange(DEPTH) < lengths[:, None], full, UNKNOWN).astype(np.int32)


def truths(rng: np.random.Generator) -> list[set[int]]:
    return [
        set(rng.choice(ITEMS, size=rng.integers(1, 20), replace=False).tolist())
        for _ in range(CUSTOMERS)
    ]


def flat(sets: list[set[int]]) -> tuple[NumArray, NumArray]:
    offsets = np.cumsum([0, *map(len, sets)])
    return offsets, np.array([item for one in sets for item in sorted(one)], dtype=np.int32)


def shown(row: NumArray, k: int) -> list[int]:
    return [item for item in row[:k].tolist() if item != UNKNOWN]


def test_auc_counts_pairs_and_halves_ties(rng: np.random.Generator) -> None:
    scores = rng.integers(0, 6, size=(CUSTOMERS, ITEMS)).astype(float)
    right = rng.random((CUSTOMERS, ITEMS)) < 0.3
    right[0], right[1] = True, False
    found = auc(scores, right)
    assert np.isnan(found[:2]).all()
    for row in range(2, CUSTOMERS):
        pairs = itertools.product(scores[row][right[row]], scores[row][~right[row]])
        won = [(a > b) + (a == b) / 2 for a, b in pairs]
        assert found[row] == pytest.approx(np.mean(won), abs=1e-12)


@pytest.mark.parametrize("bad", [np.full((1, 3), np.nan), np.zeros((1, 2))])
def test_auc_needs_a_score_for_every_item(bad: ValueArray) -> None:
    with pytest.raises(ValueError, match="must match"):
        auc(bad, np.zeros((1, 3), dtype=np.bool_))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("k", [2, 5, 20])
def test_diversity_is_the_mean_distance_of_pairs(
    lists: NumArray, rng: np.random.Generator, k: int, *, sparse: bool
) -> None:
    vectors = rng.normal(size=(ITEMS, 4))
    vectors[::7] = 0
    found = intra_list_diversity_at(lists, csr_array(vectors) if sparse else vectors, k)
    for row, value in zip(lists, found, strict=True):
        items = [vectors[item] for item in shown(row, k) if vectors[item].any()]
        distances = [
            1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
            for a, b in itertools.combinations(items, 2)
        ]
        expected = np.mean(distances) if distances else np.nan
        assert value == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("k", [1, 4, 12])
def test_calibration_is_the_divergence_of_two_mixes(
    lists: NumArray, rng: np.random.Generator, k: int
) -> None:
    kinds = np.eye(KINDS)[rng.integers(KINDS, size=ITEMS)]
    kinds[::6] = 0
    tastes = rng.integers(0, 4, size=(CUSTOMERS, KINDS)).astype(float)
    tastes[3] = 0
    found = calibration_kl_at(lists, csr_array(kinds), csr_array(tastes), k)
    for row, taste, value in zip(lists, tastes, found, strict=True):
        mix = sum((kinds[item] for item in shown(row, k)), np.zeros(KINDS))
        if not mix.any() or not taste.any():
            assert np.isnan(value)
            continue
        p, q = taste / taste.sum(), mix / mix.sum()
        expected = sum(
            a * math.log(a / ((1 - ALPHA) * b + ALPHA * a)) for a, b in zip(p, q, strict=True) if a
        )
        assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_calibration_refuses_an_alpha_that_would_not_help(lists: NumArray, alpha: float) -> None:
    kinds, tastes = csr_array((ITEMS, KINDS)), csr_array((CUSTOMERS, KINDS))
    with pytest.raises(ValueError, match="alpha"):
        calibration_kl_at(lists, kinds, tastes, 3, alpha=alpha)


def test_gini_is_half_the_relative_mean_difference(lists: NumArray) -> None:
    exposure = np.bincount(lists[lists != UNKNOWN], minlength=ITEMS)
    differences = np.abs(exposure[:, None] - exposure[None, :]).mean()
    expected = differences / (2 * exposure.mean())
    assert exposure_gini_at(lists, DEPTH, ITEMS) == pytest.approx(expected, abs=1e-12)
    assert math.isnan(exposure_gini_at(np.full((2, 3), UNKNOWN, dtype=np.int32), 3, ITEMS))
    with pytest.raises(ValueError, match="n_items"):
        exposure_gini_at(lists, DEPTH, 0)


@pytest.mark.parametrize("k", [1, 6, 12])
def test_repeats_and_discoveries_are_recalled_apart(
    lists: NumArray, rng: np.random.Generator, k: int
) -> None:
    truth, past = truths(rng), truths(rng)
    hits, known = hit_matrix(lists, *flat(truth)), hit_matrix(lists, *flat(past))
    repeats = [t & h for t, h in zip(truth, past, strict=True)]
    news = [t - h for t, h in zip(truth, past, strict=True)]
    for metric, parts in ((repeat_recall_at, repeats), (explore_recall_at, news)):
        found = metric(hits, known, np.array([len(part) for part in parts]), k)
        for row, part, value in zip(lists, parts, found, strict=True):
            expected = len(part & set(shown(row, k))) / len(part) if part else np.nan
            assert value == pytest.approx(expected, nan_ok=True)


def test_what_bestsellers_would_show_is_no_serendipity(
    lists: NumArray, rng: np.random.Generator
) -> None:
    truth, popular = truths(rng), rng.permutation(ITEMS).astype(np.int32)
    hits = hit_matrix(lists, *flat(truth))
    found = serendipity_at(lists, hits, popular, 7)
    expected = [
        len((set(shown(row, 7)) & one) - set(popular[:7].tolist())) / 7
        for row, one in zip(lists, truth, strict=True)
    ]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("k", [1, 5, 12])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(ndcg_linear_gain_at, "ndcg"), (ndcg_exponential_gain_at, "ndcg_burges")]
)
def test_graded_ndcg_agrees_with_ranx(rng: np.random.Generator, k: int, ours, theirs: str) -> None:
    graded = [{item: int(rng.integers(1, 5)) for item in truth} for truth in truths(rng)]
    lists = np.stack([rng.permutation(ITEMS)[:DEPTH] for _ in range(CUSTOMERS)])
    qrels = ranx.Qrels(
        {f"c{c}": {f"i{i}": g for i, g in one.items()} for c, one in enumerate(graded)}
    )
    run = ranx.Run(
        {
            f"c{c}": {f"i{i}": float(DEPTH - r) for r, i in enumerate(row)}
            for c, row in enumerate(lists)
        }
    )
    ranx.evaluate(qrels, run, [f"{theirs}@{k}"], make_comparable=False)
    grades = np.array(
        [[one.get(i, 0) for i in row] for one, row in zip(graded, lists.tolist(), strict=True)],
        dtype=np.float64,
    )
    offsets = np.cumsum([0, *map(len, graded)])
    truth = np.array([g for one in graded for g in one.values()], dtype=np.float64)
    expected = [run.scores[f"{theirs}@{k}"][f"c{c}"] for c in range(CUSTOMERS)]
    np.testing.assert_allclose(ours(grades, offsets, truth, k), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("offsets", "grades", "k"), [([0, 1], [0.0], 1), ([0, 0], [], 1), ([0, 1], [1.0], 0)]
)
def test_graded_ndcg_needs_truth(offsets: list[int], grades: list[float], k: int) -> None:
    with pytest.raises(ValueError, match="every customer needs truth"):
        ndcg_linear_gain_at(np.ones((1, 2)), np.array(offsets), np.array(grades), k)


def test_the_full_ideal_is_the_cut_ideal_of_a_list_as_long_as_the_truth(
    lists: NumArray, rng: np.random.Generator
) -> None:
    truth = truths(rng)
    hits = hit_matrix(lists, *flat(truth))
    sizes = np.array([len(one) for one in truth], dtype=np.int32)
    found = ndcg_full_ideal_at(hits, sizes, DEPTH)
    for row in range(CUSTOMERS):
        longest = max(DEPTH, int(sizes[row]))
        expected = ndcg_at(hits[[row]], sizes[[row]], longest)[0]
        assert found[row] == pytest.approx(expected, abs=1e-12)
