"""Recall counts what reaches the reference's last score."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.index.exact import ExactIndex
from recsys.index.protocol import Allowed, IndexKind
from recsys.index.recall import recall_at
from recsys.types import UNKNOWN, FloatArray, NumArray

VECTORS = np.diag([5.0, 4.0, 3.0, 3.0, 1.0]).astype(np.float32)
REFERENCE = ExactIndex.build(VECTORS, np.arange(5, dtype=np.int32))
ALL = np.ones((1, 5), dtype=np.float32)


class FixedIndex:
    """Answers every query with the same items."""

    kind = IndexKind.HNSW
    item_nums = REFERENCE.item_nums
    dim = 5

    def __init__(self, answer: Sequence[int]) -> None:
        self._answer = answer

    def search(
        self,
        queries: FloatArray,
        limit: int,
        allowed: Allowed = None,  # noqa: ARG002  # the protocol's name
    ) -> tuple[NumArray, FloatArray]:
        nums = np.full((len(queries), limit), UNKNOWN, dtype=np.int32)
        scores = np.full((len(queries), limit), -np.inf, dtype=np.float32)
        nums[:, : len(self._answer)] = self._answer
        scores[:, : len(self._answer)] = VECTORS[self._answer, self._answer]
        return nums, scores

    def save(self, folder: Path, name: str) -> None:
        raise AssertionError(folder, name)


@pytest.mark.parametrize(
    ("answer", "recall"),
    [
        ([0, 1, 2], 1.0),
        ([0, 1, 3], 1.0),  # as good as item 2
        ([0, 1, 4], 2 / 3),
        ([4], 0.0),
        ([0], 1 / 3),
    ],
)
def test_share_of_the_best_that_is_found(answer: list[int], recall: float) -> None:
    assert recall_at(FixedIndex(answer), REFERENCE, ALL, 3) == pytest.approx(recall)


def test_short_exact_lists_count_as_they_are() -> None:
    mask = np.array([True, False, True, False, False])
    assert recall_at(FixedIndex([0, 2]), REFERENCE, ALL, 4, mask) == 1.0
    assert recall_at(FixedIndex([0]), REFERENCE, ALL, 4, mask) == 0.5


def test_nothing_to_find_is_no_recall() -> None:
    with pytest.raises(ValueError, match="answer"):
        recall_at(REFERENCE, REFERENCE, ALL, 3, np.zeros(5, dtype=np.bool_))
