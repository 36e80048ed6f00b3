"""Our metrics beside ranx, an independent implementation, on random lists."""

from collections.abc import Callable

import numpy as np
import pytest

from recsys.metrics.average_precision_full import average_precision_full_at
from recsys.metrics.hit_rate import hit_rate_at
from recsys.metrics.hits import ValueArray, hit_matrix
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.precision import precision_at
from recsys.metrics.recall import recall_at
from recsys.metrics.reciprocal_rank import reciprocal_rank_at
from recsys.types import BoolArray, NumArray
from tests.reference_ranx import ranx

CUSTOMERS, ITEMS, DEPTH = 300, 60, 30
OURS: dict[str, Callable[[BoolArray, NumArray, int], ValueArray]] = {
    "precision": lambda hits, _, k: precision_at(hits, k),
    "recall": recall_at,
    "ndcg": ndcg_at,
    "map": average_precision_full_at,
    "mrr": lambda hits, _, k: reciprocal_rank_at(hits, k),
    "hit_rate": lambda hits, _, k: hit_rate_at(hits, k),
}


@pytest.fixture(scope="module")
def sample() -> tuple[BoolArray, NumArray, ranx.Qrels, ranx.Run]:
    """Full lists, so that a cut at any k up to DEPTH means the same to both."""
    rng = np.random.default_rng(3)
    truths = [rng.choice(ITEMS, size=rng.integers(1, 41), replace=False) for _ in range(CUSTOMERS)]
    lists = np.stack([rng.permutation(ITEMS)[:DEPTH] for _ in range(CUSTOMERS)]).astype(np.int32)
    sizes = np.array([len(truth) for truth in truths], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    hits = hit_matrix(lists, offsets, np.concatenate(truths).astype(np.int32))
    qrels = ranx.Qrels({f"c{c}": {f"i{i}": 1 for i in truths[c]} for c in range(CUSTOMERS)})
    run = ranx.Run(
        {
            f"c{c}": {f"i{i}": float(DEPTH - rank) for rank, i in enumerate(lists[c])}
            for c in range(CUSTOMERS)
        }
    )
    return hits, sizes, qrels, run


@pytest.mark.parametrize("k", [1, 5, 10, 20, 30])
@pytest.mark.parametrize("name", OURS)
def test_every_customer_agrees_with_ranx(
    name: str, k: int, sample: tuple[BoolArray, NumArray, ranx.Qrels, ranx.Run]
) -> None:
    hits, sizes, qrels, run = sample
    ranx.evaluate(qrels, run, [f"{name}@{k}"], make_comparable=False)
    theirs = np.array([run.scores[f"{name}@{k}"][f"c{c}"] for c in range(CUSTOMERS)])
    ours = OURS[name](hits, sizes, k)
    assert ours.shape == (CUSTOMERS,)
    assert ours.std() > 0 or (name, k) == ("hit_rate", 30)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
