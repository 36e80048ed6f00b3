"""Loads as a new user meets them: other column names, broken rows, broken files."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.data.dataset import Dataset
from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.mapping import EventMapping, ItemMapping, Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.report import DataReport
from recsys.data.reading.sources import Sources
from recsys.errors import DataError

NOW = datetime(2024, 6, 1, tzinfo=UTC)
HEADER = "Shopper ID,Article No,Ordered At,Qty,Price"
GOOD = [
    f"c{n % 7},p{n % 5},2024-03-{n % 28 + 1:02} 10:{n % 60:02}:00,{n % 3 + 1},9.99"
    for n in range(99)
]
ANY = Mapping(max_reject_rate=1)


def load(
    tmp_path: Path, content: str | bytes, mapping: Mapping | None = None, name: str = "in.csv"
) -> DataReport:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return prepare(Sources(str(file)), tmp_path / "out", mapping or Mapping(), now=NOW)


def rejects(folder: Path) -> list[tuple]:
    return pl.read_csv(folder / "rejects.csv").select("row", "field", "reason").sort("row").rows()


def test_foreign_columns(tmp_path: Path) -> None:
    report = load(tmp_path, "\n".join([HEADER, *GOOD]))
    assert report.tables["events"].kept == 99
    assert (report.customers, report.visitors, report.items) == (7, 0, 5)
    assert report.events_by_type == {"purchase": 99}
    assert report.events_by_month == {"2024-03": {"purchase": 99}}
    assert report.first_time == "2024-03-01T10:00:00+00:00"
    assert report.rejects == {}
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.items["item_id"].to_list() == [f"p{n}" for n in range(5)]
    assert dataset.items["available"].all()
    assert json.loads((tmp_path / "out/report.json").read_text())["customers"] == 7


def test_a_delimiter_is_found(tmp_path: Path) -> None:
    report = load(tmp_path, "\n".join([HEADER, *GOOD]).replace(",", ";"))
    assert report.tables["events"].kept == 99


def test_a_wrong_delimiter_is_named(tmp_path: Path) -> None:
    wrong = Mapping(events=EventMapping(delimiter=","))
    with pytest.raises(DataError, match=r"in\.csv: found one column .* is the delimiter ';'"):
        load(tmp_path, "\n".join([HEADER, *GOOD]).replace(",", ";"), wrong)


def test_broken_rows_are_set_aside(tmp_path: Path) -> None:
    broken = [
        "c1,p1,2024-03-01,1",
        "c1,p1,yesterday,1,2",
        ",p1,2024-03-01,1,2",
        "c1,p1,2024-03-01,0,2",
        '"c1,p1,2024-03-01,1,2',
    ]
    content = "\n".join([HEADER, *GOOD[:50], *broken, *GOOD[50:]]).encode()
    report = load(tmp_path, content + b"\nc1,\xff,2024-03-01,1,2\n", ANY)
    counts = report.tables["events"]
    assert (counts.rows, counts.kept, counts.rejected) == (105, 99, 6)
    assert rejects(tmp_path / "out") == [
        (51, "", "wrong number of fields (not 5)"),
        (52, "event_time", "bad time"),
        (53, "customer_id", "missing id"),
        (54, "quantity", "zero quantity"),
        (55, "", "broken quotes or wrong number of fields (not 5)"),
        (105, "", "bytes that are not UTF-8"),
    ]
    assert sum(report.rejects["events"].values()) == 6


def test_too_many_rejects_fail_the_load_and_can_be_looked_at(tmp_path: Path) -> None:
    content = "\n".join([HEADER, *GOOD[:18], "c1,p1,soon,1,2", "c1,p1,later,1,2"])
    with pytest.raises(DataError, match=r"2 of 20 rows were rejected, more than 5.0%.*bad time"):
        load(tmp_path, content)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.part").exists()
    assert len(rejects(tmp_path / "out.rejected")) == 2
    assert load(tmp_path, content, Mapping(max_reject_rate=0.1)).tables["events"].kept == 18


def test_rows_left_out_on_purpose_do_not_fail_a_load(tmp_path: Path) -> None:
    rules = Mapping(events=EventMapping(require={"item_id": {"pattern": "^p[12]$"}}))
    counts = load(tmp_path, "\n".join([HEADER, *GOOD]), rules).tables["events"]
    assert (counts.rows, counts.rejected, counts.filtered) == (99, 59, 59)
    assert counts.reject_rate == 0


def test_mixed_time_zones(tmp_path: Path) -> None:
    times = [
        "2024-03-01T10:00:00Z",
        "2024-03-01T10:00:00+02:00",
        "2024-03-01 10:00:00",
        "1709287200",
        "2024-03-01",
    ]
    content = "customer_id,item_id,event_time\n" + "".join(f"c,p,{time}\n" for time in times)
    report = load(tmp_path, content)
    assert report.clock["zoned"] == 3
    assert report.clock["naive"] == 2
    assert "times-mixed-zones" in {look.code for look in report.looks}
    hours = Dataset.open(tmp_path / "out").events.collect()["event_time"].dt.hour().to_list()
    assert hours == [0, 8, 10, 10, 10]


def test_odd_clocks(tmp_path: Path) -> None:
    times = ["2024-05-02", "2024-05-01", *["2024-05-03"] * 50, "2024-06-01T12:00:00"]
    content = "customer_id,item_id,event_time\n" + "".join(f"c,p,{time}\n" for time in times)
    report = load(tmp_path, content)
    assert report.clock == {
        "zoned": 0,
        "naive": 53,
        "midnight": 52,
        "future": 1,
        "out_of_order": 1,
    }
    assert [look.code for look in report.looks] == [
        "times-in-the-future",
        "times-are-dates",
        "times-out-of-order",
        "rows-repeat",
    ]


def test_order_is_looked_at_over_batches_but_not_over_files(tmp_path: Path) -> None:
    for name, day in (("a", 9), ("b", 1)):
        rows = "".join(f"c,p,2024-03-0{day} 10:0{n}:00\n" for n in range(3))
        (tmp_path / f"{name}.csv").write_text("customer_id,item_id,event_time\n" + rows)
    report = prepare(Sources(str(tmp_path / "*.csv")), tmp_path / "out", Mapping(), now=NOW)
    assert report.tables["events"].files == 2
    assert report.clock["out_of_order"] == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("in.csv", "customer_id,when,amount\nc,2024-01-01,1\n", "item_id or event_time"),
        ("in.csv", "", "is empty"),
        ("in.csv", "customer_id,item_id,event_time\n", "only headers"),
        ("in.parquet", "customer_id,item_id\n", "cannot be read"),
        ("in.csv.zst", "\x28\xb5\x2f\xfd broken", "cannot be read"),
        ("in.xlsx", "PK", "the ending is none of"),
    ],
)
def test_a_broken_file_says_what_to_do(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        load(tmp_path, content.encode("latin-1"), name=name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_unknown_event_types_are_stored_and_counted(tmp_path: Path) -> None:
    content = "visitor_id,item_id,date,action\nv,p,2024-01-01,Store Visit\nv,p,2024-01-02,pv\n"
    report = load(tmp_path, content)
    assert report.unknown_event_types == {"store-visit": 1}
    assert (report.customers, report.visitors) == (0, 1)
    assert report.one_event_share == 0
    once = "visitor_id,item_id,date,action\nv,p,2024-01-01,pv\nw,p,2024-01-01,visit\n"
    assert load(tmp_path, once).one_event_share == 1


def test_given_ids_are_kept_once(tmp_path: Path) -> None:
    rows = ["a,c,p,2024-01-02", "b,c,p,2024-01-01", "a,d,q,2024-01-01", ",c,p,2024-01-01"]
    report = load(tmp_path, "\n".join(["event_id,customer_id,item_id,date", *rows]))
    counts = report.tables["events"]
    assert (counts.rows, counts.kept, counts.duplicates) == (4, 3, 1)
    events = Dataset.open(tmp_path / "out").events.collect()
    assert events.filter(pl.col("event_id") == "a")["customer_id"].to_list() == ["c"]


def test_catalogue_and_customers(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("\n".join([HEADER, *GOOD]))
    markets = [{"market": "de", "available": True, "price": 2.5}]
    items = [
        {"sku": "p1", "name": "Tea", "tags": ["organic"], "markets": markets, "size": 3},
        {"sku": "p9", "name": "Cup", "price": "x"},
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers/1.csv").write_text("id,age\nc1,30\nc2,40\n")
    (tmp_path / "customers/2.csv").write_text("id,city\nc2,Rome\nc3,Oslo\n")
    heard: dict[str, tuple[MappedColumn, ...]] = {}
    report = prepare(
        Sources(
            str(tmp_path / "events.csv"),
            items=str(tmp_path / "items.jsonl"),
            customers=str(tmp_path / "customers"),
        ),
        tmp_path / "out",
        Mapping(max_reject_rate=0.5, items=ItemMapping(columns={"title": "name"})),
        now=NOW,
        announce=heard.__setitem__,
    )
    assert set(heard) == {"events", "items", "customers"}
    assert MappedColumn("title", "name", "mapping", ("name",)) in heard["items"]
    dataset = Dataset.open(tmp_path / "out")
    first = dataset.items.row(by_predicate=pl.col("item_id") == "p1", named=True)
    assert (first["title"], first["tags"], first["size"]) == ("Tea", ["organic"], 3)
    assert first["markets"] == markets
    assert dataset.items["item_id"].to_list() == ["p0", "p1", "p2", "p3", "p4"]
    assert report.tables["items"].bare == 4
    assert report.rejects["items"] == {"price: bad number": 1}
    assert dataset.customers.rows() == [
        ("c1", 30, None),
        ("c2", 40, None),
        ("c3", None, "Oslo"),
    ]
    counts = report.tables["customers"]
    assert (counts.files, counts.rows, counts.kept, counts.duplicates) == (2, 4, 3, 1)


def test_a_catalogue_without_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("\n".join([HEADER, *GOOD]))
    (tmp_path / "items.csv").write_text("name,price\nTea,1\n")
    sources = Sources(str(tmp_path / "events.csv"), items=str(tmp_path / "items.csv"))
    with pytest.raises(DataError, match=r"items\.csv: no column was recognised as item_id"):
        prepare(sources, tmp_path / "out", Mapping(), now=NOW)


def test_a_data_set_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    content = "\n".join([HEADER, *GOOD])
    load(tmp_path, content)
    digest = Dataset.open(tmp_path / "out").digest
    load(tmp_path, "\n".join([HEADER, *GOOD[::-1]]))
    assert Dataset.open(tmp_path / "out").digest == digest
    load(tmp_path, content[: content.rindex("\n")])
    assert Dataset.open(tmp_path / "out").digest != digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out"]
    (tmp_path / "out/events.parquet").unlink()
    with pytest.raises(DataError, match="choose another folder"):
        load(tmp_path, content)


def test_a_failed_load_leaves_the_old_data_set(tmp_path: Path) -> None:
    load(tmp_path, "\n".join([HEADER, *GOOD]))
    digest = Dataset.open(tmp_path / "out").digest
    with pytest.raises(DataError):
        load(tmp_path, "")
    assert Dataset.open(tmp_path / "out").digest == digest


def test_progress_is_told(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("\n".join([HEADER, *GOOD]))
    heard: list[tuple[str, int, int | None]] = []

    def progress(stage: str, done: int, total: int | None = None) -> None:
        heard.append((stage, done, total))

    source = Sources(str(tmp_path / "in.csv"))
    prepare(source, tmp_path / "out", Mapping(), now=NOW, progress=progress)
    assert heard == [("reading in.csv", 99, None), ("sorting events", 99, 99)]


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        ("c1,i1,2020-01-01,-1", "[events.returns] negative_quantity = true"),
        ("c1,i1,01.13.2026,1", "[events] time_format"),
        ("c1,i1,01/02/2026,1", 'time_format = "%d/%m/%Y" or "%m/%d/%Y"'),
        ("c1,i1,13/02/2026,1", 'time_format = "%d/%m/%Y". '),
        ("c1,i1,01-13-2026,1", 'time_format = "%m/%d/%Y". '),
        ('c1,i1,2020-01-01,"1,299"', "decimal_comma = true"),
    ],
)
def test_an_error_says_which_line_of_the_mapping_may_be_missing(tmp_path, row, advice):
    file = tmp_path / "orders.csv"
    file.write_text(f"customer_id,item_id,event_time,quantity\n{row}\n")
    with pytest.raises(DataError, match=re.escape(advice)):
        prepare(Sources(str(file)), tmp_path / "out", Mapping(), now=NOW)


def test_an_attribute_without_values_in_one_file_takes_the_type_of_another(tmp_path):
    (tmp_path / "events.csv").write_text("customer_id,item_id,event_time\nc,a,2024-01-01\n")
    (tmp_path / "items").mkdir()
    pl.DataFrame({"item_id": ["a"], "n": [None], "m": [None]}).write_parquet(
        tmp_path / "items/1.parquet"
    )
    (tmp_path / "items/2.csv").write_text("item_id,n,m,,Unnamed: 1\nb,5.0,,x,y\n")
    sources = Sources(str(tmp_path / "events.csv"), str(tmp_path / "items"))
    prepare(sources, tmp_path / "out", Mapping(), now=datetime(2024, 6, 1, tzinfo=UTC))
    items = pl.read_parquet(tmp_path / "out/items.parquet")
    assert items.schema["n"] == pl.Int64()
    assert items.schema["m"] == pl.String()
    assert items["n"].to_list() == [None, 5]
    assert items.columns[-2:] == ["n", "m"]
