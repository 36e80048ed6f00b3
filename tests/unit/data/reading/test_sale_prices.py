from datetime import UTC, date, datetime

import polars as pl
import pytest

from recsys.data.reading.item_rows import convert_items
from recsys.data.reading.mapping import ItemMapping
from recsys.data.reading.raw import ROW

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SALE = ItemMapping(sale_price="sale", sale_period=("period",))
ENDS = ItemMapping(sale_price="sale", sale_period=("from", "to"))


def prices(mapping: ItemMapping, **cells: object) -> tuple[object, object]:
    columns = {"item_id": "a", "price": "20", "sale": "15", **cells}
    frame = pl.DataFrame({ROW: [1], **{k: [v] for k, v in columns.items()}}, strict=False)
    ours = {name: (name,) for name in ("item_id", "price", "list_price") if name in columns}
    done = convert_items(frame, ours, mapping, now=NOW)
    if len(done.rejects):
        return done.rejects.row(0)[1:3]
    return done.rows.select("price", "list_price").row(0)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, (15.0, 20.0)),
        ({"sale": None}, (20.0, None)),
        ({"sale": ""}, (20.0, None)),
        ({"sale": "0"}, (20.0, None)),
        ({"sale": "20"}, (20.0, None)),
        ({"sale": "25"}, (20.0, None)),
        ({"price": None}, (15.0, None)),
        ({"list_price": "30"}, (15.0, 30.0)),
        ({"list_price": "30", "sale": "25"}, (20.0, 30.0)),
        ({"sale": 15.0, "price": 20}, (15.0, 20.0)),
        ({"sale": "cheap"}, ("sale_price", "bad number")),
        ({"sale": "-1"}, ("sale_price", "negative price")),
        ({"price": "dear"}, ("price", "bad number")),
        ({"price": "-20"}, ("price", "negative price")),
    ],
)
def test_reduced_prices(cells: dict[str, object], expected: tuple[object, object]) -> None:
    assert prices(ItemMapping(sale_price="sale"), **cells) == expected


@pytest.mark.parametrize(
    ("period", "holds"),
    [
        ("2024-06-01T00:00Z/2024-06-02T00:00Z", True),
        ("2024-06-01T13:00+0100/2024-06-02T00:00+0100", True),
        ("2024-06-01T12:00:00Z/2024-06-01T12:00:01Z", True),
        ("2024-05-01T00:00Z / 2024-06-01T12:00Z", False),
        ("2024-06-01T12:01Z/2024-06-02T00:00Z", False),
        ("2024-05-01/2024-06-01", True),
        ("2024-05-01/2024-05-31", False),
        ("2024/05/01 / 2024/06/02", True),
        ("2024-05-01/", True),
        ("/2024-06-02", True),
        ("/2024-05-02", False),
        ("2024-05-01", True),
        ("2024-07-01", False),
        ("/", True),
        ("", True),
        (None, True),
    ],
)
def test_periods_in_one_column(period: str | None, *, holds: bool) -> None:
    expected = (15.0, 20.0) if holds else (20.0, None)
    assert prices(SALE, period=period) == expected


@pytest.mark.parametrize("period", ["soon/2024-06-02", "2024-05-01/later", "soon"])
def test_periods_that_cannot_be_read(period: str) -> None:
    assert prices(SALE, period=period) == ("sale_period", "bad time")


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [
        (None, None, True),
        ("2024-06-01", None, True),
        ("2024-06-02", None, False),
        (None, "2024-06-01", True),
        (None, "20240601", True),
        (None, "2024-05-31", False),
        (None, date(2024, 6, 1), True),
        (None, datetime(2024, 6, 1, 11, tzinfo=UTC), False),
        ("", "2024-06-01 11:59:59", False),
    ],
)
def test_start_and_end_in_two_columns(start: object, end: object, *, holds: bool) -> None:
    expected = (15.0, 20.0) if holds else (20.0, None)
    assert prices(ENDS, **{"from": start, "to": end}) == expected


def test_one_of_two_columns_keeps_its_meaning() -> None:
    assert prices(ENDS, to="2024-05-31") == (20.0, None)
    assert prices(ENDS, to="2024-06-01") == (15.0, 20.0)
    assert prices(ENDS, **{"from": "2024-06-02"}) == (20.0, None)
    assert prices(ENDS, **{"from": "x"}) == ("sale_period", "bad time")


def test_the_last_day_ends_in_the_shops_zone() -> None:
    late = {"sale_price": "sale", "sale_period": ("from", "to"), "zone": "Pacific/Honolulu"}
    assert prices(ItemMapping(**late), to="2024-05-31") == (20.0, None)
    assert prices(ItemMapping(**late), to="2024-06-01") == (15.0, 20.0)
    early = ItemMapping(**{**late, "zone": "Pacific/Kiritimati"})
    assert prices(early, to="2024-06-01") == (20.0, None)


def test_a_file_without_the_column() -> None:
    frame = pl.DataFrame({ROW: [1], "item_id": ["a"], "price": ["20"]})
    done = convert_items(frame, {"item_id": ("item_id",), "price": ("price",)}, SALE, now=NOW)
    assert done.rows.select("price", "list_price").row(0) == (20.0, None)


def test_a_period_that_can_be_read_in_two_ways() -> None:
    reason = ("sale_period", "time in a form that can be read in two ways")
    assert prices(ENDS, **{"from": "1/2/24"}) == reason
    assert prices(SALE, period="01/02/2024 / 02/02/2024") == reason
    american = ENDS.model_copy(update={"more_time_formats": ("%m/%d/%y",)})
    assert prices(american, **{"from": "1/2/24", "to": "6/1/24"}) == (15.0, 20.0)
