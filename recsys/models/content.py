"""Content: items are alike whose catalogue rows say the same, sold or not.

Term weighting as in text retrieval (Sparck Jones, A statistical interpretation of term specificity
and its application in retrieval, 1972): a word that few items have says more. A customer's profile
is the sum of the words bought, and an item scores what its words have there. No event of an item
is needed, only its row in the catalogue: what came in today can be recommended today.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array, diags_array

from recsys.models.history import heaviest_items
from recsys.models.item_words import item_words, word_columns
from recsys.models.protocol import Arrays, TrainingData, WeightedConfig
from recsys.types import FloatArray, NumArray


class Content(WeightedConfig):
    """Reads the catalogue; events only say what a customer's history is."""

    kind: Literal["content"] = "content"
    columns: tuple[str, ...] | None = None
    """Catalogue columns to read; none: title, category, brand, tags, and all attributes that are
    texts, lists of texts or booleans."""
    rarity_power: float = Field(default=1.0, ge=0)
    """What two items share by a word is divided by the number of its items to this power."""
    min_items: int = Field(default=2, ge=1)
    """Words that fewer items have are left out: they bring no two items together."""
    half_life_days: float | None = Field(default=120.0, gt=0)
    """Days after which an event of a history weighs half; none: events do not fade."""
    history_limit: int = Field(default=200, ge=1)
    """Items of one history that count, heaviest first."""

    def fit(self, data: TrainingData) -> "ContentModel":
        """Weighs the words of every item.

        Raises:
            ConfigError: a column is not in the catalogue, or holds no words.
        """
        frame = data.catalogue.frame
        words = item_words(frame, word_columns(frame, self.columns), self.min_items)
        items = np.bincount(words.indices, minlength=words.shape[1])
        # Half the power on each of the two items that share a word.
        weights = np.maximum(items, 1.0) ** (-self.rarity_power / 2)
        return ContentModel(csr_array(words @ diags_array(weights), dtype=np.float32))

    def history(self, item_nums: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items of a history that count, ascending, and what each counts."""
        return heaviest_items(item_nums, weights, self.history_limit)

    def restore(self, arrays: Arrays) -> "ContentModel":
        """Returns the model with these arrays."""
        shape = (len(arrays["offsets"]) - 1, int(arrays["word_count"][0]))
        entries = (arrays["weights"], arrays["words"], arrays["offsets"])
        return ContentModel(csr_array(entries, shape=shape))


@dataclass(frozen=True, slots=True, eq=False)
class ContentModel:
    """The weighted words of all items."""

    words: csr_array
    """Items x words, float32."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {
            "weights": self.words.data,
            "words": self.words.indices,
            "offsets": self.words.indptr,
            "word_count": np.array([self.words.shape[1]], dtype=np.int64),
        }

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items that share words with the seeds; one pass over the catalogue.

        Args:
            seeds: item numbers, distinct, shape (seeds,).
            weights: what each counts, shape (seeds,).

        Returns:
            Item numbers, ascending, and scores, both shape (items,).
        """
        profile = self.words[seeds].T @ weights
        sums = self.words @ profile
        found = np.flatnonzero(sums > 0)
        return found.astype(np.int32), sums[found].astype(np.float32, copy=False)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        parts = (self.words[item_nums] @ self.words[seeds].T).toarray() * weights
        strongest: NumArray = seeds[np.argmax(parts, axis=1)]
        return strongest
