"""What every source would have said to customers whose later choices are known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.metrics.hits import ValueArray
from recsys.pipeline.blend import LEAST_BOOST
from recsys.types import BoolArray, FloatArray, NumArray

_PLACE_BITS = 20
"""Of a sort key: more candidates than anybody can have."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Candidates of many customers, scored by every source, with what each then chose.

    Rows of customers with fewer candidates are padded with shares of 0.
    """

    columns: tuple[str, ...]
    """The sources, in the order of the last axis of `shares`."""
    shares: FloatArray
    """Shape (sources, customers, candidates) float32: as `pool` gives them."""
    relevant: BoolArray
    """Shape (customers, candidates): what the customer then chose."""
    truth_sizes: NumArray
    """Shape (customers,): right items there are, among the candidates or not."""
    k: int
    """Places of a list that count."""
    last_factors: dict[tuple[str, float], FloatArray] = field(default_factory=dict)
    """Of the boost that was asked for last: a search asks for the same one many times."""

    def column(self, name: str) -> FloatArray:
        """Returns one source's shares, shape (customers, candidates)."""
        shares: FloatArray = self.shares[self.columns.index(name)]
        return shares

    def factors(self, name: str, power: float) -> FloatArray:
        """Returns what `boost_factors` would multiply by, shape (customers, candidates)."""
        if (name, power) not in self.last_factors:
            shares = self.column(name)
            most = np.maximum(shares.max(axis=1, keepdims=True), np.float32(1e-12))
            found = ((shares / most + LEAST_BOOST) ** power).astype(np.float32)
            self.last_factors.clear()
            self.last_factors[name, power] = found
        return self.last_factors[name, power]

    def ndcg(self, totals: FloatArray) -> ValueArray:
        """Returns each customer's ndcg@k of the candidates ordered by totals, float64.

        The definition of `recsys.metrics.ndcg` and the order of `recsys.pipeline.blend`: ties go
        by place, and what has no score above 0 is not in the list.

        Args:
            totals: shape (customers, candidates) float32, at least 0.
        """
        width = totals.shape[1]
        k = min(self.k, width)
        # Bits of floats from 0 on are in the order of the floats; the places make keys distinct.
        keys = totals.view(np.int32).astype(np.int64) << _PLACE_BITS
        keys |= np.arange(width - 1, -1, -1, dtype=np.int64)
        best = np.partition(keys, width - k, axis=1)[:, width - k :]
        best.sort(axis=1)
        best = best[:, ::-1]
        places = width - 1 - (best & ((1 << _PLACE_BITS) - 1))
        hits = np.take_along_axis(self.relevant, places, axis=1)
        hits &= best >> _PLACE_BITS > 0
        discounts = 1.0 / np.log2(np.arange(2, self.k + 2, dtype=np.float64))
        ideal = np.cumsum(discounts)[np.minimum(self.truth_sizes, self.k) - 1]
        gains: ValueArray = hits @ discounts[:k] / ideal
        return gains


def stack(
    columns: Sequence[str],
    lists: Sequence[tuple[NumArray, FloatArray]],
    truths: Sequence[NumArray],
    k: int,
) -> Evidence:
    """Pads the candidates of many customers to one array.

    Args:
        columns: names of the sources.
        lists: of each customer: item numbers (rows,), and shares (rows, sources).
        truths: of each customer: the right items' numbers; at least one, ascending.
        k: places of a list that count.
    """
    most = max((len(nums) for nums, _ in lists), default=0)
    shares = np.zeros((len(columns), len(lists), max(most, 1)), dtype=np.float32)
    relevant: NDArray[np.bool_] = np.zeros(shares.shape[1:], dtype=bool)
    for row, ((nums, values), truth) in enumerate(zip(lists, truths, strict=True)):
        shares[:, row, : len(nums)] = values.T
        relevant[row, : len(nums)] = np.isin(nums, truth)
    sizes = np.array([len(truth) for truth in truths], dtype=np.int32)
    return Evidence(tuple(columns), shares, relevant, sizes, k)
