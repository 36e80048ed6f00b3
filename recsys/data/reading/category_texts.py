"""Splits a text that may hold several categories, each perhaps a path, into these."""

import polars as pl

from recsys.data.reading.mapping import ItemMapping

_COMMA = ","
_HELD = "\x00"
"""Stands for a separator while others are looked for."""


def several_categories(texts: pl.Expr, mapping: ItemMapping) -> pl.Expr:
    """Returns the categories of each text, as a list of texts; null stays null.

    Without `categories_separator`, a text is one category, unless commas stand between paths that
    all begin with the same step: `Home > Mugs, Home > Gifts`.
    """
    separator = mapping.categories_separator
    if separator is None:
        cut = texts.map_batches(
            lambda cells: _cut(cells, mapping.category_separator),
            return_dtype=pl.String,
            is_elementwise=True,
        )
        return cut.str.split(_HELD)
    held = texts.str.replace_all(f"\\{separator}", _HELD, literal=True).str.split(separator)
    return held.list.eval(pl.element().str.replace_all(_HELD, separator, literal=True))


def _cut(cells: pl.Series, step: str) -> pl.Series:
    """Marks the places between the paths of each text."""
    values = cells.drop_nulls().unique()
    marked = [_HELD.join(_paths(text, step)) for text in values.to_list()]
    return cells.replace_strict(
        values, pl.Series(marked, dtype=pl.String), default=None, return_dtype=pl.String
    )


def _paths(text: str, step: str) -> list[str]:
    pieces = text.split(_COMMA)
    roots = {piece.split(step)[0].strip() for piece in pieces}
    several = len(roots) == 1 and all(step in piece for piece in pieces)
    return pieces if several else [text]
