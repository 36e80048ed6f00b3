import polars as pl
import pytest
from pydantic import ValidationError

from recsys.data.reading.checks import sift
from recsys.data.reading.mapping import EventMapping, FileMapping, ItemMapping
from recsys.data.reading.mapping_parts import Mention, Rule
from recsys.data.reading.raw import ROW
from recsys.data.reading.rejects import FILTERED
from recsys.data.reading.rules import (
    exclude_checks,
    fulfils,
    fulfils_any,
    raw_cells,
    require_checks,
    rule_cells,
    rule_texts,
)

PLAIN = FileMapping()


def table(mapping: FileMapping = PLAIN, **columns: object) -> pl.DataFrame:
    """Returns the retailer's columns as rules see them, and those of `ours` as they are."""
    ours = columns.pop("ours", {})
    frame = pl.DataFrame(columns)
    kept = frame.select(rule_texts(frame.columns, frame.schema, mapping))
    kept = kept.hstack([pl.Series(name, values) for name, values in ours.items()])
    return kept.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))


def holds(rule: Rule, cells: object, mapping: FileMapping = PLAIN) -> list[bool]:
    rows = table(mapping, a=cells)
    every = rows.select(x=fulfils({"a": rule}, rule_cells(["a"], rows.schema, mapping)))["x"]
    frame = pl.DataFrame({"a": cells})
    raw = raw_cells(["a", "none"], frame.schema, mapping)
    assert frame.select(x=fulfils({"a": rule}, raw))["x"].to_list() == every.to_list()
    return every.to_list()


@pytest.mark.parametrize(
    ("rule", "cells", "expected"),
    [
        (Rule(present=True), ["x", "", " ", None, "NULL"], [True, False, False, False, False]),
        (Rule(present=False), ["x", "", " ", None, "NULL"], [False, True, True, True, True]),
        (Rule(present=True), [0, None], [True, False]),
        (Rule(pattern="^C"), ["C1", "1C", None], [True, False, False]),
        (Rule(pattern=""), ["x", None], [True, False]),
        (
            Rule(any_of=("Paid", "void")),
            ["PAID", " void ", "voided", None],
            [True, True, False, False],
        ),
        (Rule(any_of=("2", "3")), [2, 3, 4, None], [True, True, False, False]),
        (Rule(any_of=("2",)), [2.0, 2.5, None, float("nan")], [True, False, False, False]),
        (Rule(any_of=("true",)), [True, False, None], [True, False, False]),
        (
            Rule(above=1),
            ["2", "1", "x", None, "inf", "NAN"],
            [True, False, False, False, False, False],
        ),
        (Rule(above=1), [2, 1, None], [True, False, False]),
        (Rule(above=1), [2.0, float("nan"), None], [True, False, False]),
        (Rule(below=1), ["0.5", "1", "x", None], [True, False, False, False]),
        (Rule(above=1, below=3), ["2", "1", "3"], [True, False, False]),
        (
            Rule(present=True, pattern="x", any_of=("ax", "b")),
            ["ax", "b", "x"],
            [True, False, False],
        ),
    ],
)
def test_every_part(rule: Rule, cells: list[object], expected: list[bool]) -> None:
    assert holds(rule, cells) == expected


def test_numbers_as_the_mapping_writes_them() -> None:
    comma = FileMapping(decimal_comma=True)
    assert holds(Rule(below=0), ["-1,50", "1,50"], comma) == [True, False]
    assert holds(Rule(above=1000), ["1.299,50", "999,50"], comma) == [True, False]


def test_all_null_columns() -> None:
    assert holds(Rule(present=False), [None, None]) == [True, True]
    assert holds(Rule(above=0), [None, None]) == [False, False]


def test_columns_of_ours_come_after_the_retailers() -> None:
    rows = table(quantity=["9"], ours={"price": [1.5], "quantity": [2.0]})
    cells = rule_cells(["price", "quantity", "none"], rows.schema, PLAIN)
    assert set(cells) == {"price", "quantity"}
    found = rows.select(
        price=fulfils({"price": Rule(above=1, any_of=("1.5",))}, cells),
        quantity=fulfils({"quantity": Rule(any_of=("9",))}, cells),
    )
    assert found.row(0) == (True, True)


def test_numbers_of_ours_that_cannot_be_read_are_above_nothing() -> None:
    rows = table(a=["x"] * 3, ours={"price": [float("nan"), None, 3.0]})
    cells = rule_cells(["price"], rows.schema, PLAIN)
    assert rows.select(x=fulfils({"price": Rule(above=1)}, cells))["x"].to_list() == [
        False,
        False,
        True,
    ]


def test_all_of_several_rules_and_any() -> None:
    rows = table(a=["1", "1", "2"], b=["x", "y", "x"])
    cells = rule_cells(["a", "b"], rows.schema, PLAIN)
    rules = {"a": Rule(any_of=("1",)), "b": Rule(any_of=("x",))}
    found = rows.select(every=fulfils(rules, cells), some=fulfils_any(rules, cells))
    assert found["every"].to_list() == [True, False, False]
    assert found["some"].to_list() == [True, True, True]


def test_reasons_and_values() -> None:
    rows = table(a=["1", "5", None])
    cells = rule_cells(["a"], rows.schema, PLAIN)
    rules = {"a": Rule(present=True, above=2)}
    good, bad = sift(rows, require_checks(rules, cells))
    assert good[ROW].to_list() == [1]
    assert bad.rows() == [
        (0, "a", f"{FILTERED} require: not above 2", "1"),
        (2, "a", f"{FILTERED} require: missing id or value", None),
    ]
    good, bad = sift(rows, exclude_checks({"a": Rule(any_of=("5", "6"), below=9.5)}, cells))
    assert good[ROW].to_list() == [0, 2]
    assert bad.rows() == [(1, "a", f"{FILTERED} exclude: one of 5, 6 and below 9.5", "5")]


def test_names_like_patterns_are_names() -> None:
    rows = table(**{"^a$": ["1"], "a": ["2"]})
    cells = rule_cells(["^a$"], rows.schema, PLAIN)
    assert rows.select(x=fulfils({"^a$": Rule(any_of=("1",))}, cells))["x"].to_list() == [True]


@pytest.mark.parametrize(
    "build",
    [
        Rule,
        lambda: Rule(any_of=()),
        lambda: Rule(pattern="("),
        lambda: Mention(rows={}, text="x"),
        lambda: EventMapping(type_when={"purchase": {}}),
        lambda: EventMapping.model_validate({"require": {"a": {}}}),
        lambda: ItemMapping(require={"tags": Rule(present=True)}),
        lambda: ItemMapping(exclude={"category": Rule(present=True)}),
        lambda: EventMapping(time_parts=("d", "t"), columns={"event_time": "x"}),
        lambda: EventMapping(time_parts=("d", "t"), constants={"event_time": "2020"}),
        lambda: EventMapping(id_width={"item": 7}),
        lambda: ItemMapping(id_width={"item_id": 0}),
        lambda: ItemMapping(whole_number_ids=("sku",)),
    ],
)
def test_rules_that_say_nothing_are_refused(build: object) -> None:
    with pytest.raises(ValidationError):
        build()
