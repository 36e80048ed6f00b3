"""The first half of reading a filter: its words, checked before a parser sees them.

Everything that can make a parser slow, deep or surprising is refused here, with its position:
what is left are columns, literals, comparisons and AND, OR, NOT.
"""

import re
import textwrap
from collections.abc import Collection, Mapping, Sequence

from sqlglot import Token, Tokenizer, TokenType
from sqlglot.errors import TokenError

from recsys.errors import InvalidFilterError
from recsys.live.filter_parameters import ParameterValue, bind, names_in

MAX_BYTES = 8_192
MAX_DEPTH = 24
MAX_TERMS = 64
MAX_VALUES = 1_000
"""Values in all IN lists of a filter together."""

MAX_WORDS = 1_000
"""Names, keywords and signs other than commas: room for all terms with their parentheses."""

COMPARISONS = frozenset(
    (
        TokenType.EQ,
        TokenType.NEQ,
        TokenType.LT,
        TokenType.LTE,
        TokenType.GT,
        TokenType.GTE,
        TokenType.BETWEEN,
        TokenType.IN,
        TokenType.IS,
        TokenType.LIKE,
    )
)
JOINS = frozenset((TokenType.AND, TokenType.OR))
VALUES = frozenset(
    (TokenType.STRING, TokenType.NUMBER, TokenType.TRUE, TokenType.FALSE, TokenType.NULL)
)
ALLOWED = (
    COMPARISONS
    | JOINS
    | VALUES
    | {TokenType.NOT, TokenType.ESCAPE, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA}
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
WORD = re.compile(
    r"""(?P<value>'[^']*(?:''[^']*)*'|-?[0-9]\w*(?:\.\w*)?)|(?P<comma>,)"""
    r"""|(?P<word>"[^"]*"|\w+|[^\w\s])"""
)
SHOWN = 40
"""Characters of a caller's word that an error repeats."""
LISTED = 300
"""Characters of column names that an error lists."""


def checked_tokens(
    text: str, columns: Collection[str], parameters: Mapping[str, ParameterValue]
) -> list[Token]:
    """Returns the tokens of a filter, each column as a quoted identifier in its exact spelling.

    Raises:
        InvalidFilterError: too large, too deep, too many terms or values, a word that is
            neither a column nor part of the filter language, or a parameter without a value.
    """
    tokens = bind(_words(text), parameters)
    _check_limits(tokens)
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.token_type is TokenType.DASH:
            _check_sign(before, token, after)
        elif token.token_type not in ALLOWED:
            _make_column(token, after, columns)
    return tokens


def parameter_names(text: str) -> frozenset[str]:
    """Returns the names of a filter's parameters.

    Raises:
        InvalidFilterError: the text is too large or no sequence of words.
    """
    return frozenset(names_in(_words(text)))


def _words(text: str) -> list[Token]:
    """Returns the tokens as they were written."""
    _check_text(text)
    try:
        tokens = Tokenizer().tokenize(text)
    except TokenError:
        raise InvalidFilterError("a quote or comment is not closed", _unclosed(text)) from None
    if not tokens:
        raise InvalidFilterError("the expression is empty", 0)
    _check_gaps(text, tokens)
    return tokens


def shown(word: str) -> str:
    """Returns a caller's word as an error repeats it: quoted and cut."""
    return repr(word if len(word) <= SHOWN else word[:SHOWN] + "...")


def _check_text(text: str) -> None:
    # In characters first: a text may be too large to be worth encoding.
    if len(text) > MAX_BYTES:
        raise InvalidFilterError(f"the expression is larger than {MAX_BYTES} bytes", MAX_BYTES)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidFilterError("half a character (a lone surrogate)", error.start) from None
    if size > MAX_BYTES:
        raise InvalidFilterError(f"the expression is larger than {MAX_BYTES} bytes", len(text))
    if control := CONTROL.search(text):
        raise InvalidFilterError("a control character", control.start())
    _check_words(text)


def _check_words(text: str) -> None:
    """Counts words roughly but fast: the tokenizer takes 10 us for each."""
    room = {"value": MAX_VALUES + 2 * MAX_TERMS, "comma": MAX_VALUES, "word": MAX_WORDS}
    for match in WORD.finditer(text):
        kind = str(match.lastgroup)
        room[kind] -= 1
        if room[kind] < 0:
            what = f"{MAX_WORDS} words and signs" if kind == "word" else f"{MAX_VALUES} values"
            raise InvalidFilterError(f"more than {what}", match.start())


def _unclosed(text: str) -> int:
    """Returns where the quote begins that is not closed, 0 where it is a comment."""
    quote, start = "", 0
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote, start = char, place
    return start if quote else 0


def _check_gaps(text: str, tokens: Sequence[Token]) -> None:
    """Refuses whatever the tokenizer passes over in silence: comments."""
    ends = [0, *(token.end + 1 for token in tokens)]
    starts = [*(token.start for token in tokens), len(text)]
    for end, start in zip(ends, starts, strict=True):
        gap = text[end:start]
        if gap.strip():
            position = end + len(gap) - len(gap.lstrip())
            raise InvalidFilterError("comments are not allowed", position)


def _check_limits(tokens: Sequence[Token]) -> None:
    """Bounds depth, terms and values by counting, so that the parser never sees an excess."""
    depth = _Depth()
    comparisons = joins = values = 0
    for token in tokens:
        kind = token.token_type
        if depth.after(kind) > MAX_DEPTH:
            raise InvalidFilterError(f"nested more than {MAX_DEPTH} deep", token.start)
        comparisons += kind in COMPARISONS
        # The AND of a BETWEEN joins no terms, hence twice as many.
        joins += kind in JOINS
        if comparisons > MAX_TERMS or joins >= 2 * MAX_TERMS:
            raise InvalidFilterError(f"more than {MAX_TERMS} terms", token.start)
        values += kind is TokenType.COMMA
        if values >= MAX_VALUES:
            raise InvalidFilterError(f"more than {MAX_VALUES} values", token.start)


class _Depth:
    """Counts open parentheses and the NOTs that stand before what follows."""

    def __init__(self) -> None:
        self._nots = 0
        self._outer: list[int] = []

    def after(self, kind: TokenType) -> int:
        """Returns the depth once a token of this kind is read."""
        if kind is TokenType.NOT:
            self._nots += 1
        elif kind is TokenType.L_PAREN:
            self._outer.append(self._nots)
            self._nots = 0
        elif kind is TokenType.R_PAREN:
            self._nots = 0
            if self._outer:
                self._outer.pop()
        else:
            self._nots = 0
        return len(self._outer) + sum(self._outer) + self._nots


def _check_sign(before: Token | None, token: Token, after: Token | None) -> None:
    """Allows a minus as the sign of a number only: there is no arithmetic."""
    signs = after is not None and after.token_type is TokenType.NUMBER
    follows_operand = before is not None and (
        before.token_type in VALUES
        or before.token_type in {TokenType.IDENTIFIER, TokenType.R_PAREN}
    )
    if not signs or follows_operand:
        raise InvalidFilterError("arithmetic is not allowed", token.start)


def _make_column(token: Token, after: Token | None, columns: Collection[str]) -> None:
    """Turns the token of a column into a quoted identifier: no keyword, type or function.

    Raises:
        InvalidFilterError: the word is no column.
    """
    quoted = token.token_type is TokenType.IDENTIFIER
    if not quoted and after is not None and after.token_type is TokenType.L_PAREN:
        raise InvalidFilterError(f"functions are not allowed: {shown(token.text)}", token.start)
    name = _column(token.text, columns, quoted=quoted)
    if name is None:
        raise InvalidFilterError(_unknown(token, columns), token.start)
    token.token_type = TokenType.IDENTIFIER
    token.text = name


def _column(word: str, columns: Collection[str], *, quoted: bool) -> str | None:
    """Returns the column that a word names; without quotes, case does not matter if unique."""
    if word in columns:
        return word
    alike = [] if quoted else [name for name in columns if name.lower() == word.lower()]
    return alike[0] if len(alike) == 1 else None


def _unknown(token: Token, columns: Collection[str]) -> str:
    word = shown(token.text)
    if token.token_type is TokenType.IDENTIFIER:
        return f"there is no column {word} (text stands in single quotes)"
    if token.token_type is TokenType.VAR:
        names = ", ".join(sorted(columns))
        return f"there is no column {word}; columns are {textwrap.shorten(names, LISTED)}"
    return f"{word} is not part of the filter language"
