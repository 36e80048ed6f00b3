"""What one model says to many customers, and what several say side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.choice.evidence import Evidence
from recsys.choice.gather import CANDIDATES
from recsys.pipeline.blend import HEAD
from recsys.pipeline.scores import Scored
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray

DEPTH = 500
"""Best items kept of each customer's; what a model would say of others counts as nothing."""
_ROW_BITS = 32
_Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The best items of each customer, best first."""

    item_nums: NumArray
    """Shape (customers, places) int32, padded with `UNKNOWN`."""
    shares: FloatArray
    """Shape (customers, places) float32: scores over the sum of the `HEAD` best."""

    def joined(self, more: "Column") -> "Column":
        """Returns these customers' rows, and then the others'."""
        nums, shares = zip(*((each.item_nums, each.shares) for each in (self, more)), strict=True)
        width = max(part.shape[1] for part in nums)
        return Column(
            np.concatenate([_wide(part, width, UNKNOWN) for part in nums]),
            np.concatenate([_wide(part, width, 0) for part in shares]),
        )


def column_of(lists: Sequence[Scored]) -> Column:
    """Returns the column of lists, each best first, all scores above 0."""
    width = max((len(nums) for nums, _ in lists), default=0)
    item_nums = np.full((len(lists), width), UNKNOWN, dtype=np.int32)
    shares = np.zeros((len(lists), width), dtype=np.float32)
    for row, (nums, scores) in enumerate(lists):
        item_nums[row, : len(nums)] = nums
        shares[row, : len(nums)] = scores / scores[:HEAD].sum() if len(nums) else 0
    return Column(item_nums, shares)


def evidence_of(columns: Mapping[str, Column], truths: Sequence[NumArray], k: int) -> Evidence:
    """Puts columns side by side: the candidates are the best of each, scored by all.

    Args:
        columns: by name, of the same customers.
        truths: of each customer, or of more: the right items' numbers, at least one.
        k: places of a list that count.
    """
    customers = len(next(iter(columns.values())).item_nums)
    keys = {name: _keys(column.item_nums) for name, column in columns.items()}
    best = [each[:, :CANDIDATES].ravel() for each in keys.values()]
    union = np.unique(np.concatenate(best))
    union = union[union >= 0]
    rows = (union >> _ROW_BITS).astype(np.int64)
    sizes = np.bincount(rows, minlength=customers)
    places = np.arange(len(union)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = (customers, max(int(sizes.max(initial=0)), 1))
    shares = np.zeros((len(columns), *shape), dtype=np.float32)
    for number, (name, column) in enumerate(columns.items()):
        shares[number, rows, places] = _found(keys[name], column.shares, union)
    relevant: BoolArray = np.zeros(shape, dtype=bool)
    right = np.concatenate(
        [
            truth.astype(np.int64) | (row << _ROW_BITS)
            for row, truth in enumerate(truths[:customers])
        ]
    )
    relevant[rows, places] = np.isin(union, right)
    truth_sizes = np.array([len(truth) for truth in truths[:customers]], dtype=np.int32)
    return Evidence(tuple(columns), shares, relevant, truth_sizes, k)


def _keys(item_nums: NumArray) -> _Keys:
    """Returns one number for each customer and item; -1 where there is none."""
    rows = np.arange(len(item_nums), dtype=np.int64)[:, None] << _ROW_BITS
    return np.where(item_nums >= 0, rows | item_nums.astype(np.int64), -1)


def _found(keys: _Keys, shares: FloatArray, union: _Keys) -> FloatArray:
    """Returns the shares of the union's keys, 0 where a column does not have one."""
    found = np.zeros(len(union), dtype=np.float32)
    flat = keys.ravel()
    if not len(flat):
        return found
    order = np.argsort(flat, kind="stable")
    near = order[np.minimum(np.searchsorted(flat, union, sorter=order), len(flat) - 1)]
    known = flat[near] == union
    found[known] = shares.ravel()[near[known]]
    return found


def _wide(part: NDArray[np.generic], width: int, fill: int) -> NDArray[np.generic]:
    return np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=fill)
