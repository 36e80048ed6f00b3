"""The mapping's own conditions on rows: which are wanted, which are not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from recsys.data.reading.checks import Check
from recsys.data.reading.mapping_parts import Rule
from recsys.data.reading.rejects import FILTERED


def require_checks(rules: Mapping[str, Rule], cells: Mapping[str, pl.Expr]) -> list[Check]:
    """Returns the checks that leave out what breaks a rule.

    Args:
        rules: column -> which rows are wanted.
        cells: column -> its cell; numbers or text.
    """
    return [
        Check(column, f"{FILTERED} require: {otherwise}", ~holds, cells[column].cast(pl.String))
        for column, rule in rules.items()
        for holds, _, otherwise in _parts(rule, cells[column])
    ]


def exclude_checks(rules: Mapping[str, Rule], cells: Mapping[str, pl.Expr]) -> list[Check]:
    """Returns the checks that leave out what fulfils a rule, as `require_checks` does."""
    checks = []
    for column, rule in rules.items():
        words = " and ".join(word for _, word, _ in _parts(rule, cells[column]))
        holds = fulfils({column: rule}, cells)
        shown = cells[column].cast(pl.String)
        checks.append(Check(column, f"{FILTERED} exclude: {words}", holds, shown))
    return checks


def fulfils(rules: Mapping[str, Rule], cells: Mapping[str, pl.Expr]) -> pl.Expr:
    """Returns a Boolean without nulls: the row fulfils every part of every rule."""
    every = [
        holds for column, rule in rules.items() for holds, _, _ in _parts(rule, cells[column])
    ]
    return pl.all_horizontal(every)


def fulfils_any(rules: Mapping[str, Rule], cells: Mapping[str, pl.Expr]) -> pl.Expr:
    """Returns a Boolean without nulls: the row fulfils at least one of the rules."""
    return pl.any_horizontal(fulfils({column: rule}, cells) for column, rule in rules.items())


def _parts(rule: Rule, cell: pl.Expr) -> Iterator[tuple[pl.Expr, str, str]]:
    """Yields each part of a rule: whether it holds, and what to say if it does and if not."""
    text = cell.cast(pl.String)
    number = cell.cast(pl.Float64, strict=False)
    if rule.present is not None:
        there = text.is_not_null() & (text != "")
        holds = there if rule.present else ~there
        words = ("a value", "missing id or value") if rule.present else ("no value", "a value")
        yield holds.fill_null(value=not rule.present), *words
    if rule.pattern is not None:
        match = text.str.contains(rule.pattern).fill_null(value=False)
        yield match, f"match of {rule.pattern}", f"no match of {rule.pattern}"
    if rule.any_of:
        names = ", ".join(rule.any_of)
        lower = [name.lower() for name in rule.any_of]
        match = text.str.strip_chars().str.to_lowercase().is_in(lower).fill_null(value=False)
        yield match, f"one of {names}", f"none of {names}"
    if rule.above is not None:
        match = (number > rule.above).fill_null(value=False)
        yield match, f"above {rule.above:g}", f"not above {rule.above:g}"
    if rule.below is not None:
        match = (number < rule.below).fill_null(value=False)
        yield match, f"below {rule.below:g}", f"not below {rule.below:g}"


def rule_column(name: str) -> str:
    """Returns the name under which a rule finds a column of the retailer's."""
    return f"__rule_{name}__"


def rule_cells(names: Iterable[str], columns: Sequence[str]) -> dict[str, pl.Expr]:
    """Returns the cell of each column that rules name: ours, or one kept as `rule_column`.

    One that is neither is left out: the file may lack it.
    """
    cells: dict[str, pl.Expr] = {}
    for name in names:
        if rule_column(name) in columns:
            cells[name] = pl.col(rule_column(name))
        elif name in columns:
            cells[name] = pl.col(name)
    return cells
