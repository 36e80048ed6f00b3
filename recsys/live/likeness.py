"""Which of the items that a bundle has learned from a new item is most like, by their content.

Cosine of weighted words (Salton and Buckley, Term-weighting approaches in automatic text
retrieval, 1988): a word that few items have says more. An exact search over all learned items; it
is meant for the thousands of items that come between two bundles, not for a catalogue.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.sparse import csr_array, diags_array

from recsys.models.item_words import word_columns, words_of
from recsys.types import FloatArray, NumArray

BLOCK = 50
"""Items whose products with all learned items are held at once: some 20 MB for 100,000."""


class Nearest(NamedTuple):
    """The learned items that some items are most like, the most alike first."""

    item_nums: NumArray
    """Shape (items, count); 0 where `similarities` is 0."""
    similarities: FloatArray
    """Shape (items, count), 0 to 1; 0 where there is none."""

    @classmethod
    def none(cls, items: int, count: int) -> "Nearest":
        """Returns what is known of items that are like no other."""
        return cls(np.zeros((items, count), np.int32), np.zeros((items, count), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """The words of the learned items, as vectors of length 1."""

    columns: tuple[str, ...]
    """Catalogue columns that are read."""
    item_nums: NumArray
    """Shape (learned,), ascending."""
    words: pl.DataFrame
    """Columns word, place and weight: what each word of a learned item counts."""
    by_word: csr_array
    """Words x learned items, float32."""

    @classmethod
    def of(cls, frame: pl.DataFrame, item_nums: NumArray) -> "Likeness":
        """Reads a catalogue; about 2 s for 100,000 items.

        Args:
            frame: canonical items and attributes, row i is item number i.
            item_nums: items that were learned from, ascending.
        """
        columns = word_columns(frame, None)
        found = words_of(frame[item_nums], columns)
        words = found.group_by("word").len().sort("word").with_row_index("place")
        weight = (1.0 + len(item_nums) / pl.col("len")).log().cast(pl.Float32)
        words = words.select("word", "place", weight=weight)
        matrix = _unit_rows(found, words, len(item_nums))
        by_word = csr_array(matrix.T)
        by_word.sort_indices()
        return cls(columns, item_nums, words, by_word)

    def nearest(self, rows: pl.DataFrame, count: int) -> Nearest:
        """Returns the `count` learned items that each row of a catalogue is most like.

        Words that no learned item has are not counted. Equal ones stand by number.
        """
        vectors = _unit_rows(words_of(rows, self.columns), self.words, len(rows))
        nearest = Nearest.none(len(rows), count)
        for start in range(0, len(rows), BLOCK):
            products = csr_array(vectors[start : start + BLOCK] @ self.by_word)
            for row, (begin, end) in enumerate(
                zip(products.indptr[:-1], products.indptr[1:], strict=True), start=start
            ):
                places, cosines = products.indices[begin:end], products.data[begin:end]
                if len(cosines) > count:
                    bar = np.partition(cosines, len(cosines) - count)[len(cosines) - count]
                    places, cosines = places[cosines >= bar], cosines[cosines >= bar]
                best = np.lexsort((places, -cosines))[:count]
                nearest.item_nums[row, : len(best)] = self.item_nums[places[best]]
                nearest.similarities[row, : len(best)] = np.minimum(cosines[best], 1.0)
        return nearest


def _unit_rows(found: pl.DataFrame, words: pl.DataFrame, count: int) -> csr_array:
    """Returns items x words, float32, rows of length 1 or 0."""
    known = found.join(words, on="word", how="inner")
    entries = (
        known["weight"].to_numpy(),
        (known["item"].to_numpy().astype(np.int32), known["place"].to_numpy().astype(np.int32)),
    )
    matrix = csr_array(entries, shape=(count, len(words)), dtype=np.float32)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = diags_array((1.0 / np.maximum(lengths, 1e-12)).astype(np.float32))
    return csr_array(scale @ matrix)
