"""The items as the pipeline reads them: one row per item number."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from recsys.data.item_labels import ItemLabels
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.types import UNKNOWN, ItemId, NumArray, TimeArray


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """The catalogue in item number order."""

    items: Vocabulary[ItemId]
    frame: pl.DataFrame
    """`ITEM_SCHEMA` and attribute columns; row i is item number i."""
    group_nums: NumArray
    """Shape (items,): items that share a number are variants of one product."""
    category_nums: NumArray
    """Shape (items,): number of the full category path, `UNKNOWN` where there is none."""
    created_times: TimeArray
    """Shape (items,): when each came into the catalogue, `UNKNOWN` where nobody said."""
    removed: frozenset[int] = frozenset()
    """Numbers that stay, of items that callers have removed."""
    _labels: dict[tuple[str, int], ItemLabels] = field(
        default_factory=dict, init=False, repr=False
    )
    """What `labels` has answered."""

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Catalogue":
        """Numbers the items of a canonical items table.

        Raises:
            DataError: an item id stands twice.
        """
        items: Vocabulary[ItemId] = Vocabulary.from_ids(frame["item_id"])
        if len(items) != len(frame):
            twice = frame.filter(pl.col("item_id").is_duplicated())["item_id"][0]
            message = f"items: item_id {twice!r} stands in more than one row"
            raise DataError(message, item_id=twice)
        frame = frame.sort("item_id")
        group = pl.coalesce("g/" + pl.col("group_id"), "i/" + pl.col("item_id"))
        path = pl.col("category").list.join(" > ")
        numbers = frame.select(
            group=group.rank("dense").cast(pl.Int32) - 1,
            category=(path.rank("dense").cast(pl.Int32) - 1).fill_null(UNKNOWN),
            created=pl.col("created_at").dt.epoch("s").fill_null(UNKNOWN),
        )
        group_nums, category_nums, created_times = (column.to_numpy() for column in numbers)
        return cls(items, frame, group_nums, category_nums, created_times)

    def __len__(self) -> int:
        """Returns the number of items."""
        return len(self.items)

    def present(self, ids: Sequence[ItemId]) -> NumArray:
        """Returns the numbers of the items that are there, distinct, ascending."""
        nums: NumArray = np.unique(self.items.numbers(ids))
        nums = nums[nums >= 0]
        return nums[~np.isin(nums, list(self.removed))] if self.removed else nums

    def has(self, item_id: ItemId) -> bool:
        """Says whether the item is there."""
        number = self.items.number(item_id)
        return number is not None and number not in self.removed

    def rows(self, item_nums: Sequence[int], columns: Sequence[str]) -> list[tuple[object, ...]]:
        """Returns the named columns of some items, one tuple per item, in the order asked."""
        return self.frame.select(columns)[list(item_nums)].rows()

    def labels(self, column: str, depth: int = 0) -> ItemLabels:
        """Returns the items' labels in a column of text or `category`; read when first asked.

        Args:
            column: of the catalogue.
            depth: parts of a category's path from the widest; 0: all.
        """
        found = self._labels.get((column, depth))
        if found is None:
            found = ItemLabels.of(self.frame, column, depth)
            self._labels[column, depth] = found
        return found

    def same_category(self, item_nums: NumArray) -> NumArray:
        """Returns the items whose category path is that of any of `item_nums`, ascending."""
        wanted = np.unique(self.category_nums[item_nums])
        wanted = wanted[wanted != UNKNOWN]
        return np.flatnonzero(np.isin(self.category_nums, wanted)).astype(np.int32)
