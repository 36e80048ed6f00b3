"""Whether the rules and filters of a deployment file fit a bundle's catalogue."""

import re
from collections.abc import Iterator, Mapping

import polars as pl

from recsys.errors import InvalidFilterError
from recsys.live.filter_parameters import ParameterValue, to_parameters
from recsys.live.filter_tokens import parameter_names
from recsys.live.filter_values import Kind, kind_of
from recsys.live.filters import compile_filter
from recsys.live.rule_checks import sets_of
from recsys.live.rules import AtMost, ItemSet, NamedFilter, PriceBand, Rule, StockCover

_PARAMETER = re.compile(r":([A-Za-z_]\w*)")
_SAMPLES: tuple[ParameterValue, ...] = ("2026-01-01", 1, True, ("2026-01-01",), (1,))
"""One value of each kind that a parameter may be of; the text is a time as well."""


def filter_problem(named: NamedFilter, columns: Mapping[str, pl.DataType]) -> str | None:
    """Returns why a named filter does not fit the columns, whatever its parameters are.

    Each parameter is tried with values of all kinds until one fits where it stands.
    """
    trials = dict.fromkeys(parameter_names(named.sql), 0)
    while True:
        parameters = to_parameters({name: _SAMPLES[kind] for name, kind in trials.items()})
        try:
            compile_filter(named.sql, columns, parameters)
        except InvalidFilterError as error:
            blamed = _PARAMETER.match(named.sql, error.position)
            name = blamed.group(1) if blamed else ""
            if name not in trials or trials[name] + 1 == len(_SAMPLES):
                return f"{error.description} (at character {error.position})"
            trials[name] += 1
        else:
            return None


def rule_problems(
    rule: Rule, filters: Mapping[str, NamedFilter], columns: Mapping[str, pl.DataType]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields what of a rule does not fit the columns: the path within it, and why."""
    for part, items in sets_of(rule):
        for field, problem in _set_problems(items, filters, columns):
            yield (*part, field), problem
    match rule:
        case AtMost() | PriceBand() if rule.column:
            yield from _column(rule.column, rule.depth, columns)
        case StockCover():
            for field in ("stock_column", "sales_column"):
                column = getattr(rule, field)
                if column not in columns:
                    yield (field,), _unknown(column, columns)
                elif kind_of(columns[column]) is not Kind.NUMBER:
                    yield (field,), f"{column!r} does not hold numbers"


def _set_problems(
    items: ItemSet, filters: Mapping[str, NamedFilter], columns: Mapping[str, pl.DataType]
) -> Iterator[tuple[str, str]]:
    parameters = to_parameters(items.parameters)
    texts = {"filter": items.filter}
    if items.filter_name in filters:
        texts["filter_name"] = filters[items.filter_name].sql
    elif items.filter_name:
        yield "filter_name", f"the filter {items.filter_name!r} does not fit"
    for field, text in texts.items():
        if text.strip():
            try:
                compile_filter(text, columns, parameters)
            except InvalidFilterError as error:
                yield field, f"{error.description} (at character {error.position})"


def _column(
    column: str, depth: int | None, columns: Mapping[str, pl.DataType]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if column not in columns:
        yield ("column",), _unknown(column, columns)
        return
    kind = kind_of(columns[column])
    if kind is None:
        yield ("column",), f"{column!r} has no values that could be compared"
    elif depth and kind is not Kind.LIST:
        yield ("depth",), f"{column!r} does not hold lists"


def _unknown(column: str, columns: Mapping[str, pl.DataType]) -> str:
    return f"there is no column {column!r}; columns are {', '.join(sorted(columns))}"
