import polars as pl

from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.looks.people import PersonColumn, find_person_column
from recsys.data.reading.looks.watch import Watch
from recsys.data.reading.mapping import EventMapping

COLUMNS = ("who", "sku", "day", "clock", "state", "line_1", "line_2", "net", "pcs", "channel")
NOTES = (
    MappedColumn("customer_id", "who", "mapping", ("who",)),
    MappedColumn("item_id", "sku", "guessed", ("sku",)),
    MappedColumn("event_time", "day + clock", "mapping", ("day", "clock")),
    MappedColumn("unit_price", "net / quantity", "mapping", ("net",)),
    MappedColumn("event_type", "'purchase'", "default", ()),
    MappedColumn("channel", "'channel'", "constant", ()),
)


def test_a_column_that_any_setting_names_is_used() -> None:
    mapping = EventMapping.model_validate(
        {
            "columns": {"customer_id": "who"},
            "constants": {"channel": "channel"},
            "exclude": {"state": {"any_of": ["void"]}},
            "explode": {"columns": ["line_*"]},
        }
    )
    watch = Watch()
    watch.columns("events", COLUMNS, NOTES, mapping)
    watched = watch.tables["events"]
    assert watched.unused == ("pcs", "channel")
    assert watched.sources["event_time"] == ("day", "clock")
    assert watched.sources["unit_price"] == ("net",)
    assert watch.source("events", "item_id") == "sku"
    assert watch.source("events", "event_time") is None
    assert watch.source("items", "item_id") is None


def test_columns_are_those_of_the_first_file() -> None:
    watch = Watch()
    watch.columns("events", COLUMNS, NOTES, EventMapping())
    watch.columns("events", ("who", "sku", "day", "clock", "more"), NOTES, EventMapping())
    assert watch.tables["events"].columns == COLUMNS


SOURCES = {"customer_id": ("id",), "event_time": ("at",)}
VISITS = pl.DataFrame(
    {
        "id": [f"o{n}" for n in range(40)],
        "at": [f"t{n}" for n in range(40)],
        "member_no": [f"m{n % 8}" for n in range(40)],
        "account": [f"a{n % 20}" for n in range(40)],
        "client_kind": ["new"] * 40,
        "card": [f"card{n}" for n in range(40)],
    }
)
NAMES = ("member_no", "account", "client_kind", "card")


def test_the_column_that_tells_the_most_people_apart_is_taken() -> None:
    found = find_person_column(VISITS, SOURCES, NAMES)
    assert found == PersonColumn("account", people=20, customers=40)
    assert find_person_column(VISITS, SOURCES, ("card",)) is None
    assert find_person_column(VISITS, SOURCES, ("client_kind",)) is None
    assert find_person_column(VISITS, {"customer_id": ("id",)}, NAMES) is None


def test_a_customer_with_two_orders_needs_no_other_column() -> None:
    rows = VISITS.with_columns(id=pl.col("member_no"))
    assert find_person_column(rows, SOURCES, ("account",)) is None


def test_a_column_that_changes_within_a_customer_is_no_person() -> None:
    lines = pl.concat([VISITS, VISITS.with_columns(account=pl.lit("a1"))])
    assert find_person_column(lines, SOURCES, ("account",)) is None


def test_names_of_ones_own_do_not_collide() -> None:
    names = ("customer", "order", "customer list", "^customer.*$")
    lists = pl.Series([["a"]] * len(VISITS))
    rows = VISITS.with_columns(
        **{name: pl.lit("x") for name in names if name != "customer list"}, **{names[2]: lists}
    )
    assert find_person_column(rows, SOURCES, names) is None
