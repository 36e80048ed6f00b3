"""Finds a column, which nothing uses, that says which rows were given back or cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from recsys.data.event_names import bare
from recsys.data.reading import cells
from recsys.data.reading.mapping import FileMapping

SAMPLE_ROWS = 500_000
"""Rows of the first file that are looked at, at most."""
_MOST_VALUES = 50
"""A column with more different texts is no status."""
_BACK = frozenset(
    {
        *("refund", "refunded", "fullyrefunded", "return", "returned", "reversed", "chargeback"),
        *(
            "cancel",
            "canceled",
            "cancelled",
            "cancellation",
            "void",
            "voided",
            "failed",
            "declined",
        ),
        *(
            "storno",
            "storniert",
            "retoure",
            "retour",
            "erstattet",
            "gutschrift",
            "annulé",
            "annulée",
        ),
        *("remboursé", "remboursée", "reembolsado", "devuelto", "devolución", "cancelado"),
        *("반품", "환불", "취소", "주문취소", "返品", "キャンセル"),
    }
)
"""What such rows are called, as `bare` writes it."""


@dataclass(frozen=True, slots=True)
class BackColumn:
    """A column with such words."""

    column: str
    words: tuple[str, ...]
    """As the file has them."""
    rows: int
    """Rows of the sample with one of them."""
    sample: int


def find_back_column(
    rows: pl.DataFrame, unused: Sequence[str], mapping: FileMapping
) -> BackColumn | None:
    """Returns the column in which the most rows have such a word.

    Args:
        rows: the first rows of a file.
        unused: columns that nothing uses.
        mapping: says which texts mean "no value".
    """
    sample = rows.head(SAMPLE_ROWS)
    found = [
        column
        for name in unused
        if name in sample.schema and (column := _back_column(sample, name, mapping))
    ]
    return max(found, key=lambda column: column.rows, default=None)


def _back_column(sample: pl.DataFrame, name: str, mapping: FileMapping) -> BackColumn | None:
    dtype = sample.schema[name]
    if not isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return None
    texts = sample.select(
        cells.text(name, dtype, mapping).cast(pl.String).alias("text")
    ).to_series()
    counts = dict(texts.drop_nulls().value_counts(sort=True).head(_MOST_VALUES + 1).iter_rows())
    words = tuple(word for word in counts if bare(word) in _BACK)
    if len(counts) > _MOST_VALUES or not words:
        return None
    return BackColumn(name, words, sum(counts[word] for word in words), len(sample))
