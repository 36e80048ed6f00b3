"""Filters agree with a row-by-row evaluation in plain Python; no text does any other harm."""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.events import TIME
from recsys.errors import InvalidFilterError
from recsys.live.filters import compile_filter

Row = dict[str, Any]
Truth = bool | None

SCHEMA: dict[str, pl.DataType] = {
    "price": pl.Float64(),
    "cost": pl.Float64(),
    "size": pl.Int64(),
    "title": pl.String(),
    "brand": pl.String(),
    "organic": pl.Boolean(),
    "created_at": TIME,
    "tags": pl.List(pl.String()),
}
NUMBERS = ("price", "cost", "size")
TEXTS = ("title", "brand")
WORDS = ("", "a", "b", "ab", "a%b", "a_b", "tea", "Tea", "te.a", "it's", "é😀", "x\ny")
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A filter as text, and what it says about a row: true, false or unknown."""

    text: str
    truth: Callable[[Row], Truth]


def quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


def either(left: Truth, right: Truth) -> Truth:
    if left or right:
        return True
    return None if left is None or right is None else False


def both(left: Truth, right: Truth) -> Truth:
    return negated(either(negated(left), negated(right)))


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compared(sign: str, left: Any, right: Any) -> Truth:
    if left is None or right is None:
        return None
    if isinstance(left, str):
        left, right = left.encode(), right.encode()
    return COMPARE[sign](left, right)


numbers = st.one_of(
    st.integers(-3, 12),
    st.sampled_from([0.5, 2.25, 9.0, -1.5, 1e3]),
)
words = st.sampled_from(WORDS)
times = st.integers(0, 40).map(lambda hours: START + timedelta(hours=6 * hours))


@st.composite
def literals(draw: st.DrawFn, column: str) -> tuple[str, Any]:
    if column in NUMBERS:
        number = draw(numbers)
        return str(number), number
    if column in TEXTS:
        word = draw(words)
        return quoted(word), word
    moment = draw(times)
    offset = draw(st.sampled_from(["Z", "", "+02:00"]))
    shown = moment + timedelta(hours=2) if offset == "+02:00" else moment
    return quoted(shown.strftime("%Y-%m-%dT%H:%M:%S") + offset), moment


ordered = st.sampled_from([*NUMBERS, *TEXTS, "created_at"])


@st.composite
def comparisons(draw: st.DrawFn) -> Case:
    column, sign = draw(ordered), draw(st.sampled_from(sorted(COMPARE)))
    text, value = draw(literals(column))
    if draw(st.booleans()):
        return Case(f"{column} {sign} {text}", lambda row: compared(sign, row[column], value))
    return Case(f"{text} {sign} {column}", lambda row: compared(sign, value, row[column]))


@st.composite
def column_pairs(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from([NUMBERS, TEXTS]))
    left, right = draw(st.sampled_from(kind)), draw(st.sampled_from(kind))
    sign = draw(st.sampled_from(sorted(COMPARE)))
    return Case(f"{left}{sign}{right}", lambda row: compared(sign, row[left], row[right]))


@st.composite
def memberships(draw: st.DrawFn) -> Case:
    column = draw(ordered)
    pairs = draw(st.lists(literals(column), min_size=1, max_size=4))
    values = [value for _, value in pairs]
    no = draw(st.booleans())
    text = f"{column} {'NOT ' if no else ''}IN ({', '.join(text for text, _ in pairs)})"

    def truth(row: Row) -> Truth:
        found = None if row[column] is None else row[column] in values
        return negated(found) if no else found

    return Case(text, truth)


@st.composite
def ranges(draw: st.DrawFn) -> Case:
    column = draw(ordered)
    (low, at_least), (high, at_most) = draw(literals(column)), draw(literals(column))
    no = draw(st.booleans())

    def truth(row: Row) -> Truth:
        inside = both(compared(">=", row[column], at_least), compared("<=", row[column], at_most))
        return negated(inside) if no else inside

    return Case(f"{column} {'NOT ' if no else ''}BETWEEN {low} AND {high}", truth)


@st.composite
def likes(draw: st.DrawFn) -> Case:
    column = draw(st.sampled_from(TEXTS))
    parts = draw(st.lists(st.sampled_from(["%", "_", "a", "b", "tea", ".", "!%", "!_"])))
    wildcards = {"%": ".*", "_": ".", "!%": "%", "!_": "_"}
    regex = re.compile(
        "".join(wildcards.get(part, re.escape(part)) for part in parts), flags=re.DOTALL
    )
    no = draw(st.booleans())
    text = f"{column} {'NOT ' if no else ''}LIKE {quoted(''.join(parts))} ESCAPE '!'"

    def truth(row: Row) -> Truth:
        found = None if row[column] is None else regex.fullmatch(row[column]) is not None
        return negated(found) if no else found

    return Case(text, truth)


@st.composite
def lists(draw: st.DrawFn) -> Case:
    wanted = draw(st.lists(words, min_size=1, max_size=3))
    no = draw(st.booleans())
    if len(wanted) == 1 and draw(st.booleans()):
        text = f"{quoted(wanted[0])} {'NOT ' if no else ''}IN tags"
    else:
        text = f"tags {'NOT ' if no else ''}IN ({','.join(map(quoted, wanted))})"

    def truth(row: Row) -> Truth:
        found = None if row["tags"] is None else bool(set(row["tags"]) & set(wanted))
        return negated(found) if no else found

    return Case(text, truth)


@st.composite
def null_checks(draw: st.DrawFn) -> Case:
    column, no = draw(st.sampled_from(sorted(SCHEMA))), draw(st.booleans())
    return Case(
        f"{column} IS {'NOT ' if no else ''}NULL", lambda row: (row[column] is None) is not no
    )


flags = st.sampled_from(
    [
        Case("organic", lambda row: row["organic"]),
        Case("organic = TRUE", lambda row: row["organic"]),
        Case("organic = false", lambda row: negated(row["organic"])),
        Case("organic IS TRUE", lambda row: row["organic"] is True),
        Case("organic IS NOT FALSE", lambda row: row["organic"] is not False),
    ]
)


def joined(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(
            lambda p: Case(
                f"({p[0].text}) AND ({p[1].text})", lambda r: both(p[0].truth(r), p[1].truth(r))
            )
        ),
        pairs.map(
            lambda p: Case(
                f"({p[0].text}) OR ({p[1].text})", lambda r: either(p[0].truth(r), p[1].truth(r))
            )
        ),
        inner.map(lambda c: Case(f"NOT ({c.text})", lambda r: negated(c.truth(r)))),
    )


cases = st.recursive(
    st.one_of(
        comparisons(),
        column_pairs(),
        memberships(),
        ranges(),
        likes(),
        lists(),
        null_checks(),
        flags,
    ),
    joined,
    max_leaves=8,
)
maybe_number = st.none() | numbers.map(float)
rows = st.fixed_dictionaries(
    {
        "price": maybe_number,
        "cost": maybe_number,
        "size": st.none() | st.integers(-3, 12),
        "title": st.none() | words,
        "brand": st.none() | words,
        "organic": st.none() | st.booleans(),
        "created_at": st.none() | times,
        "tags": st.none() | st.lists(words, max_size=3),
    }
)


@given(case=cases, table=st.lists(rows, min_size=1, max_size=12))
@settings(max_examples=1000, deadline=None)
def test_filters_equal_brute_force(case: Case, table: list[Row]) -> None:
    frame = pl.DataFrame(table, schema=SCHEMA)
    kept = frame.select(compile_filter(case.text, SCHEMA).alias("kept"))["kept"].to_list()
    assert kept == [case.truth(row) is True for row in table]


SOUP = (
    *SCHEMA,
    *("AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ESCAPE", "BETWEEN", "TRUE", "FALSE"),
    *("(", ")", ",", "=", "<>", "<", ">=", "-", "+", "*", "/", ";", ".", "::", "--", "/*", "'"),
    *("1", "2.5", "1e999", "'a'", "'%a_'", "'2026-01-01'", '"title"', "'tea'"),
    *("SELECT", "FROM", "CASE", "WHEN", "END", "CAST", "AS", "EXISTS", "read_csv", "COUNT"),
    *("INTERVAL", "DATE", "ARRAY", "[", "]", "{", "}", "@", ":x", "?", "$1", "\x00", "é", "😀"),
)
EMPTY = pl.DataFrame(schema=SCHEMA)


def does_no_harm(text: str) -> None:
    """A text is either refused as a filter or can be evaluated."""
    position = 0
    try:
        assert EMPTY.select(compile_filter(text, SCHEMA)).height == 0
    except InvalidFilterError as error:
        position = error.position
    assert 0 <= position <= len(text)


@given(st.lists(st.sampled_from(SOUP), max_size=25).map(" ".join))
@settings(max_examples=500, deadline=None)
def test_soups_of_words_do_no_harm(text: str) -> None:
    does_no_harm(text)


@given(st.text(alphabet=st.characters(), max_size=60) | st.text(string.printable, max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_does_no_harm(text: str) -> None:
    does_no_harm(text)


@given(case=cases, data=st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_filters_do_no_harm(case: Case, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(case.text)))
    end = data.draw(st.integers(start, min(len(case.text), start + 8)))
    put = data.draw(st.sampled_from(["", *SOUP]))
    does_no_harm(case.text[:start] + put + case.text[end:])
