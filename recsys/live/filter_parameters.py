"""Parameters of filters: `:name` in the text, a value beside it, bound as a literal."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlglot import Token, TokenType

from recsys.errors import InvalidFilterError, InvalidQueryError

Scalar: TypeAlias = str | bool | int | float
ParameterValue: TypeAlias = Scalar | tuple[str | int | float, ...]
"""A text, a truth value, a number, or a list of texts or of numbers."""
Parameters = tuple[tuple[str, ParameterValue], ...]
"""By name, in the order of the names: a plain value that queries and caches can hold."""

FIELD = "filter_parameters"
MAX_PARAMETERS = 64
MAX_CHARACTERS = 65_536
"""In all texts of a filter's parameters together."""
EXACT = 2**53
"""Whole numbers below it are what they were before they became floats."""


def to_parameters(values: Mapping[str, object]) -> Parameters:
    """Returns parameters as queries hold them.

    Whole numbers may come as floats, as they do out of JSON.

    Raises:
        InvalidQueryError: too many, or a value that no filter can hold.
    """
    if len(values) > MAX_PARAMETERS:
        raise InvalidQueryError(FIELD, f"must be at most {MAX_PARAMETERS}")
    found = tuple((name, _value(name, values[name])) for name in sorted(values))
    size = sum(
        len(text)
        for _, value in found
        for text in (value if isinstance(value, tuple) else (value,))
        if isinstance(text, str)
    )
    if size > MAX_CHARACTERS:
        raise InvalidQueryError(FIELD, f"must have at most {MAX_CHARACTERS} characters of text")
    return found


def _value(name: str, value: object) -> ParameterValue:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        values = [_scalar(name, each) for each in value]
        if len({isinstance(each, str) for each in values}) != 1 or any(
            isinstance(each, bool) for each in values
        ):
            raise _refused(name, "must be a list of texts or of numbers, at least one")
        return tuple(values)
    return _scalar(name, value)


def _scalar(name: str, value: object) -> Scalar:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refused(name, "has half a character (a lone surrogate)") from None
        return value
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < EXACT else value
    raise _refused(name, "must be a text, a finite number, a truth value, or a list of them")


def _refused(name: str, description: str) -> InvalidQueryError:
    return InvalidQueryError(f"{FIELD}.{name[:64]}", description)


def bind(tokens: Sequence[Token], parameters: Mapping[str, ParameterValue]) -> list[Token]:
    """Puts values in the places of `:name`; what is bound can be nothing but a literal.

    A list is put in parentheses where it has none: `column IN :names`.

    Raises:
        InvalidFilterError: a parameter has no value, or its list stands where one value must.
    """
    bound: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        name = _name(tokens, place)
        if name is None:
            bound.append(token)
            place += 1
            continue
        if name not in parameters:
            raise InvalidFilterError(f"parameter {name[:64]!r} has no value", token.start)
        before = [each.token_type for each in bound[-2:]]
        bound += _literals(parameters[name], token, before)
        place += 2
    return bound


def names_in(tokens: Sequence[Token]) -> set[str]:
    """Returns the names of a filter's parameters."""
    names = (_name(tokens, place) for place in range(len(tokens)))
    return {name for name in names if name is not None}


def _name(tokens: Sequence[Token], place: int) -> str | None:
    """Returns the parameter that begins at a token: a colon, and at once a name."""
    if tokens[place].token_type is not TokenType.COLON or place + 1 == len(tokens):
        return None
    word = tokens[place + 1]
    follows = word.start == tokens[place].end + 1
    plain = word.text.isascii() and word.text.isidentifier()
    quoted = word.token_type in {TokenType.STRING, TokenType.IDENTIFIER}
    return word.text if follows and plain and not quoted else None


def _literals(value: ParameterValue, token: Token, before: Sequence[TokenType]) -> list[Token]:
    if not isinstance(value, tuple):
        return _literal(value, token)
    if before[-1:] == [TokenType.IN]:
        opening, closing = (
            [_at(token, TokenType.L_PAREN, "(")],
            [_at(token, TokenType.R_PAREN, ")")],
        )
    elif before == [TokenType.IN, TokenType.L_PAREN]:
        opening, closing = [], []
    else:
        message = "a parameter that is a list must follow IN"
        raise InvalidFilterError(message, token.start)
    bound = opening
    for number, each in enumerate(value):
        bound += [_at(token, TokenType.COMMA, ",")] if number else []
        bound += _literal(each, token)
    return bound + closing


def _literal(value: Scalar, token: Token) -> list[Token]:
    if isinstance(value, bool):
        kind = TokenType.TRUE if value else TokenType.FALSE
        return [_at(token, kind, "TRUE" if value else "FALSE")]
    if isinstance(value, str):
        return [_at(token, TokenType.STRING, value)]
    number = [_at(token, TokenType.NUMBER, repr(abs(value)))]
    return [_at(token, TokenType.DASH, "-"), *number] if value < 0 else number


def _at(token: Token, kind: TokenType, text: str) -> Token:
    """Returns a token that stands where the parameter does."""
    return Token(kind, text, token.line, token.col, token.start, token.start)
