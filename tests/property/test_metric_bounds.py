"""What holds for every metric whatever the lists are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.metrics.average_precision import average_precision_at
from recsys.metrics.hit_rate import hit_rate_at
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.precision import precision_at
from recsys.metrics.recall import recall_at
from recsys.metrics.reciprocal_rank import reciprocal_rank_at
from recsys.types import BoolArray, NumArray


@st.composite
def judged(draw: st.DrawFn) -> tuple[BoolArray, NumArray]:
    """Hits with truth sizes that can hold them."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 12)))
    hits = draw(hnp.arrays(np.bool_, shape))
    more = draw(hnp.arrays(np.int32, shape[0], elements=st.integers(0, 30)))
    return hits, np.maximum(hits.sum(axis=1) + more, 1).astype(np.int32)


@given(judged(), st.integers(1, 20))
def test_all_lie_between_zero_and_one(case: tuple[BoolArray, NumArray], k: int) -> None:
    hits, sizes = case
    any_hit = hits[:, :k].any(axis=1)
    for values in (
        precision_at(hits, k),
        recall_at(hits, sizes, k),
        ndcg_at(hits, sizes, k),
        average_precision_at(hits, sizes, k),
        reciprocal_rank_at(hits, k),
        hit_rate_at(hits, k),
    ):
        assert values.dtype == np.float64
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert ((values > 0) == any_hit).all()


@given(judged(), st.integers(1, 19))
def test_more_places_never_lower_recall_mrr_and_hit_rate(
    case: tuple[BoolArray, NumArray], k: int
) -> None:
    hits, sizes = case
    assert (recall_at(hits, sizes, k + 1) >= recall_at(hits, sizes, k)).all()
    assert (reciprocal_rank_at(hits, k + 1) >= reciprocal_rank_at(hits, k)).all()
    assert (hit_rate_at(hits, k + 1) >= hit_rate_at(hits, k)).all()


@given(judged(), st.integers(1, 20), st.integers(0, 10))
def test_moving_a_hit_up_never_hurts(case: tuple[BoolArray, NumArray], k: int, place: int) -> None:
    hits, sizes = case
    better = hits.copy()
    at = min(place, hits.shape[1] - 1)
    better[:, : at + 1] = -np.sort(-hits[:, : at + 1].astype(np.int8), axis=1)
    assert (ndcg_at(better, sizes, k) >= ndcg_at(hits, sizes, k) - 1e-12).all()
    assert (
        average_precision_at(better, sizes, k) >= average_precision_at(hits, sizes, k) - 1e-12
    ).all()
    assert (reciprocal_rank_at(better, k) >= reciprocal_rank_at(hits, k)).all()


@given(st.integers(1, 15), st.integers(1, 15), st.integers(1, 20))
def test_the_ideal_list_scores_one(depth: int, size: int, k: int) -> None:
    hits = (np.arange(max(depth, size)) < size)[None, :]
    sizes = np.array([size], dtype=np.int32)
    assert np.isclose(ndcg_at(hits, sizes, k)[0], 1)
    assert np.isclose(average_precision_at(hits, sizes, k)[0], 1)
