"""Names columns of a retailer's files in expressions, whatever their names look like."""

import polars as pl
import polars.selectors as cs


def column(name: str) -> pl.Expr:
    """Returns the column of just this name; Polars takes `^a$` for a pattern, and `*` for all."""
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        return cs.by_name(name).as_expr()
    return pl.col(name)
