"""What the catalogue says of items, as words: categories, brands, tags, attributes and titles."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from recsys.data.events import ITEM_SCHEMA
from recsys.errors import ConfigError

DEEPEST = 8
"""Levels of a category path that are told apart."""
WORDY = ("title", "category", "brand", "tags")
"""Columns of the schema that say what an item is."""


def word_columns(frame: pl.DataFrame, chosen: Sequence[str] | None) -> tuple[str, ...]:
    """Returns the columns to read: the chosen ones, or all that hold words.

    Args:
        frame: canonical items and attributes.
        chosen: columns of texts, lists of texts or booleans; None for all.

    Raises:
        ConfigError: a chosen column is missing or of another type.
    """
    wordy = [name for name, dtype in frame.schema.items() if _holds_words(name, dtype)]
    if chosen is None:
        return tuple(wordy)
    wrong = [name for name in chosen if name not in wordy]
    if wrong:
        message = f"columns names {', '.join(wrong)}; items have these words: {', '.join(wordy)}"
        raise ConfigError(message, columns=",".join(wrong))
    return tuple(chosen)


def _holds_words(name: str, dtype: pl.DataType) -> bool:
    if name in ITEM_SCHEMA:
        return name in WORDY
    return dtype in (pl.String, pl.Boolean, pl.List(pl.String))


def item_words(frame: pl.DataFrame, columns: Sequence[str], min_items: int) -> csr_array:
    """Returns items x words, float32: 1 where an item has a word.

    Args:
        frame: canonical items and attributes, row i is item number i.
        columns: from `word_columns`; the same text is another word in another column.
        min_items: words of fewer items are left out.
    """
    found = words_of(frame, columns).filter(pl.len().over("word") >= min_items)
    words = found["word"].rank("dense").to_numpy().astype(np.int32) - 1
    items = found["item"].to_numpy().astype(np.int32)
    ones = np.ones(len(found), dtype=np.float32)
    matrix = csr_array((ones, (items, words)), shape=(len(frame), int(words.max(initial=-1)) + 1))
    matrix.sort_indices()
    return matrix


def words_of(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Returns the distinct pairs of an item's row (`item`) and a word that it has (`word`)."""
    numbered = frame.select(columns).with_row_index("item")
    parts = [part for column in columns for part in _words(numbered, column)]
    nothing = pl.DataFrame(schema={"item": pl.UInt32(), "word": pl.String()})
    return pl.concat([nothing, *parts]).drop_nulls().unique()


def _words(numbered: pl.DataFrame, column: str) -> Iterator[pl.DataFrame]:
    """Yields columns item and word of one catalogue column."""
    dtype, value = numbered.schema[column], pl.col(column)
    word = (pl.lit(f"{column}=") + pl.col("word")).alias("word")
    if column == "category":
        # Every level is a word: what is near in the tree shares many.
        for depth in range(1, DEEPEST + 1):
            there = numbered.filter(value.list.len() >= depth)
            path = value.list.head(depth).list.join(" > ")
            yield there.select("item", word=path).with_columns(word)
    elif column == "title":
        words = value.str.to_lowercase().str.extract_all(r"\w+")
        yield numbered.select("item", word=words).explode("word").with_columns(word)
    elif dtype == pl.List(pl.String):
        yield numbered.select("item", word=value).explode("word").with_columns(word)
    else:
        yield numbered.select("item", word=value.cast(pl.String)).with_columns(word)
