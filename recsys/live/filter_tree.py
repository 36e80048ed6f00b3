"""The second half of reading a filter: the parser's tree, and how its nodes may be read."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from sqlglot import Token, TokenType, exp
from sqlglot.errors import ParseError
from sqlglot.parser import Parser

from recsys.errors import InvalidFilterError
from recsys.live.filter_lists import fold, unfold
from recsys.live.filter_tokens import MAX_BYTES, shown
from recsys.live.filter_values import Kind, number, time

PARTS: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Paren: frozenset({"this"}),
    exp.Not: frozenset({"this"}),
    exp.Neg: frozenset({"this"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.In: frozenset({"this", "field", "expressions"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    exp.Is: frozenset({"this", "expression", "negate"}),
    **dict.fromkeys(
        (exp.And, exp.Or, exp.Escape, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
        frozenset({"this", "expression"}),
    ),
}
"""The parts of each node that the compiler reads; a node with others is refused."""


class _FilterParser(Parser):
    """The parser, with positions for the words that it keeps none for."""

    PRIMARY_PARSERS: ClassVar = {
        **Parser.PRIMARY_PARSERS,
        TokenType.TRUE: lambda self, token: self.expression(exp.Boolean(this=True), token),
        TokenType.FALSE: lambda self, token: self.expression(exp.Boolean(this=False), token),
        TokenType.NULL: lambda self, token: self.expression(exp.Null(), token),
    }


def parsed(text: str, tokens: list[Token]) -> exp.Expr:
    """Returns the tree of checked tokens.

    Raises:
        InvalidFilterError: the tokens are no condition.
    """
    short, lists = fold(tokens)
    try:
        trees = _FilterParser(error_message_context=MAX_BYTES).parse_into(
            exp.Condition, short, text
        )
    except ParseError as error:
        found = error.errors[0]
        word, position = str(found["highlight"] or ""), len(str(found["start_context"] or ""))
        raise InvalidFilterError(f"cannot be read at {shown(word)}", position) from None
    tree = trees[0]
    if tree is None:
        raise InvalidFilterError("not an expression", 0)
    unfold(tree, lists)
    return tree


def literal(node: exp.Expr, kind: Kind) -> str | int | float | bool | datetime:
    """Returns the value of a literal that is compared with a column of this kind.

    Raises:
        InvalidFilterError: not a literal, or not one of that kind.
    """
    negative = isinstance(node, exp.Neg)
    inner = part(node, "this") if isinstance(node, exp.Neg) else node
    position = place_of(node)
    match inner, kind:
        case exp.Null(), _:
            raise InvalidFilterError("nothing equals NULL: write IS NULL", position)
        case exp.Literal(is_string=False), Kind.NUMBER:
            return number(str(inner.this), position, negative=negative)
        case exp.Literal(is_string=True), Kind.TEXT if not negative:
            return str(inner.this)
        case exp.Literal(is_string=True), Kind.TIME if not negative:
            return time(str(inner.this), position)
        case exp.Boolean(), Kind.FLAG if not negative:
            return bool(inner.this)
    if isinstance(inner, exp.Literal | exp.Boolean):
        word = shown(str(inner.this))
        raise InvalidFilterError(f"{word} is compared with a column of {kind}", position)
    raise refused(inner)


def part(node: exp.Expr, name: str) -> exp.Expr:
    """Returns one part of a node, and makes sure that no other part is overlooked.

    Raises:
        InvalidFilterError: the part is missing, or the node has parts that are not read.
    """
    expected = PARTS[type(node)]
    part = node.args.get(name)
    if not isinstance(part, exp.Expr) or any(
        value for key, value in node.args.items() if key not in expected
    ):
        raise refused(node)
    return part


def refused(node: exp.Expr) -> InvalidFilterError:
    """Returns the error for a node that is not on the allow-list."""
    kind = node.name if isinstance(node, exp.Column) else type(node).__name__.upper()
    return InvalidFilterError(f"{shown(kind)} cannot stand here", place_of(node))


def place_of(node: exp.Expr) -> int:
    """Returns where the first word of a node stands that the parser knows the place of."""
    own = node.meta.get("start")
    if own is not None:
        return int(own)
    places = (found.meta.get("start") for found in node.walk())
    return min((int(place) for place in places if place is not None), default=0)
