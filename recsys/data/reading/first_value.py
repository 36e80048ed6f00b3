"""Takes the first of several columns that has a value, and brings ids to their width."""

from collections.abc import Iterable

import polars as pl


def first(cells: Iterable[pl.Expr]) -> pl.Expr:
    """Returns the first cell of each row that is not null; null text where there are no cells."""
    every = list(cells)
    if not every:
        return pl.lit(None, pl.String)
    return every[0] if len(every) == 1 else pl.coalesce(every)


def padded(cell: pl.Expr, width: int | None) -> pl.Expr:
    """Returns ids in which a number of fewer than `width` digits has zeros in front."""
    if width is None:
        return cell
    return pl.when(cell.str.contains(r"^\d+$")).then(cell.str.zfill(width)).otherwise(cell)
