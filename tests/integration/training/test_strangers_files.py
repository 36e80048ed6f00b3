"""The handed exports, in the shape that shop systems write, against independently counted values.

Every expected figure is read from `expected.toml` beside the files.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsys.data.reading.prepare import prepare
from recsys.data.reading.recognition import recognise
from recsys.data.reading.report import DataReport
from recsys.data.reading.sources import Sources
from recsys.errors import DataError
from tests.shared_data import CASES, needs_cases

pytestmark = needs_cases
NOW = datetime(2026, 12, 15, tzinfo=UTC)
RETURNED = pl.col("event_type") == "return"
ALL_ROWS = {"max_reject_rate": 1.0}
GERMAN = {
    "events": {
        "decimal_comma": True,
        "columns": {
            "customer_id": "Kundennr",
            "item_id": "Artikelnr",
            "event_time": "Datum",
            "quantity": "Menge",
            "unit_price": "Einzelpreis",
        },
    }
}


def expected(case: str) -> dict[str, Any]:
    table = tomllib.loads((CASES / "expected.toml").read_text(encoding="utf-8"))
    for name in case.split("."):
        table = table[name]
    return table


@dataclass(frozen=True)
class Prepared:
    profile: str | None
    report: DataReport
    events: pl.DataFrame
    items: pl.DataFrame

    @property
    def revenue(self) -> float:
        value = self.events.select((pl.col("quantity") * pl.col("unit_price")).sum()).item()
        return round(value, 2)

    @property
    def quantity(self) -> float:
        return self.events["quantity"].sum()

    def rejects(self, table: str = "events") -> dict[str, int]:
        return dict(self.report.rejects.get(table, {}))


def prepared(  # noqa: PLR0917 - as the options of the command
    out: Path,
    events: str,
    own: dict[str, Any] | None = None,
    items: str | None = None,
    profile: str | None = None,
    now: datetime = NOW,
) -> Prepared:
    given = Sources(str(CASES / events), None if items is None else str(CASES / items))
    plan = recognise(given, own or {}, profile)
    report = prepare(plan.sources, out, plan.mapping, now=now)
    names = {one.profile.name for one in plan.recognised if one.table == "events"}
    return Prepared(
        next(iter(names), None),
        report,
        pl.read_parquet(out / "events.parquet"),
        pl.read_parquet(out / "items.parquet"),
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["orders_export_1", "orders_blank"])
def test_shopify_orders(out: Path, name: str) -> None:
    want = expected("shopify.orders_export_1")
    done = prepared(out, f"shopify/{name}.csv")
    assert done.profile == want["recognised"]
    assert len(done.events) == want["lines"]
    assert done.events["customer_id"].n_unique() == want["customers"]
    assert done.events["basket_id"].n_unique() == want["orders"]
    assert done.quantity == want["quantity"]
    if name == "orders_export_1":  # the other file has the same orders of other goods
        assert done.revenue == want["revenue"]
    first = done.events.filter(pl.col("basket_id") == "#1001")["event_time"].to_list()
    assert first == [datetime(2026, 1, 2, 4, 0, 10, tzinfo=UTC)]
    assert done.rejects() == {"item_id: missing id": 1}
    back = want["fully_refunded_order"]
    refunded = done.events.filter(RETURNED, pl.col("basket_id") == back["name"])
    assert (len(refunded), refunded["quantity"].sum()) == (back["lines"], back["quantity"])
    assert any("refunded in part" in look.text for look in done.report.looks)
    assert done.events.filter(pl.col("basket_id") == "#1007")["event_type"].to_list() == [
        "purchase"
    ]


def test_shopify_cancelled_orders_can_be_left_out(out: Path) -> None:
    want = expected("shopify.orders_export_1")["with_cancelled_excluded"]
    own = {"events": {"exclude": {"Cancelled at": {"present": True}}}}
    done = prepared(out, "shopify/orders_export_1.csv", own)
    assert (len(done.events), done.quantity) == (want["lines"], want["quantity"])


def test_a_till_is_no_visitor(out: Path) -> None:
    want = expected("shopify.orders_pos")
    done = prepared(out, "shopify/orders_pos.csv")
    assert len(done.events) == want["lines_with_customer"]
    assert sum(done.rejects().values()) == want["lines_without_customer"]
    assert all("customer_id" in reason and "missing id" in reason for reason in done.rejects())
    assert not done.events["customer_id"].str.starts_with("visitor/").any()


def test_woocommerce_items_in_cells(out: Path) -> None:
    want = expected("woocommerce.order_export_suite")
    done = prepared(out, "woocommerce/order_export_suite.csv")
    assert done.profile == want["recognised"]
    assert len(done.events) == want["lines"]
    assert (done.quantity, done.revenue) == (want["quantity"], want["revenue"])
    assert len(done.events.filter(RETURNED)) == want["cancelled_lines"]
    assert 'Cap, "blue"' in done.items["title"].to_list()
    times = done.events["event_time"]
    assert times.max() == datetime(2026, 9, 27, 8, 29, tzinfo=UTC)


def test_woocommerce_one_row_per_item(out: Path) -> None:
    want = expected("woocommerce.order_export_one_row_per_item")
    done = prepared(out, "woocommerce/order_export_one_row_per_item.csv")
    assert done.profile == want["recognised"]
    assert len(done.events) == want["lines"]
    assert (done.quantity, done.revenue) == (want["quantity"], want["revenue"])
    back = done.events.filter(RETURNED)
    assert (len(back), back["quantity"].sum()) == tuple(want["refunded"].values())
    assert done.events["customer_id"].n_unique() == want["people"]


def test_ga4(out: Path) -> None:
    want = expected("ga4.events_20260101")
    done = prepared(out, "ga4/events_20260101.json")
    assert done.profile == want["recognised"]
    counts = dict(done.events.group_by("event_type").len().iter_rows())
    assert counts == want["item_events"]
    bought = done.events.filter(pl.col("event_type") == "purchase")
    assert bought["quantity"].sum() == want["purchase_quantity"]
    assert done.report.tables["events"].duplicates == 2 * want["duplicate_hits"]  # of two items
    assert done.report.customers == want["customers_with_user_id"]
    assert done.report.customers + done.report.visitors == want["visitors"]
    assert done.events["session_id"].null_count() == 0
    assert bought["basket_id"].null_count() == 0
    assert done.report.tables["events"].records == want["lines"]


def test_google_merchant(out: Path, tmp_path: Path) -> None:
    want = expected("google-merchant.feed")
    orders = tmp_path / "orders.csv"
    lines = [f"c{n},TEE-RED-M,2026-03-0{n}" for n in (1, 2)]
    orders.write_text("\n".join(["customer_id,item_id,date", *lines, "c1,MUG-01,2026-03-03\n"]))
    done = prepared(out, str(orders), items="google-merchant/feed.tsv")
    items = {row["item_id"]: row for row in done.items.iter_rows(named=True)}
    assert len(items) == want["items"]
    for column in ("price", "list_price", "available"):
        for item, value in want[column].items():
            assert items[item][column] == value, (item, column)
    for item, group in want["group"].items():
        assert items[item]["group_id"] == group
    for item, path in want["category"].items():
        assert " > ".join(items[item]["category"]) == path
    assert items["TEE-RED-M"]["gtin"] == "04012345678901"


def test_segment(out: Path) -> None:
    want = expected("segment.segment")
    done = prepared(out, "segment/segment.jsonl")
    assert done.profile == want["recognised"]
    assert dict(done.events.group_by("event_type").len().iter_rows()) == want["item_events"]
    bought = done.events.filter(pl.col("event_type") == "purchase")
    assert bought["quantity"].sum() == want["quantity_purchased"]
    assert done.report.customers == want["users"]
    assert done.report.visitors == want["anonymous_only"]
    assert done.events["event_id"].is_unique().all()


def test_excel_in_german(out: Path) -> None:
    want = expected("excel.verkauf")
    done = prepared(
        out, "excel/verkauf.csv", {"events": {**GERMAN["events"], "zone": "Asia/Seoul"}}
    )
    assert len(done.events) == want["lines"]
    assert (done.quantity, done.revenue) == (want["quantity"], want["revenue"])
    first = done.events.sort("event_time").row(0, named=True)
    assert first["item_id"] == want["first"]["item_id"]
    assert first["unit_price"] == want["first"]["unit_price"]
    assert first["event_time"] == datetime(2025, 1, 1, 5, 5, tzinfo=UTC)
    assert any("cp1252" in look.text for look in done.report.looks)
    named = {"events": {**GERMAN["events"], "encoding": "cp1252"}}
    assert len(prepared(out, "excel/verkauf.csv", named).events) == want["lines"]


def test_excel_names_its_separator_and_adds_up(out: Path) -> None:
    want = expected("excel.verkauf_sep")
    done = prepared(out, "excel/verkauf_sep.csv", GERMAN)
    assert (len(done.events), done.quantity) == (want["lines"], want["quantity"])
    rejects = pl.read_csv(out / "rejects.csv")
    assert rejects["row"].to_list() == [61]
    assert want["left_out"] == "the row `Summe`"


def test_days_and_months_that_can_change_places(out: Path) -> None:
    with pytest.raises(DataError, match="time_format"):
        prepared(out, "excel/us_dates.csv")
    with pytest.raises(DataError, match="time_format"):
        prepared(out, "excel/dmy_short.csv")
    own = {"events": {"time_format": "%m/%d/%Y"}}
    done = prepared(out, "excel/us_dates.csv", own, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert len(done.events) == expected("excel.us_dates")["lines"]


@pytest.mark.parametrize("path", ["instacart", "instacart/order_products__prior.csv"])
def test_instacart(out: Path, path: str) -> None:
    want = expected("instacart.set")
    done = prepared(out, path)
    assert done.profile == want["recognised"]
    assert len(done.events) == want["lines"]
    assert done.events["customer_id"].n_unique() == want["customers"]
    assert done.events["basket_id"].n_unique() == want["baskets"]
    assert len(done.items) == want["items"]
    assert done.items["title"].null_count() == 0


@pytest.mark.parametrize("path", ["olist", "olist/olist_order_items_dataset.csv"])
def test_olist(out: Path, path: str) -> None:
    want = expected("olist.set")
    done = prepared(out, path)
    assert done.profile == want["recognised"]
    assert len(done.events) == want["lines"]
    assert done.events["customer_id"].n_unique() == want["customers"]
    assert done.revenue == want["revenue"]


def test_ids_that_lost_their_zeros(out: Path) -> None:
    done = prepared(out, "hm/hm_transactions.csv", items="hm/articles.csv")
    (look,) = [look for look in done.report.looks if look.code == "items-do-not-join"]
    assert "0 of 7" in look.text
    assert "7 of 7" in f"{look.text} {look.advice}"
    own = tomllib.loads(look.mapping)
    again = prepared(out, "hm/hm_transactions.csv", own, "hm/articles.csv")
    assert not [look for look in again.report.looks if look.code == "items-do-not-join"]
    assert again.items["title"].null_count() == 0


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("array.json", 60),
        ("wrapped.json", 60),
        ("pretty.json", 60),
        ("duphead.csv", 60),
        ("trailing.csv", 60),
        ("emptyhead.csv", 60),
        ("blank.csv", 60),
    ],
)
def test_odd_files_are_read(out: Path, name: str, rows: int) -> None:
    assert name.replace(".", "_") in expected("misc")
    done = prepared(out, f"misc/{name}")
    assert done.rejects() == {}
    assert 0 < len(done.events) <= rows


def test_a_title_above_the_header(out: Path) -> None:
    with pytest.raises(DataError, match="skip_rows = 2"):
        prepared(out, "misc/titlerow.csv")
    done = prepared(out, "misc/titlerow.csv", {"events": {"skip_rows": 2}})
    assert done.rejects() == {}
    assert len(done.events) == len(prepared(out, "misc/blank.csv").events)


def test_a_file_without_header(out: Path) -> None:
    with pytest.raises(DataError, match="looks like data"):
        prepared(out, "misc/nohead.csv")
    names = ["customer_id", "item_id", "event_time"]
    done = prepared(out, "misc/nohead.csv", {"events": {"header": names}})
    assert len(done.events) == len(prepared(out, "misc/blank.csv").events)
