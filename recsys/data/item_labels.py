"""Labels of items: their categories, their brands, or any other column of text."""

from dataclasses import dataclass

import polars as pl

from recsys.types import UNKNOWN, NumArray

CATEGORY = "category"
_BETWEEN = "\x1f"
"""Between the parts of a path, where they are joined."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemLabels:
    """The label that each item has in one column."""

    labels: tuple[tuple[str, ...], ...]
    """Distinct, in order; of categories the path, widest first."""
    label_nums: NumArray
    """Shape (items,): place of each item's label, `UNKNOWN` where it has none."""

    @classmethod
    def of(cls, frame: pl.DataFrame, column: str, depth: int) -> "ItemLabels":
        """Reads the labels of a catalogue.

        Args:
            frame: the items, in number order.
            column: `category`, or a column of text.
            depth: parts of a category's path from the widest; 0: all.
        """
        text = pl.col(column)
        if column == CATEGORY:
            path = text if depth == 0 else text.list.head(depth)
            text = pl.when(text.list.len() > 0).then(path.list.join(_BETWEEN))
        texts = frame.select(text.alias("text"))["text"]
        distinct = texts.drop_nulls().unique().sort()
        nums = texts.rank("dense").cast(pl.Int32) - 1
        labels = tuple(
            tuple(each.split(_BETWEEN)) if column == CATEGORY else (each,)
            for each in distinct.to_list()
        )
        return cls(labels, nums.fill_null(UNKNOWN).to_numpy())


def can_label(column: str, dtype: pl.DataType | None) -> bool:
    """Says whether a column of this type has labels: text has, and `category`; None: no column."""
    return dtype == pl.String or (column == CATEGORY and dtype is not None)
