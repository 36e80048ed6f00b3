"""The mapping's own conditions on rows: which are wanted, which are not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from recsys.data.reading import cells as read
from recsys.data.reading.checks import Check
from recsys.data.reading.literal import column as named
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping_parts import Rule
from recsys.data.reading.rejects import FILTERED


@dataclass(frozen=True, slots=True)
class RuleCell:
    """What a rule looks at: one cell of each row."""

    text: pl.Expr
    number: pl.Expr
    """Null or NaN where the cell is none."""


def require_checks(rules: Mapping[str, Rule], cells: Mapping[str, RuleCell]) -> list[Check]:
    """Returns the checks that leave out what breaks a rule.

    Args:
        rules: column -> which rows are wanted.
        cells: column -> its cell.
    """
    return [
        Check(column, f"{FILTERED} require: {otherwise}", ~holds, cells[column].text)
        for column, rule in rules.items()
        for holds, _, otherwise in _parts(rule, cells[column])
    ]


def exclude_checks(rules: Mapping[str, Rule], cells: Mapping[str, RuleCell]) -> list[Check]:
    """Returns the checks that leave out what fulfils a rule, as `require_checks` does."""
    checks = []
    for column, rule in rules.items():
        words = " and ".join(word for _, word, _ in _parts(rule, cells[column]))
        holds = fulfils({column: rule}, cells)
        reason = f"{FILTERED} exclude: {words}"
        checks.append(Check(column, reason, holds, cells[column].text))
    return checks


def fulfils(rules: Mapping[str, Rule], cells: Mapping[str, RuleCell]) -> pl.Expr:
    """Returns a Boolean without nulls: the row fulfils every part of every rule."""
    every = [
        holds for column, rule in rules.items() for holds, _, _ in _parts(rule, cells[column])
    ]
    return pl.all_horizontal(every)


def fulfils_any(rules: Mapping[str, Rule], cells: Mapping[str, RuleCell]) -> pl.Expr:
    """Returns a Boolean without nulls: the row fulfils at least one of the rules."""
    return pl.any_horizontal(fulfils({column: rule}, cells) for column, rule in rules.items())


def _parts(rule: Rule, cell: RuleCell) -> Iterator[tuple[pl.Expr, str, str]]:
    """Yields each part of a rule: whether it holds, and what to say if it does and if not."""
    text = cell.text
    # NaN is above every number to Polars.
    number = cell.number.fill_nan(None)
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


def rule_texts(
    names: Iterable[str], schema: Mapping[str, pl.DataType], mapping: FileMapping
) -> Iterator[pl.Expr]:
    """Yields what rules look at of the retailer's columns, as `rule_column`.

    Args:
        names: the columns; those that the file lacks are left out.
        schema: the file's columns.
        mapping: how values are read.
    """
    for name in sorted({name for name in names if name in schema}):
        yield _text(name, schema[name], mapping).alias(rule_column(name))


def rule_cells(
    names: Iterable[str], schema: Mapping[str, pl.DataType], mapping: FileMapping
) -> dict[str, RuleCell]:
    """Returns the cell of each column that rules name: ours, or one kept as `rule_column`.

    One that is neither is left out: the file may lack it.

    Args:
        names: the columns.
        schema: those of the table that has our columns and the ones that were kept.
        mapping: how numbers are written.
    """
    found: dict[str, RuleCell] = {}
    for name in names:
        kept = rule_column(name)
        if kept in schema:
            found[name] = RuleCell(named(kept), read.number(kept, pl.String(), mapping))
        elif name in schema:
            cell = pl.col(name)
            found[name] = RuleCell(cell.cast(pl.String), cell.cast(pl.Float64, strict=False))
    return found


def raw_cells(
    names: Iterable[str], schema: Mapping[str, pl.DataType], mapping: FileMapping
) -> dict[str, RuleCell]:
    """Returns the cells of the retailer's columns as they are read; none of one the file lacks."""
    return {
        name: RuleCell(
            _text(name, schema[name], mapping), read.number(name, schema[name], mapping)
        )
        for name in names
        if name in schema
    }


def _text(name: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns text; a whole number of a column of decimals (`3.0`) is `3`."""
    text = read.text(name, dtype, mapping)
    return text.str.replace(r"\.0$", "") if dtype.is_float() else text
