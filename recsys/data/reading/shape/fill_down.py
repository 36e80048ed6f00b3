"""Fills the lines of an order with what stands on its first line alone."""

from dataclasses import dataclass, field

import polars as pl

from recsys.data.reading.mapping_parts import FillDown

_PART = "__part__"


@dataclass(slots=True)
class DownFiller:
    """Fills batch after batch of one file; an order may go on in the next batch."""

    settings: FillDown
    missing: tuple[str, ...]
    """Texts that mean "no value"."""
    _above: pl.DataFrame | None = field(default=None, repr=False)
    """The last row of the batch before, filled: order number and filled columns."""

    def fill(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Returns the rows with empty cells filled from the lines above, within each order."""
        settings = self.settings
        columns = [name for name in settings.columns if name in rows.columns]
        if settings.by not in rows.columns or not columns or rows.is_empty():
            return rows
        rows = rows.with_columns(
            _value(name, rows.schema[name], self.missing) for name in {settings.by, *columns}
        )
        first = settings.first if settings.first in rows.columns else None
        begins = pl.lit(value=False)
        if first is not None:
            begins = _value(first, rows.schema[first], self.missing).is_not_null()
        state = [settings.by, *columns]
        table = rows.select(*state, begins.alias(_PART))
        if self._above is not None:
            table = pl.concat([self._above.with_columns(pl.lit(value=False).alias(_PART)), table])
        table = table.with_columns(pl.col(_PART).cum_sum().over(settings.by))
        filled = table.with_columns(
            pl.col(name).forward_fill().over(settings.by, _PART) for name in columns
        )
        filled = filled.tail(len(rows)).drop(_PART)
        self._above = filled.tail(1)
        return rows.with_columns(filled.select(columns))


def _value(name: str, dtype: pl.DataType, missing: tuple[str, ...]) -> pl.Expr:
    """Returns a column in which texts that mean "no value" are null."""
    cell = pl.col(name)
    if dtype != pl.String():
        return cell
    return pl.when(~cell.str.strip_chars().is_in(list(missing))).then(cell).alias(name)
