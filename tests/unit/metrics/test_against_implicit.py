"""Our metrics beside those of implicit, which are means over everybody."""

from typing import Any

import numpy as np
import pytest
from implicit.evaluation import ranking_metrics_at_k
from scipy.sparse import csr_matrix

from recsys.metrics.average_precision import average_precision_at
from recsys.metrics.hits import hit_matrix
from recsys.metrics.ndcg import ndcg_at

CUSTOMERS, ITEMS, DEPTH = 200, 60, 30


class Listed:
    """A model whose lists are there already."""

    def __init__(self, lists: np.ndarray[tuple[int, int], np.dtype[np.int32]]) -> None:
        self.lists = lists

    def recommend(self, userids: Any, _: csr_matrix, N: int) -> tuple[Any, Any]:  # noqa: N803
        """As implicit calls it."""
        found = self.lists[userids, :N]
        return found, np.ones(found.shape, dtype=np.float32)


@pytest.mark.parametrize("k", [1, 5, 20, 30])
def test_means_agree_with_implicit(k: int) -> None:
    """Its MAP and NDCG divide by what k places can hold; its precision is no mean of ours."""
    rng = np.random.default_rng(11)
    truths = [rng.choice(ITEMS, size=rng.integers(1, 41), replace=False) for _ in range(CUSTOMERS)]
    lists = np.stack([rng.permutation(ITEMS)[:DEPTH] for _ in range(CUSTOMERS)]).astype(np.int32)
    sizes = np.array([len(truth) for truth in truths], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    items = np.concatenate(truths).astype(np.int32)
    shape = CUSTOMERS, ITEMS
    right = csr_matrix((np.ones(len(items)), items, offsets), shape=shape)
    theirs = ranking_metrics_at_k(
        Listed(lists), csr_matrix(shape), right, K=k, show_progress=False
    )
    hits = hit_matrix(lists, offsets, items)
    assert theirs["map"] == pytest.approx(average_precision_at(hits, sizes, k).mean(), abs=1e-9)
    assert theirs["ndcg"] == pytest.approx(ndcg_at(hits, sizes, k).mean(), abs=1e-9)
    pooled = hits[:, :k].sum() / np.minimum(sizes, k).sum()
    assert theirs["precision"] == pytest.approx(pooled, abs=1e-9)
