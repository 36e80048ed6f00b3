"""Counts in which currencies the prices of a file are."""

from collections import Counter

import polars as pl

from recsys.data.event_names import bare
from recsys.data.reading.currency import currencies
from recsys.data.reading.looks.effects import Sources

_PRICES = ("unit_price", "price", "list_price")
_NAMES = ("currency", "currencycode", "currencyiso", "ordercurrency", "pricecurrency")
_SAMPLE = 20_000
"""Rows of each batch that are looked at."""


class CurrencyCounts:
    """Counts the currencies of one table's prices in samples of its rows."""

    def __init__(self) -> None:
        """Starts with no price."""
        self.beside_prices: Counter[str] = Counter()
        self.in_column: dict[str, Counter[str]] = {}
        """Column that names currencies -> rows of each."""

    def look(self, rows: pl.DataFrame, sources: Sources) -> None:
        """Takes rows as the file has them."""
        sample = rows.head(_SAMPLE)
        for ours in _PRICES:
            for column in sources.get(ours, ()):
                if column in sample.columns:
                    self.beside_prices.update(currencies(sample[column]))
        for column in sample.columns:
            if sample.schema[column] == pl.String() and bare(column.split(".")[-1]) in _NAMES:
                counts = sample[column].str.strip_chars().drop_nulls().value_counts()
                named = {str(name): int(count) for name, count in counts.iter_rows() if name}
                self.in_column.setdefault(column, Counter()).update(named)
