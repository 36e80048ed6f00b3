"""Fills the lines of an order with what stands on its first line alone."""

from dataclasses import dataclass, field

import polars as pl

from recsys.data.reading.literal import column
from recsys.data.reading.mapping_parts import FillDown

_PART, _BEGINS = "__part__", "__begins__"


@dataclass(slots=True)
class DownFiller:
    """Fills batch after batch of one file; an order may go on in the next batch."""

    settings: FillDown
    missing: tuple[str, ...]
    """Texts that mean "no value"."""
    _above: pl.DataFrame | None = field(default=None, repr=False)
    """The last row of the batch before, filled: order number and filled columns."""

    def fill(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Returns the rows with empty cells filled from the lines above, within each order.

        An order is a run of lines with one number; a line without a number takes nothing.
        """
        settings = self.settings
        columns = [name for name in settings.columns if name in rows.columns]
        if settings.by not in rows.columns or not columns or rows.is_empty():
            return rows
        named = dict.fromkeys((settings.by, *columns))
        cells = rows.select(
            _value(name, rows.schema[name], self.missing).alias(name) for name in named
        )
        first = settings.first if settings.first in rows.columns else None
        begins = pl.Series(_BEGINS, [False]).new_from_index(0, len(rows))
        if first is not None:
            value = _value(first, rows.schema[first], self.missing)
            begins = rows.select(value.is_not_null().alias(_BEGINS)).to_series()
        table = cells.hstack([begins])
        if self._above is not None:
            table = pl.concat([self._above, table], how="vertical_relaxed")
        number = table[settings.by].alias("number")
        new = table[_BEGINS] | number.is_null() | number.ne_missing(number.shift(1))
        part = new.cast(pl.UInt32).cum_sum().alias(_PART)
        filled = table.hstack([part]).with_columns(
            column(name).forward_fill().over(_PART).alias(name) for name in columns
        )
        self._above = filled.tail(1).drop(_PART)
        return rows.with_columns(filled.tail(len(rows))[name] for name in named)


def _value(name: str, dtype: pl.DataType, missing: tuple[str, ...]) -> pl.Expr:
    """Returns a column in which texts that mean "no value" are null."""
    cell = column(name)
    if dtype != pl.String():
        return cell
    return pl.when(~cell.str.strip_chars().is_in(list(missing))).then(cell)
