"""Which items may be shown: availability and the caller's filter, in one market or in none."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import TypeAlias, TypeVar, cast

import numpy as np
import polars as pl

from recsys.errors import InvalidQueryError
from recsys.live.filter_parameters import Parameters
from recsys.live.filters import compile_filter
from recsys.types import BoolArray, NumArray

CACHE_SIZE = 128
"""Masks kept; one takes a byte per item."""

SHELF_SIZE = 256
"""Other tables kept that follow from the catalogue alone."""

TableT = TypeVar("TableT")
Markets: TypeAlias = Mapping[str, pl.DataFrame]
"""By market the items that name it: row, and `available` and `price` there."""


class Eligibility:
    """Answers filters over one catalogue; safe to call from several threads.

    A market replaces an item's `available` and `price` by its own: an item that does not name
    the market is not available there, one that names no availability is, and a price that the
    market does not state is missing. Where an item names a market twice, the first one counts.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        *,
        markets: Markets | None = None,
        cache_size: int = CACHE_SIZE,
    ) -> None:
        """Takes the catalogue in item number order, with the columns of `ITEM_SCHEMA`.

        Args:
            frame: row i is item number i.
            markets: what `by_market` gives for the frame; None: found out here.
            cache_size: masks kept.
        """
        self._frame = frame.drop("markets")
        self._schema = dict(self._frame.schema)
        self.markets = by_market(frame) if markets is None else markets
        self._masks = _Shelf(cache_size)
        self._tables = _Shelf(SHELF_SIZE)

    def mask(self, filter_text: str, market: str | None, parameters: Parameters = ()) -> BoolArray:
        """Returns which items are available and pass the filter.

        Args:
            filter_text: SQL boolean expression (`docs/filters.md`); blank: none.
            market: where availability and price are taken from; None: from the item itself.
            parameters: values for `:name` in the expression.

        Returns:
            Shape (n_items,) bool, read-only and shared between callers.

        Raises:
            InvalidFilterError: the filter is malformed or names something unknown.
            InvalidQueryError: no item of the catalogue names this market.
        """
        # By what is written, because 1, 1.0 and TRUE are equal as keys.
        key = (filter_text, repr(parameters) if parameters else "", market)
        return self._masks.kept(key, lambda: self._computed(filter_text, market, parameters))

    def table(self, key: Hashable, make: Callable[[], TableT]) -> TableT:
        """Returns what was made for a key, made once while this catalogue lives.

        Args:
            key: names the table and all that it depends on besides the catalogue.
            make: makes it; two threads may do so at the same time.
        """
        return self._tables.kept(key, make)

    def frame(self, market: str | None) -> pl.DataFrame:
        """Returns the catalogue with the availability and the prices of a market.

        Raises:
            InvalidQueryError: no item of the catalogue names this market.
        """
        return self._frame if market is None else self._in_market(market)

    def _computed(self, filter_text: str, market: str | None, parameters: Parameters) -> BoolArray:
        passes = pl.col("available")
        if filter_text.strip():
            passes &= compile_filter(filter_text, self._schema, parameters)
        frame = self.frame(market)
        mask = frame.select(passes.fill_null(value=False)).to_series().to_numpy()
        mask.flags.writeable = False
        return mask

    def _in_market(self, market: str) -> pl.DataFrame:
        rows = self.markets.get(market)
        if rows is None:
            raise InvalidQueryError("market", f"no item names the market {market[:40]!r}")
        places = rows["row"].to_numpy()
        available = np.zeros(self._frame.height, dtype=np.bool_)
        available[places] = rows["available"].to_numpy()
        prices = np.full(self._frame.height, np.nan)
        prices[places] = rows["price"].fill_null(np.nan).to_numpy()
        return self._frame.with_columns(
            pl.Series("available", available), pl.Series("price", prices).fill_nan(None)
        )


class _Shelf:
    """Keeps the values that were asked for last; safe to call from several threads."""

    def __init__(self, size: int) -> None:
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._size = size
        self._lock = Lock()

    def kept(self, key: Hashable, make: Callable[[], TableT]) -> TableT:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast("TableT", self._kept[key])
        # Outside the lock: a new value takes milliseconds, and kept ones need not wait.
        value = make()
        with self._lock:
            self._kept[key] = value
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return value


def by_market(frame: pl.DataFrame) -> Markets:
    """Returns per market the rows of a catalogue that name it."""
    named = (
        frame.select("markets")
        .with_row_index("row")
        .explode("markets")
        .drop_nulls("markets")
        .unnest("markets")
        .drop_nulls("market")
        .unique(["row", "market"], keep="first", maintain_order=True)
        .with_columns(pl.col("available").fill_null(value=True))
    )
    parts = named.partition_by("market", as_dict=True)
    return {str(market): rows for (market,), rows in parts.items()}


def replaced_markets(markets: Markets, item_nums: NumArray, rows: pl.DataFrame) -> Markets:
    """Returns markets in which some items say something else.

    Args:
        markets: before.
        item_nums: of these items, shape (rows,), distinct.
        rows: of the catalogue, in the same order.
    """
    fresh = by_market(rows)
    places = pl.Series("row", item_nums, pl.UInt32)
    found = {}
    for market in markets.keys() | fresh.keys():
        parts = []
        if market in markets:
            parts.append(markets[market].filter(~pl.col("row").is_in(places.implode())))
        if market in fresh:
            parts.append(fresh[market].with_columns(row=places.gather(fresh[market]["row"])))
        merged = pl.concat(parts)
        if len(merged):
            found[market] = merged
    return found
