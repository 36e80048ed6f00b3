"""From item numbers to index rows and back: the part of a search that all indexes share."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.index.protocol import Allowed
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray

RowArray: TypeAlias = NDArray[np.int64]

ScalarT = TypeVar("ScalarT", bound=np.generic)

RowScan: TypeAlias = Callable[[FloatArray, int, BoolArray | None], tuple[RowArray, FloatArray]]
"""Finds the best rows for one query (dim,): takes how many are wanted (at most as many as are
allowed, at least 1) and the allowed rows (rows,) or None. Returns rows and scores, distinct, in
any order."""


def checked_vectors(vectors: FloatArray, item_nums: NumArray) -> tuple[FloatArray, NumArray]:
    """Returns both arrays contiguous and read-only.

    Args:
        vectors: shape (rows, dim) float32, finite, dim at least 1.
        item_nums: shape (rows,) int32, distinct, ascending, not negative.

    Raises:
        ValueError: the arrays are not as described.
    """
    if item_nums.ndim != 1 or (item_nums[:1] < 0).any() or (np.diff(item_nums) <= 0).any():
        message = "item numbers must be a flat array, distinct, ascending and not negative"
        raise ValueError(message)
    if vectors.shape[:1] != item_nums.shape or len(vectors.shape[1:]) != 1 or not vectors.shape[1]:
        message = f"vectors {vectors.shape} do not fit {item_nums.size} item numbers"
        raise ValueError(message)
    if not np.isfinite(vectors).all():
        message = "item vectors must be finite"
        raise ValueError(message)
    return read_only(vectors, np.float32), read_only(item_nums, np.int32)


def read_only(array: NDArray[np.generic], dtype: type[ScalarT]) -> NDArray[ScalarT]:
    """Returns a contiguous view or copy of `array` that cannot be written through."""
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def nums_file(folder: Path, name: str) -> Path:
    """Returns where an index keeps the item numbers of its rows."""
    return folder / f"{name}.item_nums.npy"


def search_rows(
    scan: RowScan,
    item_nums: NumArray,
    dim: int,
    *,
    queries: FloatArray,
    limit: int,
    allowed: Allowed,
) -> tuple[NumArray, FloatArray]:
    """Answers a batch as `VectorIndex.search` promises, with `scan` called once per query.

    One query at a time, because BLAS gives different last bits for different batch shapes.
    """
    queries = _checked_queries(queries, dim, limit)
    nums = np.full((len(queries), limit), UNKNOWN, dtype=np.int32)
    scores = np.full((len(queries), limit), -np.inf, dtype=np.float32)
    masks = _row_masks(item_nums, len(queries), allowed)
    for place, (query, (mask, available)) in enumerate(zip(queries, masks, strict=True)):
        wanted = min(limit, available)
        if wanted == 0:
            continue
        rows, found = scan(query, wanted, mask)
        best = np.lexsort((rows, -found))
        nums[place, : len(best)] = item_nums[rows[best]]
        scores[place, : len(best)] = found[best]
    return nums, scores


def _checked_queries(queries: FloatArray, dim: int, limit: int) -> FloatArray:
    if limit < 1:
        message = f"limit {limit} is below 1"
        raise ValueError(message)
    if queries.shape[1:] != (dim,):
        message = f"queries {queries.shape} are not (queries, {dim})"
        raise ValueError(message)
    # FAISS answers a NaN query with row -1, which numpy would read as the last item.
    if not np.isfinite(queries).all():
        message = "queries must be finite"
        raise ValueError(message)
    return np.ascontiguousarray(queries, dtype=np.float32)


def _row_masks(
    item_nums: NumArray, count: int, allowed: Allowed
) -> Iterator[tuple[BoolArray | None, int]]:
    """Yields each query's allowed rows (None: all) and how many they are."""
    previous: BoolArray | None = None
    rows: BoolArray | None = None
    available = len(item_nums)
    for mask in _mask_of_each(allowed, count):
        if mask is None:
            yield None, len(item_nums)
            continue
        if mask is not previous:
            rows = _rows_of(item_nums, mask)
            available = int(np.count_nonzero(rows))
            if available == len(item_nums):
                rows = None  # nothing to leave out: the plain scan is faster
            previous = mask
        yield rows, available


def _mask_of_each(allowed: Allowed, count: int) -> Sequence[BoolArray | None]:
    if allowed is None or isinstance(allowed, np.ndarray):
        return [allowed] * count
    if len(allowed) != count:
        message = f"{len(allowed)} masks for {count} queries"
        raise ValueError(message)
    return allowed


def _rows_of(item_nums: NumArray, mask: BoolArray) -> BoolArray:
    if mask.dtype != np.bool_ or mask.ndim != 1:
        message = "a mask must be a flat bool array"
        raise ValueError(message)
    if item_nums.size and mask.size <= item_nums[-1]:
        message = f"a mask of {mask.size} items does not reach item {item_nums[-1]}"
        raise ValueError(message)
    return mask[item_nums]
