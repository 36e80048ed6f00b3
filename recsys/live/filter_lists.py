"""IN lists go round the parser, which is slow over a thousand values."""

from collections.abc import Sequence

from sqlglot import Token, TokenType, exp

Lists = dict[int, list[exp.Expr]]
"""All values of a list, by the position of its first one."""


def fold(tokens: Sequence[Token]) -> tuple[list[Token], Lists]:
    """Leaves of each list of plain values the first one, and returns the lists beside."""
    kept: list[Token] = []
    lists: Lists = {}
    place = 0
    while place < len(tokens):
        kept.append(tokens[place])
        place += 1
        if [token.token_type for token in kept[-2:]] != [TokenType.IN, TokenType.L_PAREN]:
            continue
        values, end = _values(tokens, place)
        if len(values) > 1 and end < len(tokens) and tokens[end].token_type is TokenType.R_PAREN:
            first = place + (tokens[place].token_type is TokenType.DASH)
            kept.extend(tokens[place : first + 1])
            lists[tokens[first].start] = values
            place = end
    return kept, lists


def unfold(tree: exp.Expr, lists: Lists) -> None:
    """Puts the lists back into the tree that was parsed without them."""
    for node in tree.find_all(exp.In):
        first = node.expressions[0].find(exp.Literal) if node.expressions else None
        values = lists.get(first.meta["start"]) if first is not None else None
        if values is not None:
            node.set("expressions", values)


def _values(tokens: Sequence[Token], place: int) -> tuple[list[exp.Expr], int]:
    """Returns the values `v, v, v` from a place on, and the place of what ends them."""
    values: list[exp.Expr] = []
    while place < len(tokens):
        negative = tokens[place].token_type is TokenType.DASH
        place += negative
        token = tokens[place]
        if token.token_type not in {TokenType.NUMBER, TokenType.STRING}:
            return [], place
        literal = exp.Literal(
            this=token.text, is_string=token.token_type is TokenType.STRING
        ).update_positions(token)
        values.append(exp.Neg(this=literal) if negative else literal)
        place += 1
        if place == len(tokens) or tokens[place].token_type is not TokenType.COMMA:
            break
        place += 1
    return values, place
