"""Filters drawn at random over the columns of any catalogue, each with its truth for a row."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from recsys.live.filter_values import Kind, kind_of

Row = Mapping[str, Any]
Truth = bool | None
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Case:
    """A filter, values for its parameters, and what it says of a row; None: unknown."""

    text: str
    parameters: Mapping[str, Any]
    truth: Callable[[Row], Truth]


@dataclass(frozen=True)
class Column:
    """A column that filters may name, and some of its values."""

    name: str
    kind: Kind
    values: Sequence[Any]


def columns_of(frame: pl.DataFrame, random: np.random.Generator) -> list[Column]:
    """Returns the columns of a catalogue that hold anything, with values that occur."""
    found = []
    for name, dtype in frame.drop("markets").schema.items():
        kind = kind_of(dtype)
        values = frame[name].explode() if kind is Kind.LIST else frame[name]
        some = values.drop_nulls().unique(maintain_order=True)
        if kind is not None and kind is not Kind.TIME and len(some):
            places = random.integers(0, len(some), 200)
            found.append(Column(name, kind, some.gather(places).to_list()))
    return found


def random_case(columns: Sequence[Column], random: np.random.Generator, depth: int = 3) -> Case:
    """Returns a filter of a few terms."""
    way = random.random()
    if depth == 0 or way < 0.4:
        return _term(columns, random, f"p{int(random.integers(10**9))}")
    inner = random_case(columns, random, depth - 1)
    if way < 0.5:
        return Case(f"NOT ({inner.text})", inner.parameters, lambda row: _not(inner.truth(row)))
    other = random_case(columns, random, depth - 1)
    both = {**inner.parameters, **other.parameters}
    if way < 0.75:
        text = f"({inner.text}) AND ({other.text})"
        return Case(text, both, lambda row: _and(inner.truth(row), other.truth(row)))
    text = f"({inner.text}) OR ({other.text})"
    return Case(text, both, lambda row: _not(_and(_not(inner.truth(row)), _not(other.truth(row)))))


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _and(left: Truth, right: Truth) -> Truth:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _term(columns: Sequence[Column], random: np.random.Generator, parameter: str) -> Case:
    column = columns[int(random.integers(len(columns)))]
    name, way = column.name, random.random()
    if way < 0.1:
        return Case(f"{name} IS NULL", {}, lambda row: row[name] is None)
    picked = random.integers(0, len(column.values), int(random.integers(1, 6)))
    values = [column.values[place] for place in picked.tolist()]
    bound = {parameter: values} if random.random() < 0.3 else {}
    if column.kind is Kind.LIST or way < 0.35:
        if column.kind is Kind.FLAG:
            return Case(f"{name} = {_written(values[0])}", {}, _compared(name, "=", values[0]))
        listed = f":{parameter}" if bound else f"({', '.join(map(_written, values))})"
        return Case(f"{name} IN {listed}", bound, _member(name, values))
    value = values[0]
    if column.kind is Kind.TEXT and way < 0.6:
        part = value[: int(random.integers(0, 6))]
        escaped = re.sub(r"([!%_])", r"!\1", part)
        text = f"{name} LIKE {_written(f'%{escaped}%')} ESCAPE '!'"
        return Case(text, {}, lambda row: None if row[name] is None else part in row[name])
    ordered = column.kind is not Kind.FLAG
    sign = str(random.choice(list(SIGNS) if ordered else ["=", "<>"]))
    one = {parameter: value} if bound else {}
    shown = f":{parameter}" if bound else _written(value)
    return Case(f"{name} {sign} {shown}", one, _compared(name, sign, value))


def _member(name: str, values: Sequence[Any]) -> Callable[[Row], Truth]:
    wanted = set(values)

    def truth(row: Row) -> Truth:
        own = row[name]
        if own is None:
            return None
        return bool(wanted & set(own)) if isinstance(own, list) else own in wanted

    return truth


def _compared(name: str, sign: str, value: Any) -> Callable[[Row], Truth]:
    compare = SIGNS[sign]
    key = (lambda each: each.encode()) if isinstance(value, str) else (lambda each: each)
    wanted = key(value)
    return lambda row: None if row[name] is None else compare(key(row[name]), wanted)
