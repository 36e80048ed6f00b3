"""Each look has a data set that it speaks of, and one beside it that it does not."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.looks.kinds import LEARNT_FROM
from recsys.data.reading.looks.look import Severity, listed
from recsys.models.protocol import DEFAULT_EVENT_WEIGHTS
from tests.odd_files import ITEMS, ROWS, catalogue, codes, orders, prepared

WARNING, NOTE = Severity.WARNING, Severity.NOTE
Change = Callable[[pl.DataFrame], pl.DataFrame]


def with_column(**columns: pl.Expr) -> Change:
    return lambda rows: rows.with_columns(**columns)


DOCUMENTED = Path("docs/data.md").read_text()


def some(share: float, value: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Returns a value in the first rows and another in the rest."""
    return pl.when(pl.int_range(pl.len()) < share * pl.len()).then(value).otherwise(other)


def lit(value: object) -> pl.Expr:
    return pl.lit(value)


col = pl.col
number = pl.int_range(pl.len())
time = col("event_time")
NEW_PERSON = col("order_id").str.replace("o", "")


@dataclass(frozen=True)
class Case:
    """A change of the events that a look speaks of, and one that it does not."""

    code: str
    severity: Severity
    text: str
    odd: Change
    sound: Change
    mapping: Mapping[str, object] = field(default_factory=dict)
    lines: str | None = None


CASES = [
    Case(
        "times-in-1970",
        WARNING,
        "1,500 of 1,500 events are before 1980, the first at 1970-01-01 05:30",
        with_column(event_time=19_800 + number % 60),
        with_column(event_time=1_709_280_000 + 3_000 * number),
        lines='event_time = "..."',
    ),
    Case(
        "times-at-one-instant",
        WARNING,
        "all 1,500 events are within one second",
        with_column(event_time=lit("2024-03-01 10:00:00")),
        with_column(event_time=some(0.5, lit("2024-03-01 10:00:00"), lit("2024-03-09 10:00:00"))),
    ),
    Case(
        "times-on-few-days",
        WARNING,
        "1,500 events lie on 2 day(s) from 2024-03-01",
        with_column(event_time=1_709_280_000 + 60 * number),
        lambda rows: rows.head(900).with_columns(event_time=1_709_280_000 + 60 * number),
    ),
    Case(
        "times-on-one-day",
        WARNING,
        "900 of 1,500 events are on 2024-02-01, of 26 days: the day of a migration",
        with_column(event_time=some(0.6, lit("2024-02-01 10:00:00+00:00"), time)),
        with_column(event_time=some(0.3, lit("2024-02-01 10:00:00+00:00"), time)),
    ),
    Case(
        "times-mixed-zones",
        WARNING,
        "1,200 times name their zone and 300 do not: the latter were taken as UTC",
        with_column(event_time=some(0.2, time.str.head(19), time)),
        with_column(event_time=time.str.head(19)),
        lines='zone = "Europe/Berlin"',
    ),
    Case(
        "times-in-the-future",
        WARNING,
        "30 events are up to a day in the future, and 15 rows are later and were rejected",
        with_column(
            event_time=some(
                0.01,
                lit("2024-06-09T00:00:00Z"),
                some(0.03, lit("2024-06-01T12:00:00Z"), time),
            )
        ),
        with_column(event_time=some(0.03, lit("2024-05-31T12:00:00Z"), time)),
    ),
    Case(
        "times-in-the-future",
        NOTE,
        "3 events are up to a day in the future",
        with_column(event_time=some(0.002, lit("2024-06-01T12:00:00Z"), time)),
        with_column(event_time=some(0.002, lit("2024-05-31T12:00:00Z"), time)),
    ),
    Case(
        "times-are-dates",
        NOTE,
        "1,500 of 1,500 events are at midnight",
        with_column(event_time=time.str.head(10)),
        with_column(event_time=some(0.9, time.str.head(10) + "T00:00:00Z", time)),
    ),
    Case(
        "times-out-of-order",
        NOTE,
        "749 rows are earlier than the row above them",
        lambda rows: rows.reverse(),
        lambda rows: rows,
    ),
    Case(
        "items-never-repeat",
        WARNING,
        "1,500 events name 1,500 items",
        with_column(item_id="line" + number.cast(pl.String)),
        with_column(item_id="line" + (number // 2).cast(pl.String)),
        lines='item_id = "..."',
    ),
    Case(
        "customers-never-repeat",
        WARNING,
        "the 750 customers of 1,500 events never come twice",
        with_column(customer_id=col("order_id")),
        with_column(customer_id=some(0.7, col("order_id"), col("customer_id"))),
        lines='customer_id = "..."',
    ),
    Case(
        "customers-with-one-event",
        NOTE,
        "701 of 731 customers and visitors have one event",
        lambda rows: (
            rows.gather_every(2)
            .with_columns(
                customer_id=pl.when(number < 701)
                .then(col("order_id"))
                .otherwise("c" + (number % 30).cast(pl.String))
            )[: 701 + 49]
            .vstack(
                rows.gather_every(2)
                .with_columns(customer_id="c" + (number % 30).cast(pl.String))
                .head(60)
            )
        ),
        lambda rows: rows.gather_every(2),
    ),
    Case(
        "customers-are-orders",
        WARNING,
        "no customer id has two orders in the first rows (750 ids), while 'person email' has 150",
        with_column(customer_id=col("order_id"), **{"person email": col("customer_id")}),
        with_column(customer_id=col("order_id"), customer_city=col("customer_id")),
        lines='customer_id = "person email"',
    ),
    Case(
        "customer-has-most-events",
        WARNING,
        "450 of 1,500 events are of one customer of 151: 'till 1'",
        with_column(customer_id=some(0.3, lit("till 1"), col("customer_id"))),
        with_column(customer_id=some(0.1, lit("till 1"), col("customer_id"))),
        lines='[events.exclude]\ncustomer_id = { any_of = ["till 1"] }',
    ),
    Case(
        "customer-has-most-events",
        WARNING,
        "75 of 1,500 events are of one customer of 151: 'Guest'",
        with_column(customer_id=some(0.05, lit("Guest"), col("customer_id"))),
        with_column(customer_id=some(0.05, lit("Gustav"), col("customer_id"))),
    ),
    Case(
        "customer-has-most-events",
        WARNING,
        "450 of 1,500 events are of one customer of 151: '0'",
        with_column(
            customer_id=some(0.3, lit("0"), col("customer_id")), visitor_id=col("customer_id")
        ),
        with_column(visitor_id=col("customer_id")),
        lines='[events]\nmissing_in = { customer_id = ["0"] }',
    ),
    Case(
        "item-has-most-events",
        WARNING,
        "450 of 1,500 events are of one item of 121: 'POSTAGE'",
        with_column(item_id=some(0.3, lit("POSTAGE"), col("item_id"))),
        with_column(item_id=some(0.1, lit("POSTAGE"), col("item_id"))),
        lines='[events.exclude]\nitem_id = { any_of = ["POSTAGE"] }',
    ),
    Case(
        "types-of-no-model",
        WARNING,
        "300 of 1,500 events have types that no model uses: checkout-done (300)",
        with_column(event=some(0.2, lit("Checkout Done"), lit("view"))),
        with_column(event=some(0.2, lit("purchase"), lit("view"))),
        lines='[events.event_types]\n"checkout-done" = "..."',
    ),
    Case(
        "types-of-no-model",
        NOTE,
        "15 of 1,500 events have types",
        with_column(event=some(0.01, lit("store visit"), lit("purchase"))),
        with_column(event=lit("purchase")),
    ),
    Case(
        "types-not-learnt-from",
        NOTE,
        "no model learns from search (300)",
        with_column(event=some(0.2, lit("search"), lit("purchase"))),
        with_column(event=some(0.2, lit("view"), lit("purchase"))),
    ),
    Case(
        "no-purchase",
        WARNING,
        "no event is a purchase",
        with_column(event=some(0.2, lit("checkout"), lit("view"))),
        with_column(event=some(0.2, lit("buy"), lit("view"))),
    ),
    Case(
        "no-purchase",
        NOTE,
        "no event is a purchase",
        with_column(event=lit("view")),
        with_column(event=lit("purchase")),
    ),
    Case(
        "quantity-of-one-event",
        WARNING,
        "one purchase event of 1,500 has 90,000 of the 92,",
        with_column(quantity=some(0.0001, lit(90_000), col("quantity"))),
        with_column(quantity=some(0.0001, lit(900), col("quantity"))),
    ),
    Case(
        "many-returns",
        WARNING,
        "600 returns beside 900 purchases",
        with_column(event=some(0.4, lit("return"), lit("purchase"))),
        with_column(event=some(0.1, lit("return"), lit("purchase"))),
    ),
    Case(
        "prices-all-zero",
        WARNING,
        "no purchase has a price above 0: 'price' is 0 or empty in all 1,500",
        with_column(price=some(0.5, lit("0.00"), lit(None))),
        with_column(price=some(0.9, lit("0.00"), lit("1.99"))),
    ),
    Case(
        "two-currencies",
        WARNING,
        "prices are in EUR (1,200), GBP (300), of the rows looked at",
        with_column(price=some(0.2, "£" + col("price"), col("price") + " €")),
        with_column(price=some(0.2, "EUR " + col("price"), col("price") + " €")),
    ),
    Case(
        "two-currencies",
        WARNING,
        "prices are in CHF (1,350), EUR (150)",
        with_column(Currency=some(0.1, lit("EUR"), lit("CHF"))),
        with_column(Currency=lit("CHF")),
        lines='[events.require]\nCurrency = { any_of = ["CHF"] }',
    ),
    Case(
        "rows-repeat",
        WARNING,
        "1,500 of 3,000 rows say exactly what an earlier row says",
        lambda rows: pl.concat([rows, rows]),
        lambda rows: rows,
        lines='event_id = "..."',
    ),
    Case(
        "rows-repeat",
        NOTE,
        "40 of 1,540 rows say exactly",
        lambda rows: pl.concat([rows, rows.head(40)]),
        lambda rows: pl.concat([rows, rows.head(10)]),
    ),
    Case(
        "events-share-ids",
        WARNING,
        "750 of 1,500 rows were left out: an earlier row has their event id ('event_id')",
        with_column(event_id=col("order_id")),
        with_column(event_id=number),
        lines='event_id = ["event_id", "..."]',
    ),
    Case(
        "columns-not-used",
        NOTE,
        "columns that are not used (2): store, till",
        with_column(store=lit("a"), till=lit(1)),
        with_column(store=lit("a"), till=lit(1)),
        mapping={"properties": ["store", "till"]},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.severity}")
def test_a_look_speaks_where_it_must_and_only_there(case: Case, tmp_path: Path) -> None:
    report = prepared(tmp_path, case.odd(orders()))
    (look,) = [one for one in report.looks if one.code == case.code]
    assert f"`{case.code}`" in DOCUMENTED
    assert look.severity is case.severity
    assert look.table == "events"
    assert case.text in look.text
    assert look.advice
    if case.lines is not None:
        assert look.mapping is not None
        assert case.lines in look.mapping
    sound = prepared(tmp_path, case.sound(orders()), mapping={"events": case.mapping})
    assert case.code not in codes(sound)


def test_few_days_are_no_sign_that_customers_are_new(tmp_path: Path) -> None:
    days = with_column(event_time=some(0.5, lit("2024-03-01"), lit("2024-03-02")))
    once = days(orders()).with_columns(customer_id="c" + (number % 750).cast(pl.String))
    assert "customers-never-repeat" not in codes(prepared(tmp_path, once.sort("customer_id")))
    each = days(orders()).with_columns(customer_id="c" + number.cast(pl.String))
    assert "customers-never-repeat" in codes(prepared(tmp_path, each))


def test_nothing_is_wrong_with_a_sound_shop(tmp_path: Path) -> None:
    report = prepared(tmp_path, orders(), catalogue())
    assert report.looks == ()
    assert report.tables["events"].kept == ROWS
    assert report.items == ITEMS


def test_every_mapping_line_is_toml(tmp_path: Path) -> None:
    lines = [
        look.mapping
        for case in CASES
        for look in prepared(tmp_path, case.odd(orders())).looks
        if look.mapping is not None
    ]
    assert len(lines) > 10
    assert all(tomllib.loads(line) for line in lines)


def test_models_learn_from_the_types_that_a_look_says() -> None:
    assert set(LEARNT_FROM) == set(DEFAULT_EVENT_WEIGHTS)


def test_long_lists_are_cut_with_a_count() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(["a", "b"], 2) == "a, b"
