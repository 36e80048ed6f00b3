"""Filters: SQL boolean expressions over catalogue columns, compiled to Polars.

A caller's text is parsed by `sqlglot` and rebuilt here node by node from an allow-list; it never
reaches an engine that understands SQL, because such an engine opens files, runs functions and
knows subqueries. The language is described in `docs/filters.md`.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import polars as pl
from sqlglot import exp

from recsys.errors import InvalidFilterError
from recsys.live.filter_parameters import Parameters
from recsys.live.filter_tokens import MAX_TERMS, checked_tokens, shown
from recsys.live.filter_tree import literal, parsed, part, place_of, refused
from recsys.live.filter_values import Kind, kind_of, like_regex

Order = Callable[[pl.Expr, pl.Expr], pl.Expr]

ORDERS: Mapping[type[exp.Expr], Order] = {
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
COMPARISONS: Mapping[type[exp.Expr], Order] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    **ORDERS,
}


def compile_filter(
    text: str,
    schema: Mapping[str, pl.DataType],
    parameters: Parameters = (),
    *,
    stored_as: Mapping[str, str] = MappingProxyType({}),
) -> pl.Expr:
    """Returns the Polars expression of a filter: true or false for each row, never null.

    Comparisons follow SQL's three-valued logic: one with a missing value is unknown, NOT of
    unknown is unknown, and a row whose filter is unknown is dropped.

    Args:
        text: the expression, at most 8 KB, 64 terms, nested 24 deep, 1,000 values in IN lists.
        schema: the columns that may be named; text, numbers, flags, times and lists of text.
        parameters: values for `:name`; what a filter does not name is passed over.
        stored_as: by the name of a column: what it is called in the table that is filtered.

    Raises:
        InvalidFilterError: what is wrong, and the character where it stands.
    """
    tokens = checked_tokens(text, schema, dict(parameters))
    return _Compiler(schema, stored_as).condition(parsed(text, tokens)).fill_null(value=False)


class _Compiler:
    """Rebuilds the tree of one filter as a Polars expression."""

    def __init__(self, schema: Mapping[str, pl.DataType], stored_as: Mapping[str, str]) -> None:
        self._schema = schema
        self._stored_as = stored_as
        self._terms = 0
        self._readers: Mapping[type[exp.Expr], Callable[[exp.Expr], pl.Expr]] = {
            exp.Column: self._flag,
            exp.In: self._membership,
            exp.Between: self._between,
            exp.Like: self._like,
            exp.Escape: self._escaped,
            exp.Is: self._is,
        }

    def condition(self, node: exp.Expr) -> pl.Expr:
        """Returns a Boolean expression, null where the condition is unknown."""
        match node:
            case exp.Paren():
                result = self.condition(part(node, "this"))
            case exp.Not():
                result = ~self.condition(part(node, "this"))
            case exp.And():
                result = self._both(node, operator.and_)
            case exp.Or():
                result = self._both(node, operator.or_)
            case _:
                result = self._term(node)
        return ~result if node.args.get("negate") else result

    def _both(self, node: exp.Expr, join: Order) -> pl.Expr:
        left = self.condition(part(node, "this"))
        return join(left, self.condition(part(node, "expression")))

    def _term(self, node: exp.Expr) -> pl.Expr:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise InvalidFilterError(f"more than {MAX_TERMS} terms", place_of(node))
        reader = self._readers.get(type(node))
        if reader is not None:
            return reader(node)
        comparison = COMPARISONS.get(type(node))
        if comparison is None:
            raise refused(node)
        operands = [part(node, "this"), part(node, "expression")]
        return comparison(*self._operands(operands, ordered=type(node) in ORDERS))

    def _flag(self, node: exp.Expr) -> pl.Expr:
        if self._kind(node) is not Kind.FLAG:
            description = f"{shown(node.name)} holds {self._kind(node)}: compare it with something"
            raise InvalidFilterError(description, place_of(node))
        return self._column(node)

    def _between(self, node: exp.Expr) -> pl.Expr:
        operands = [part(node, name) for name in ("this", "low", "high")]
        value, low, high = self._operands(operands, ordered=True)
        return (value >= low) & (value <= high)

    def _operands(self, nodes: Sequence[exp.Expr], *, ordered: bool) -> list[pl.Expr]:
        """Returns columns and literals that are of one kind, which the first column sets."""
        columns = [node for node in nodes if isinstance(node, exp.Column)]
        if not columns:
            raise InvalidFilterError("a comparison needs a column", place_of(nodes[0]))
        kind = self._kind(columns[0])
        name = shown(columns[0].name)
        if kind is Kind.LIST:
            description = f"{name} holds lists: write 'text' IN {columns[0].name}"
            raise InvalidFilterError(description, place_of(columns[0]))
        if ordered and kind is Kind.FLAG:
            raise InvalidFilterError(f"{name} has no order", place_of(columns[0]))
        for column in columns[1:]:
            if self._kind(column) is not kind:
                description = f"{name} holds {kind}, {shown(column.name)} {self._kind(column)}"
                raise InvalidFilterError(description, place_of(column))
        return [
            self._column(node) if isinstance(node, exp.Column) else pl.lit(literal(node, kind))
            for node in nodes
        ]

    def _membership(self, node: exp.Expr) -> pl.Expr:
        sought = part(node, "this")
        field = node.args.get("field")
        if field is not None and not isinstance(field, exp.Column):
            raise InvalidFilterError("IN needs a list of values", place_of(field))
        values = [field] if field is not None else list(node.args.get("expressions") or ())
        if not values:
            raise InvalidFilterError("IN needs a list of values", place_of(node))
        if isinstance(sought, exp.Column):
            return self._one_of(sought, values)
        lists = values[0]
        if len(values) != 1 or not isinstance(lists, exp.Column):
            raise InvalidFilterError("IN needs a column on one side", place_of(node))
        if self._kind(lists) is not Kind.LIST:
            description = f"{shown(lists.name)} holds {self._kind(lists)}, not lists"
            raise InvalidFilterError(description, place_of(lists))
        return self._column(lists).list.contains(literal(sought, Kind.TEXT))

    def _one_of(self, column: exp.Column, nodes: Sequence[exp.Expr]) -> pl.Expr:
        kind = self._kind(column)
        wanted = [literal(node, Kind.TEXT if kind is Kind.LIST else kind) for node in nodes]
        expression = self._column(column)
        if kind is Kind.LIST:
            known = pl.lit(pl.Series(wanted, dtype=pl.String)).implode()
            return expression.list.eval(pl.element().is_in(known)).list.any()
        if kind is Kind.NUMBER:
            known = pl.lit(pl.Series(wanted, dtype=pl.Float64, strict=False)).implode()
            return expression.cast(pl.Float64).is_in(known)
        dtype = self._schema[column.name]
        return expression.is_in(pl.lit(pl.Series(wanted).cast(dtype)).implode())

    def _like(self, node: exp.Expr, escape: str = "") -> pl.Expr:
        column, pattern = part(node, "this"), part(node, "expression")
        if not isinstance(column, exp.Column) or self._kind(column) is not Kind.TEXT:
            raise InvalidFilterError("LIKE needs a column of text before it", place_of(node))
        text = str(literal(pattern, Kind.TEXT))
        return self._column(column).str.contains(like_regex(text, escape, place_of(pattern)))

    def _escaped(self, node: exp.Expr) -> pl.Expr:
        like, mark = part(node, "this"), part(node, "expression")
        if not isinstance(like, exp.Like):
            raise refused(node)
        escape = str(literal(mark, Kind.TEXT))
        if len(escape) != 1:
            raise InvalidFilterError("ESCAPE needs one character", place_of(mark))
        matches = self._like(like, escape)
        return ~matches if like.args.get("negate") else matches

    def _is(self, node: exp.Expr) -> pl.Expr:
        column, value = part(node, "this"), part(node, "expression")
        if not isinstance(column, exp.Column):
            raise InvalidFilterError("IS needs a column before it", place_of(node))
        if isinstance(value, exp.Null):
            self._kind(column)
            return self._column(column).is_null()
        if not isinstance(value, exp.Boolean):
            raise InvalidFilterError("IS takes NULL, TRUE or FALSE", place_of(value))
        return self._flag(column).eq_missing(pl.lit(bool(value.this)))

    def _column(self, node: exp.Expr) -> pl.Expr:
        return pl.col(self._stored_as.get(node.name, node.name))

    def _kind(self, column: exp.Expr) -> Kind:
        dtype = self._schema.get(column.name)
        if dtype is None:  # a keyword where the parser expected a column
            raise refused(column)
        kind = kind_of(dtype)
        if kind is None:
            raise InvalidFilterError(f"{shown(column.name)} cannot be filtered", place_of(column))
        return kind
