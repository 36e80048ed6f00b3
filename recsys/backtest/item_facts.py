"""What the training side says of every item, as arrays for the metrics beyond accuracy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from recsys.data.splits import Split
from recsys.metrics.hits import ValueArray
from recsys.types import NumArray


@dataclass(frozen=True, slots=True, eq=False)
class ItemFacts:
    """One entry for each of `Split.items`."""

    popularity: ValueArray
    """Shape (items,): share of the training buyers who bought the item."""
    bestsellers: NumArray
    """Shape (items,) int32: item numbers by falling popularity; ties by number."""
    prices: ValueArray
    """Shape (items,): of the catalogue, in the shop's currency; NaN where it has none."""
    costs: ValueArray
    """Shape (items,): as `prices`."""
    paths: csr_array
    """Shape (items, category paths) float64: 1 at every level of the item's path, widest first."""
    departments: csr_array
    """Shape (items, widest categories) float64: 1 at the item's; rows of zeros where unknown."""


def item_facts(split: Split) -> ItemFacts:
    """Looks up the items of a split in its training catalogue; who is not in it has no facts."""
    ids = pl.DataFrame({"item_id": split.items.series()})
    catalogue = split.train.items.select("item_id", "category", "price", "cost")
    rows = ids.join(catalogue, on="item_id", how="left", maintain_order="left")
    return ItemFacts(
        popularity=split.buyers / max(split.train_buyers, 1),
        bestsellers=np.argsort(-split.buyers, kind="stable").astype(np.int32),
        prices=_numbers(rows["price"]),
        costs=_numbers(rows["cost"]),
        paths=path_levels(rows["category"]),
        departments=path_levels(rows["category"], deepest=1),
    )


def path_levels(categories: pl.Series, *, deepest: int | None = None) -> csr_array:
    """Says of every category path which paths it lies on: itself and all that it is part of.

    Paths of length a and b that begin with the same c levels have the cosine c / sqrt(a b).

    Args:
        categories: List(String), a path each, widest first; null where there is none.
        deepest: levels that count; all where None.

    Returns:
        Shape (len(categories), distinct paths) float64, 0 or 1; paths in the order of rows.
    """
    numbers: dict[tuple[str, ...], int] = {}
    rows, columns = [], []
    for row, path in enumerate(categories.to_list()):
        for level in _levels(path, deepest):
            rows.append(row)
            columns.append(numbers.setdefault(level, len(numbers)))
    shape = (len(categories), max(len(numbers), 1))
    return csr_array((np.ones(len(rows), dtype=np.float64), (rows, columns)), shape=shape)


def _levels(path: list[str] | None, deepest: int | None) -> Iterator[tuple[str, ...]]:
    names = tuple(path or ())[:deepest]
    return (names[: depth + 1] for depth in range(len(names)))


def _numbers(column: pl.Series) -> ValueArray:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
