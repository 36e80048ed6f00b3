"""Takes the first of several columns that has a value, and brings ids to one form."""

from collections.abc import Iterable

import polars as pl

from recsys.data.reading.mapping import FileMapping


def first(cells: Iterable[pl.Expr]) -> pl.Expr:
    """Returns the first cell of each row that is not null; null text where there are no cells."""
    every = list(cells)
    if not every:
        return pl.lit(None, pl.String)
    return every[0] if len(every) == 1 else pl.coalesce(every)


def in_one_form(cell: pl.Expr, ours: str, mapping: FileMapping) -> pl.Expr:
    """Returns ids as the mapping wants them: in lower case, a short number with zeros in front.

    Args:
        cell: the ids.
        ours: our name of their column.
        mapping: says which columns are changed.
    """
    if ours in mapping.lower_case_ids:
        cell = cell.str.to_lowercase()
    width = mapping.id_width.get(ours)
    if width is None:
        return cell
    return pl.when(cell.str.contains(r"^\d+$")).then(cell.str.zfill(width)).otherwise(cell)
