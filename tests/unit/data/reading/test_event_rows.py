import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.data.events import EVENT_SCHEMA
from recsys.data.reading.event_checks import FUTURE_TOLERANCE
from recsys.data.reading.event_columns import match_event_columns
from recsys.data.reading.event_rows import EventBatch, convert_events
from recsys.data.reading.ids import LOST_DIGITS
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.mapping_parts import Explode, Mention, Returns, Rule
from recsys.data.reading.raw import ROW, RawBatch, no_broken_rows
from recsys.data.reading.value_checks import DAY_FIRST, MONTH_FIRST, TWO_WAYS_TIME
from recsys.errors import DataError

NOW = datetime(2024, 6, 1, tzinfo=UTC)
ROWS = {"customer_id": "ann", "item_id": "tea", "event_time": "2024-03-01T12:00:00Z"}


def convert(mapping: EventMapping | None = None, **cells: object) -> EventBatch:
    """Converts one or more rows; cells that are not given are those of a good row."""
    mapping = mapping or EventMapping()
    given = {**ROWS, **cells}
    height = max(len(v) if isinstance(v, list | pl.Series) else 1 for v in given.values())
    columns = {k: v if isinstance(v, list | pl.Series) else [v] * height for k, v in given.items()}
    frame = pl.DataFrame(columns, strict=False)
    found = match_event_columns(Path("in.csv"), tuple(frame.columns), mapping)
    batch = RawBatch(frame.with_row_index(ROW, offset=1), no_broken_rows())
    return convert_events(
        RawBatch(batch.rows.with_columns(pl.col(ROW).cast(pl.Int64)), batch.broken),
        found,
        mapping,
        now=NOW,
    )


def event(mapping: EventMapping | None = None, **cells: object) -> dict[str, object]:
    done = convert(mapping, **cells)
    assert done.rejects.is_empty(), done.rejects.rows()
    return done.events.row(0, named=True)


def reason(mapping: EventMapping | None = None, **cells: object) -> tuple[str, str, str | None]:
    done = convert(mapping, **cells)
    assert done.events.is_empty()
    row, *rest = done.rejects.row(0)
    assert row == 1
    return tuple(rest)


def test_the_canonical_row() -> None:
    done = convert()
    assert {name: done.events.schema[name] for name in EVENT_SCHEMA} == EVENT_SCHEMA
    row = event()
    assert row["customer_id"] == "ann"
    assert row["event_type"] == "purchase"
    assert row["event_time"] == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert row["quantity"] == 1.0
    assert row["event_id"] is None
    assert row["unit_price"] is None


def test_visitors_get_their_own_customer_id() -> None:
    rows = convert(customer_id=["ann", None, ""], visitor_id=["v1", "v1", "v2"]).events
    assert rows["customer_id"].to_list() == ["ann", "visitor/v1", "visitor/v2"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"customer_id": None}, ("customer_id", "missing id", None)),
        ({"customer_id": " "}, ("customer_id", "missing id", None)),
        ({"customer_id": "nan"}, ("customer_id", "missing id", None)),
        ({"item_id": None}, ("item_id", "missing id", None)),
        ({"event_type": None}, ("event_type", "missing event type", None)),
        ({"event_time": None}, ("event_time", "missing time", None)),
        ({"event_time": "soon"}, ("event_time", "bad time", "soon")),
        ({"event_time": "1969-12-31"}, ("event_time", "time before 1970", "1969-12-31")),
        ({"event_time": "2024-06-03"}, ("event_time", "time in the future", "2024-06-03")),
        ({"basket_id": "a\x07"}, ("basket_id", "control characters in an id", "a\x07")),
        ({"quantity": "two"}, ("quantity", "bad number", "two")),
        ({"quantity": "inf"}, ("quantity", "bad number", "inf")),
        ({"quantity": "0"}, ("quantity", "zero quantity", "0")),
        ({"quantity": "-2"}, ("quantity", "negative quantity", "-2")),
        ({"unit_price": "1,5,0"}, ("unit_price", "bad number", "1,5,0")),
        ({"unit_price": "1,299"}, ("unit_price", "ambiguous number", "1,299")),
        ({"item_id": "4.01235E+12"}, ("item_id", LOST_DIGITS, "4.01235E+12")),
        ({"item_id": 2.0**53}, ("item_id", LOST_DIGITS, "9007199254740992.0")),
        ({"event_time": "01/02/2024"}, ("event_time", TWO_WAYS_TIME, "01/02/2024")),
        ({"event_time": "25/02/2024"}, ("event_time", DAY_FIRST, "25/02/2024")),
        ({"event_time": "2-25-2024"}, ("event_time", MONTH_FIRST, "2-25-2024")),
        ({"event_time": "24-03-01"}, ("event_time", TWO_WAYS_TIME, "24-03-01")),
        ({"unit_price": "-1"}, ("unit_price", "negative price", "-1")),
        ({"value": "good"}, ("value", "bad number", "good")),
        ({"properties": "[1]"}, ("properties", "not a JSON object", "[1]")),
    ],
)
def test_what_is_wrong_is_said(cells: dict[str, object], expected: tuple[str, str, str]) -> None:
    assert reason(**cells) == expected


def test_reserved_and_long_ids() -> None:
    reserved = reason(customer_id="visitor/7")
    assert reserved == ("customer_id", "reserved id (begins with visitor/)", "visitor/7")
    assert reason(item_id="é" * 257)[:2] == ("item_id", "id longer than 512 bytes")
    assert event(item_id="é" * 256)["item_id"] == "é" * 256


def test_the_future_begins_after_the_tolerance() -> None:
    limit = NOW + FUTURE_TOLERANCE
    assert event(event_time=limit)["event_time"] == limit
    assert reason(event_time=limit + timedelta(seconds=1))[1] == "time in the future"


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("transaction", "purchase"),
        ("addtocart", "add-to-cart"),
        ("Add To_Cart", "add-to-cart"),
        ("PAGE_VIEW", "view"),
        ("view", "view"),
        ("refund", "return"),
        ("Store_Visit", "store-visit"),
        ("到店", "到店"),
    ],
)
def test_event_types_by_their_usual_names(told: str, ours: str) -> None:
    assert event(event_type=told)["event_type"] == ours


def test_event_types_of_the_mapping_come_first() -> None:
    mapping = EventMapping(event_types={"pv": "click", "买": "purchase", "3": "wishlist"})
    kinds = ["pv", "PV", "买", "到店", "3", "buy"]
    done = convert(mapping, event_type=kinds)
    expected = ["click", "click", "purchase", "到店", "wishlist", "purchase"]
    assert done.events["event_type"].to_list() == expected


def test_events_without_an_item_may_have_none() -> None:
    kinds = ["search", "email-open", "survey", "made-up"]
    assert len(convert(event_type=kinds, item_id=None).events) == 4
    assert reason(event_type="view", item_id=None)[0] == "item_id"


@pytest.mark.parametrize(
    ("mapping", "cells"),
    [
        (EventMapping(returns=Returns(negative_quantity=True)), {"quantity": "-3"}),
        (
            EventMapping(returns=Returns(column="InvoiceNo", prefix="C")),
            {"quantity": "-3", "InvoiceNo": "C17"},
        ),
        (EventMapping(), {"quantity": "-3", "event_type": "return"}),
        (EventMapping(), {"quantity": "3", "event_type": "refund"}),
    ],
)
def test_returns(mapping: EventMapping, cells: dict[str, object]) -> None:
    row = event(mapping, unit_price="2", **cells)
    assert (row["event_type"], row["quantity"], row["unit_price"]) == ("return", 3.0, 2.0)


def test_only_purchases_turn_into_returns() -> None:
    mapping = EventMapping(returns=Returns(negative_quantity=True))
    assert reason(mapping, event_type="view", quantity="-1")[1] == "negative quantity"
    prefixed = EventMapping(returns=Returns(column="InvoiceNo", prefix="C"))
    row = event(prefixed, InvoiceNo="536365")
    assert row["event_type"] == "purchase"
    assert reason(prefixed, InvoiceNo="536365", quantity="-1")[1] == "negative quantity"


def test_line_values() -> None:
    mapping = EventMapping(line_value="sales", zero_quantity_is_one=True)
    done = convert(mapping, sales=[6.0, 5.0, 0.0, None], quantity=[3, 0, 0, 2])
    assert done.events["unit_price"].to_list() == [2.0, 5.0, 0.0, None]
    assert done.events["quantity"].to_list() == [3.0, 1.0, 1.0, 2.0]
    plain = EventMapping(line_value="sales")
    assert reason(plain, sales="six") == ("unit_price", "bad number", "six")
    assert reason(plain, sales=0.0, quantity=0)[1] == "zero quantity"


def test_line_values_of_returns_lose_their_sign() -> None:
    returns = Returns(negative_quantity=True)
    row = event(EventMapping(line_value="sales", returns=returns), sales=-6.0, quantity=-3)
    assert (row["unit_price"], row["quantity"]) == (2.0, 3.0)


def test_whole_number_ids_only_where_the_mapping_says_so() -> None:
    assert event(customer_id="17850.0")["customer_id"] == "17850.0"
    mapping = EventMapping(whole_number_ids=("customer_id",))
    rows = convert(mapping, customer_id=["17850.0", "17850.5", "007", "-3.00"]).events
    assert rows["customer_id"].to_list() == ["17850", "17850.5", "007", "-3"]
    assert event(mapping, customer_id=pl.Series([17850.0]))["customer_id"] == "17850"


def test_numbers_of_every_type() -> None:
    assert event(quantity=pl.Series([2], dtype=pl.UInt8))["quantity"] == 2.0
    assert event(quantity=pl.Series([float("nan")]))["quantity"] == 1.0
    assert reason(quantity=pl.Series([float("inf")]))[1] == "bad number"
    assert event(unit_price=pl.Series(["1.5"]).cast(pl.Decimal(10, 2)))["unit_price"] == 1.5
    assert reason(quantity=pl.Series([[1]]))[1] == "bad number"
    comma = EventMapping(decimal_comma=True)
    assert event(comma, unit_price="1,50")["unit_price"] == 1.5


def test_ids_of_every_type() -> None:
    assert event(item_id=pl.Series([42]))["item_id"] == "42"
    assert event(item_id=pl.Series(["a"]).cast(pl.Categorical))["item_id"] == "a"
    assert reason(customer_id=pl.Series([float("nan")]))[1] == "missing id"
    assert event(item_id=pl.Series([timedelta(days=1)]))["item_id"] == "P1D"
    assert event(item_id=pl.Series([[1, 2]]))["item_id"] == "[1,2]"
    assert event(item_id=pl.Series([{"k": 1}]))["item_id"] == '{"k":1}'


def test_properties_are_packed() -> None:
    mapping = EventMapping(properties=("store", "week"))
    row = event(mapping, store="7", week=3, other="x")
    assert json.loads(row["properties"]) == {"store": "7", "week": "3"}
    assert event(properties='{"a":1}')["properties"] == '{"a":1}'


def test_constants() -> None:
    mapping = EventMapping(constants={"event_type": "view", "channel": "app", "quantity": "2"})
    row = event(mapping, channel="ignored")
    assert (row["event_type"], row["channel"], row["quantity"]) == ("view", "app", 2.0)


def test_rules_reject_with_their_reason() -> None:
    rules = {"item_id": Rule(pattern="^[0-9]+$"), "unit_price": Rule(above=0)}
    mapping = EventMapping(require=rules)
    assert event(mapping, item_id="12", unit_price="1")["item_id"] == "12"
    assert reason(mapping, item_id="POST", unit_price="1")[1] == (
        "left out by require: no match of ^[0-9]+$"
    )
    assert reason(mapping, item_id="12", unit_price="0")[1].endswith("not above 0")
    assert reason(mapping, item_id="12")[1].endswith("not above 0")


@pytest.mark.parametrize(
    ("columns", "mapping", "words"),
    [
        (("customer", "date"), EventMapping(), "recognised as item_id;"),
        (("customer", "action", "date"), EventMapping(), None),
        (("visitor", "item", "date"), EventMapping(), None),
        (("item", "date"), EventMapping(), "recognised as customer_id;"),
        (("a", "b"), EventMapping(), "customer_id or item_id or event_time; its columns are a, b"),
        (("a^b",), EventMapping(), "found one column, 'a^b'"),
        (("customer", "item", "date"), EventMapping(columns={"value": "v"}), "no column 'v'"),
        (("customer", "item", "date"), EventMapping(properties=("v",)), "in properties"),
        (("customer", "item", "date"), EventMapping(line_value="v"), "in line_value"),
        (
            ("customer", "item", "date"),
            EventMapping(returns=Returns(column="v", prefix="C")),
            "in returns.column",
        ),
    ],
)
def test_columns_that_are_missing(
    columns: tuple[str, ...], mapping: EventMapping, words: str | None
) -> None:
    if words is None:
        assert match_event_columns(Path("in.csv"), columns, mapping).notes
        return
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        match_event_columns(Path("in.csv"), columns, mapping)
    assert "in.csv" in str(caught.value)


def test_how_columns_were_found() -> None:
    mapping = EventMapping(
        columns={"customer_id": "who"}, constants={"channel": "web"}, line_value="total"
    )
    notes = match_event_columns(Path("x"), ("who", "sku", "date", "total"), mapping).notes
    assert {(note.ours, note.source, note.how) for note in notes} == {
        ("customer_id", "who", "mapping"),
        ("item_id", "sku", "guessed"),
        ("event_time", "date", "guessed"),
        ("channel", "'web'", "constant"),
        ("unit_price", "total / quantity", "mapping"),
        ("event_type", "'purchase'", "default"),
    }


def test_the_first_column_with_a_value_counts() -> None:
    mapping = EventMapping(
        columns={
            "customer_id": ("id", "mail"),
            "unit_price": ("net", "gross"),
            "event_time": ("at", "paid"),
        }
    )
    rows = convert(
        mapping,
        id=["7", "", None],
        mail=["x@y", "b@y", "c@y"],
        net=["1", None, ""],
        gross=["9", "2", None],
        at=["2024-03-01", None, ""],
        paid=["2024-04-01", "2024-04-02T00:00:00Z", "2024-04-03"],
        event_time=None,
    ).events
    assert rows["customer_id"].to_list() == ["7", "b@y", "c@y"]
    assert rows["unit_price"].to_list() == [1.0, 2.0, None]
    assert rows["event_time"].dt.to_string("%m-%d").to_list() == ["03-01", "04-02", "04-03"]
    assert rows["__zoned__"].to_list() == [False, True, False]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"net": "free", "gross": "2"}, ("unit_price", "bad number", "free")),
        ({"at": "soon", "paid": "2024-04-01"}, ("event_time", "bad time", "soon")),
    ],
)
def test_a_bad_first_value_is_not_passed_over(
    cells: dict[str, object], expected: tuple[str, str, str]
) -> None:
    columns = {"unit_price": ("net", "gross"), "event_time": ("at", "paid")}
    mapping = EventMapping(columns=columns, optional=("net", "gross", "at", "paid"))
    filler = {"at": "2024-04-01"} if "at" not in cells else {}
    assert reason(mapping, **filler, **cells) == expected


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("2024-03-01", "13:45", "2024-03-01 13:45:00"),
        ("2024-03-01 00:00:00", "13:45:10", "2024-03-01 13:45:10"),
        ("2024-03-01", None, "2024-03-01 00:00:00"),
        (datetime(2024, 3, 1), datetime(1899, 12, 30, 13, 45), "2024-03-01 13:45:00"),  # noqa: DTZ001
        (datetime(2024, 3, 1).date(), "09:05", "2024-03-01 09:05:00"),  # noqa: DTZ001
    ],
)
def test_times_in_parts(day: object, clock: object, expected: str) -> None:
    mapping = EventMapping(time_parts=("day", "clock"))
    found = event(mapping, event_time=None, day=[day], clock=[clock])["event_time"]
    assert f"{found:%Y-%m-%d %H:%M:%S}" == expected


def test_times_in_parts_that_a_file_lacks() -> None:
    mapping = EventMapping(time_parts=("day", "clock"), optional=("day", "clock"))
    assert event(mapping, day="2024-03-02")["event_time"].day == 2
    assert event(mapping, clock="13:45")["event_time"].hour == 12
    assert reason(mapping, day=None, clock="13:45") == ("event_time", "bad time", "13:45")
    assert reason(mapping, day=None, clock=None) == ("event_time", "missing time", None)
    told = reason(mapping, day="2024-03-02", clock="25:99")
    assert told == ("event_time", "bad time", "2024-03-02 25:99")
    with pytest.raises(DataError, match="'day', which the mapping names in time_parts"):
        convert(EventMapping(time_parts=("day", "clock")), clock="13:45")


def test_event_ids_of_parts() -> None:
    mapping = EventMapping(columns={"event_id": ("visitor", "at", "n")})
    ids = convert(mapping, visitor=["v", "v", None, None], at=["1", None, "1", None], n="2").events
    assert ids["event_id"].to_list() == ["v/1/2", "v/2", None, None]


def test_event_ids_of_items_that_stood_in_one_row() -> None:
    mapping = EventMapping(
        columns={"event_id": "message"}, explode=Explode(columns=("items",)), optional=("message",)
    )
    cells = {"message": ["m", "m", None, None], "item.#": [0, 1, 0, 1]}
    ids = convert(mapping, **cells).events["event_id"]
    assert ids.to_list() == ["m", "m/1", None, None]
    assert convert(mapping, **{"item.#": [0, 1]}).events["event_id"].to_list() == [None, None]


def test_ids_have_their_width() -> None:
    mapping = EventMapping(id_width={"item_id": 4})
    rows = convert(mapping, item_id=["12", "12345", "A1", "0012"], customer_id="7").events
    assert rows["item_id"].to_list() == ["0012", "12345", "A1", "0012"]
    assert rows["customer_id"].to_list() == ["7"] * 4


def test_line_values_that_a_file_lacks() -> None:
    mapping = EventMapping(line_value="total", optional=("total",))
    assert event(mapping, unit_price="6", quantity="3")["unit_price"] == 6.0
    assert event(mapping, unit_price="6", quantity="3", total="6")["unit_price"] == 2.0


def test_returns_by_the_retailers_columns() -> None:
    when = {"status": Rule(any_of=("refunded",)), "total": Rule(below=0)}
    mapping = EventMapping(returns=Returns(when=when))
    done = convert(
        mapping,
        status=["paid", "Refunded", None, "paid"],
        total=["1", "1", "-1", None],
        event_type=["purchase", "purchase", "purchase", "view"],
    ).events
    assert done["event_type"].to_list() == ["purchase", "return", "return", "view"]
    comma = EventMapping(returns=Returns(when={"total": Rule(below=0)}), decimal_comma=True)
    assert event(comma, total="-1,50")["event_type"] == "return"


@pytest.mark.parametrize(
    ("mapping", "setting"),
    [
        (EventMapping(returns=Returns(when={"status": Rule(present=True)})), "returns.when"),
        (EventMapping(returns=Returns(when={"quantity": Rule(below=0)})), "returns.when"),
        (EventMapping(require={"status": Rule(present=True)}), "require"),
        (EventMapping(exclude={"status": Rule(present=True)}), "exclude"),
        (EventMapping(type_when={"view": {"status": Rule(present=True)}}), "type_when.view"),
        (
            EventMapping(mentions=(Mention(rows={"status": Rule(present=True)}, text="x"),)),
            "mentions[0].rows",
        ),
    ],
)
def test_columns_of_rules_that_are_missing(mapping: EventMapping, setting: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"in {setting}")):
        convert(mapping)
    named = ("status", "quantity")
    lenient = convert(mapping.model_copy(update={"optional": named}))
    assert len(lenient.events) == 1
    assert lenient.mentions in {(), (0,)}


def test_exclude_goes_before_what_is_wrong() -> None:
    mapping = EventMapping(
        exclude={"test": Rule(present=True), "quantity": Rule(above=100)},
        require={"kind": Rule(any_of=("sale",)), "customer_id": Rule(present=True)},
    )
    done = convert(
        mapping,
        test=["1", None, None, None, None],
        kind=["x", "x", "sale", "SALE", "sale"],
        quantity=["1", "1", "500", "5", "x"],
        item_id=[None, None, "tea", "tea", "tea"],
        customer_id=["ann", "ann", "ann", "ann", None],
    )
    assert done.events["quantity"].to_list() == [5.0]
    assert done.rejects["reason"].to_list() == [
        "left out by exclude: a value",
        "left out by require: none of sale",
        "left out by exclude: above 100",
        "left out by require: missing id or value",
    ]


def test_types_by_the_retailers_columns() -> None:
    rules = {"wishlist": {"stars": Rule(above=3.5), "event_type": Rule(any_of=("rating",))}}
    mapping = EventMapping(type_when=rules)
    kinds = convert(mapping, stars=["4", "3", None, "5"], event_type=["rating"] * 3 + ["view"])
    assert kinds.events["event_type"].to_list() == ["wishlist", "rating", "rating", "view"]


def test_mentions_count_events_that_stay() -> None:
    mention = Mention(rows={"status": Rule(any_of=("part",)), "n": Rule(above=1)}, text="x")
    done = convert(
        EventMapping(mentions=(mention, mention)),
        status=["part", "part", "part", "full"],
        n=[2, 1, 2, 2],
        item_id=["a", "a", None, "a"],
    )
    assert done.mentions == (1, 1)


def test_links_come_from_rows_that_are_left_out_too() -> None:
    mapping = EventMapping(require={"kind": Rule(any_of=("track",))})
    done = convert(
        mapping,
        kind=["identify", "track", "track", "track", "track"],
        visitor_id=["v1", "v2", "v3", None, "v4"],
        customer_id=["ann", None, "bob\x07", "cid", "visitor/9"],
    )
    assert done.links.rows() == [("v1", "ann")]
    assert done.events["customer_id"].to_list() == ["visitor/v2", "cid"]


def test_empty_batches() -> None:
    mapping = EventMapping(
        require={"a": Rule(above=1)}, returns=Returns(when={"a": Rule(present=True)})
    )
    empty = {name: pl.Series([], dtype=pl.String) for name in (*ROWS, "a", "visitor_id")}
    done = convert(mapping, **empty)
    assert (len(done.events), len(done.rejects), len(done.links)) == (0, 0, 0)
