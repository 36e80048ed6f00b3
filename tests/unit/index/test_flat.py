"""The scan of every row: a filter's rows are found the same however FAISS is told of them."""

import numpy as np
import pytest

from recsys.index import flat
from recsys.index.flat import FlatIndex


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
def test_listed_rows_and_marked_rows_give_the_same_bits(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(3)
    vectors = np.round(random.standard_normal((3_000, 12)), 1).astype(np.float32)
    vectors[1_000:2_000] = vectors[:1_000]  # equal scores, also at the cut
    index = FlatIndex.build(vectors, np.arange(0, 6_000, 2, dtype=np.int32))
    queries = random.standard_normal((8, 12)).astype(np.float32)
    mask = random.random(6_000) < share
    found = []
    for listed_share in (0.0, 2.0):
        monkeypatch.setattr(flat, "LISTED_SHARE", listed_share)
        nums, scores = index.search(queries, 20, mask)
        found.append((nums.tobytes(), scores.tobytes()))
        assert mask[nums[nums >= 0]].all()
    assert found[0] == found[1]
