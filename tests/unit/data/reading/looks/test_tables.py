"""Looks at the catalogue and the customer table, and at how they join the events."""

from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.looks.look import Look, Severity
from recsys.data.reading.report import DataReport
from tests.odd_files import CUSTOMERS, ITEMS, catalogue, codes, orders, prepared

NUMBERS = [f"{n:06}" for n in range(1, ITEMS + 1)]


def numbered_orders(form: str) -> pl.DataFrame:
    """Returns orders with the numbers of `NUMBERS` as ids, written in some form."""
    number = orders()["item_id"].str.strip_prefix("p").cast(pl.Int64) + 1
    return orders().with_columns(item_id=pl.Series([form.format(n) for n in number]))


def look(report: DataReport, code: str) -> Look:
    assert f"`{code}`" in Path("docs/data.md").read_text()
    (found,) = [one for one in report.looks if one.code == code]
    return found


@pytest.mark.parametrize(
    ("written", "catalogued", "words", "lines"),
    [
        (
            "{}",
            "{:0>6}",
            "with leading zeros (6 digits)",
            "[events]\nid_width = { item_id = 6 }",
        ),
        (
            "{:06}",
            "{:.0f}",
            "with leading zeros (6 digits)",
            "[items]\nid_width = { item_id = 6 }",
        ),
        ("sku{}", "SKU{:.0f}", "ignoring upper and lower case", None),
        ("'{}'", "{:.0f}", "without the quotes around them", None),
        ("shop/{}", "{:.0f}", "without 'shop/' in front, as the events have it", None),
        ("{}", "gid://{:.0f}", "without 'gid://' in front, as the items have it", None),
    ],
)
def test_ids_that_do_not_join_and_what_makes_them(
    written: str, catalogued: str, words: str, lines: str | None, tmp_path: Path
) -> None:
    ids = [catalogued.format(n if ">" in catalogued else float(n)) for n in range(1, ITEMS + 1)]
    report = prepared(tmp_path, numbered_orders(written), catalogue(ids))
    seen = look(report, "items-do-not-join")
    assert seen.severity is Severity.WARNING
    assert f"0 of {ITEMS} item ids of the events are in the catalogue" in seen.text
    assert f"{words}, {ITEMS} of {ITEMS} of the others are" in seen.text
    assert seen.mapping == lines


def test_whole_numbers_among_other_ids(tmp_path: Path) -> None:
    # A column of nothing but whole numbers is read as such without being told.
    decimal = numbered_orders("{}.0")
    mixed = decimal.with_columns(
        item_id=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("VOUCHER")).otherwise("item_id")
    )
    plain = catalogue([f"{n}" for n in range(1, ITEMS + 1)])
    seen = look(prepared(tmp_path, mixed, plain), "items-do-not-join")
    assert "without the .0 of the events, 120 of 121 of the others are" in seen.text
    assert seen.mapping == '[events]\nwhole_number_ids = ["item_id"]'
    assert "items-do-not-join" not in codes(prepared(tmp_path, decimal, plain))
    numbers = catalogue(["VOUCHER", *(f"{n}.0" for n in range(1, ITEMS + 1))])
    seen = look(prepared(tmp_path, numbered_orders("{}"), numbers), "items-do-not-join")
    assert "without the .0 of the items" in seen.text
    assert seen.mapping == '[items]\nwhole_number_ids = ["item_id"]'


def test_ids_that_nothing_mends(tmp_path: Path) -> None:
    report = prepared(tmp_path, orders(), catalogue([f"q{n}" for n in range(ITEMS)]))
    seen = look(report, "items-do-not-join")
    assert seen.text == f"0 of {ITEMS} item ids of the events are in the catalogue"
    assert seen.mapping is None


def test_items_that_left_the_catalogue_are_a_note(tmp_path: Path) -> None:
    ids = catalogue()["item_id"].to_list()
    seen = look(prepared(tmp_path, orders(), catalogue(ids[:90])), "items-do-not-join")
    assert seen.severity is Severity.NOTE
    assert "90 of 120 item ids" in seen.text
    assert "items-do-not-join" not in codes(prepared(tmp_path, orders(), catalogue(ids[:116])))


def test_customers_join_by_the_same_rule(tmp_path: Path) -> None:
    upper = pl.DataFrame({"customer_id": [f"C{n:03}" for n in range(CUSTOMERS)]})
    seen = look(prepared(tmp_path, orders(), customers=upper), "customers-do-not-join")
    assert seen.severity is Severity.WARNING
    assert "0 of 150 customer ids of the events are in the customer table" in seen.text
    assert "ignoring upper and lower case" in seen.text
    club = pl.DataFrame({"customer_id": [f"c{n:03}" for n in range(0, CUSTOMERS, 10)]})
    seen = look(prepared(tmp_path, orders(), customers=club), "customers-do-not-join")
    assert seen.severity is Severity.NOTE
    whole = pl.DataFrame({"customer_id": [f"c{n:03}" for n in range(CUSTOMERS)]})
    assert prepared(tmp_path, orders(), customers=whole).looks == ()


def test_visitors_are_in_no_table(tmp_path: Path) -> None:
    visits = orders().with_columns(
        customer_id=pl.when(pl.col("order_id").str.ends_with("0")).then("customer_id"),
        visitor_id=pl.col("customer_id"),
    )
    whole = pl.DataFrame({"customer_id": [f"c{n:03}" for n in range(CUSTOMERS)]})
    assert "customers-do-not-join" not in codes(prepared(tmp_path, visits, customers=whole))


def test_attributes_are_named(tmp_path: Path) -> None:
    more = catalogue().with_columns(size=pl.lit("L"), weight=pl.lit(2))
    seen = look(prepared(tmp_path, orders(), more), "columns-became-attributes")
    assert seen.severity is Severity.NOTE
    assert seen.table == "items"
    assert seen.text == "columns kept as attributes (2): size, weight"
    assert "columns-became-attributes" not in codes(prepared(tmp_path, orders(), catalogue()))


def test_a_catalogue_that_shows_nothing_or_everything(tmp_path: Path) -> None:
    def with_flags(flag: pl.Expr) -> set[str]:
        return codes(prepared(tmp_path, orders(), catalogue().with_columns(in_stock=flag)))

    assert with_flags(pl.lit("no")) == {"no-item-is-available"}
    assert with_flags(pl.lit("yes")) == {"every-item-is-available"}
    some = pl.when(pl.col("item_id") < "p060").then(pl.lit("yes")).otherwise(pl.lit("no"))
    assert with_flags(some) == set()


def test_items_that_may_be_shown_without_stock(tmp_path: Path) -> None:
    left = pl.when(pl.col("item_id") < "p030").then(0).otherwise(7)
    stocked = catalogue().with_columns(left.alias("Stock Level"), online=pl.lit("yes"))
    online = {"items": {"columns": {"available": "online"}}}
    report = prepared(tmp_path, orders(), stocked, mapping=online)
    seen = look(report, "available-without-stock")
    assert seen.text == "30 of 120 items may be shown while 'Stock Level' is 0"
    assert seen.mapping == '[items.columns]\navailable = "Stock Level"'
    mended = prepared(
        tmp_path,
        orders(),
        stocked,
        mapping={"items": {"columns": {"available": "Stock Level"}}},
    )
    assert "available-without-stock" not in codes(mended)
    empty = stocked.with_columns(pl.lit(0).alias("Stock Level"))
    assert "available-without-stock" not in codes(
        prepared(tmp_path, orders(), empty, mapping=online)
    )


def test_a_column_that_holds_nothing(tmp_path: Path) -> None:
    blank = catalogue().with_columns(brand=pl.lit(None, pl.String))
    seen = look(prepared(tmp_path, orders(), blank), "column-is-empty")
    assert seen.text == "brand is empty in all 120 items, although it comes from brand"
    assert seen.mapping == '[items.columns]\nbrand = "..."'
    half = pl.when(pl.col("item_id") < "p060").then(pl.lit("Ours"))
    assert prepared(tmp_path, orders(), catalogue().with_columns(brand=half)).looks == ()


def test_rows_that_share_an_id(tmp_path: Path) -> None:
    repeated = pl.concat([catalogue()] * 3)
    seen = look(prepared(tmp_path, orders(), repeated), "items-share-ids")
    assert seen.severity is Severity.NOTE
    assert seen.text.startswith("240 of 360 rows have the id of an earlier row")
    fewer = pl.concat([catalogue(), catalogue().head(30)])
    assert prepared(tmp_path, orders(), fewer).looks == ()


def test_a_catalogue_that_the_mapping_leaves_out_whole(tmp_path: Path) -> None:
    mapping = {"items": {"require": {"item_id": {"pattern": "^x"}}}}
    seen = look(prepared(tmp_path, orders(), catalogue(), mapping=mapping), "no-row-left")
    assert (seen.table, seen.text) == ("items", "none of 120 rows is left")
