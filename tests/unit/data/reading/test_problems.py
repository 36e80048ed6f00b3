"""One run says everything that is wrong, and never ends well with what cannot be trained on."""

import json
from pathlib import Path

import polars as pl
import pytest

from recsys.data.dataset import Dataset
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from tests.odd_files import NOW, ROWS, catalogue, orders, prepared


def test_the_problems_of_all_tables_are_in_one_error(tmp_path: Path) -> None:
    bad = orders().with_columns(event_time=pl.lit("soon"))
    people = pl.DataFrame({"name": ["Ann"], "age": [30]})
    with pytest.raises(DataError) as failed:
        prepared(tmp_path, bad, catalogue().drop("item_id"), people)
    text = str(failed.value)
    assert text.startswith("3 things are wrong with the input:\n- ")
    assert "items.csv: found one column" in text
    assert "customers.csv: no column was recognised as customer_id" in text
    assert "events: 1,500 of 1,500 rows were rejected" in text
    assert not (tmp_path / "out").exists()
    assert len(pl.read_csv(tmp_path / "out.rejected/rejects.csv")) == 1_500


def test_rejects_of_all_tables_are_in_one_error(tmp_path: Path) -> None:
    bad = orders().with_columns(event_time=pl.lit("soon"))
    wrong = catalogue().with_columns(price=pl.lit("much"))
    with pytest.raises(DataError, match=r"2 things are wrong") as failed:
        prepared(tmp_path, bad, wrong)
    assert "events: 1,500 of 1,500 rows" in str(failed.value)
    assert "items: 120 of 120 rows" in str(failed.value)
    report = json.loads((tmp_path / "out.rejected/report.json").read_text())
    assert report["tables"]["items"]["rejected"] == 120


def test_a_file_of_events_that_is_broken_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("")
    (tmp_path / "items.csv").write_text("")
    sources = Sources(str(tmp_path / "events.csv"), items=str(tmp_path / "items.csv"))
    with pytest.raises(DataError, match=r"items\.csv: is empty\n- .*events\.csv: is empty"):
        prepare(sources, tmp_path / "out", Mapping(), now=NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.csv", "items.csv"]


RETURNED = orders(40).with_columns(event=pl.lit("purchase"), quantity=pl.lit(1))
GIVEN_BACK = pl.concat(
    [
        RETURNED,
        RETURNED.with_columns(event=pl.lit("return"), event_time=pl.lit("2024-05-01T09:00:00Z")),
    ]
)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (
            orders().with_columns(event=pl.lit("visit")),
            r"of 1,500 events none has a type that a model uses; the types are visit \(1,500\)",
        ),
        (
            orders().with_columns(event=pl.lit("search")).drop("item_id"),
            r"none with a known type names an item; the types are search \(1,500\)",
        ),
        (
            orders().with_columns(event=pl.lit("return")),
            r"1,500 are returns, and none that names an item is anything else",
        ),
        (GIVEN_BACK, r"of 80 events every purchase is given back by a return"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_as_training_would(
    events: pl.DataFrame, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(tmp_path)
    before = Dataset.open(tmp_path / "out").digest
    with pytest.raises(DataError, match=words) as failed:
        prepared(tmp_path, events)
    assert str(tmp_path / "out.rejected/report.json") in str(failed.value)
    assert json.loads((tmp_path / "out.rejected/report.json").read_text())["events_by_type"]
    assert Dataset.open(tmp_path / "out").digest == before
    # The rule is no stricter than that of training.
    monkeypatch.setattr("recsys.data.reading.prepare.untrainable", lambda *_: None)
    prepared(tmp_path, events)
    with pytest.raises(DataError, match="no event is left"):
        fit(Dataset.open(tmp_path / "out"), load_config(None))


@pytest.mark.parametrize(
    "events",
    [
        orders(1),
        orders(1).with_columns(event=pl.lit("impression")),
        GIVEN_BACK.head(79),
        GIVEN_BACK.with_columns(
            event=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("view")).otherwise("event")
        ),
    ],
    ids=["one purchase", "one impression", "one purchase stays", "one view"],
)
def test_what_can_be_trained_on_is_prepared(events: pl.DataFrame, tmp_path: Path) -> None:
    prepared(tmp_path, events)
    fit(Dataset.open(tmp_path / "out"), load_config(None))


def test_rows_that_are_all_left_out_can_be_looked_at(tmp_path: Path) -> None:
    nothing = {"events": {"require": {"item_id": {"pattern": "^x"}}}}
    with pytest.raises(DataError, match="no event is left"):
        prepared(tmp_path, mapping=nothing)
    assert len(pl.read_csv(tmp_path / "out.rejected/rejects.csv")) == 1_500


def test_strict_takes_warnings_for_errors_and_notes_never(tmp_path: Path) -> None:
    prepared(tmp_path)
    before = Dataset.open(tmp_path / "out").digest
    odd = orders().with_columns(item_id="line" + pl.int_range(pl.len()).cast(pl.String))
    with pytest.raises(
        DataError, match=r"1 warning\(s\), which --strict takes.*\n- events: 1,500"
    ):
        prepared(tmp_path, odd, strict=True)
    assert Dataset.open(tmp_path / "out").digest == before
    looks = json.loads((tmp_path / "out.rejected/report.json").read_text())["looks"]
    assert looks == [
        {
            "code": "items-never-repeat",
            "table": "events",
            "severity": "warning",
            "text": looks[0]["text"],
            "advice": looks[0]["advice"],
            "mapping": '[events.columns]\nitem_id = "..."',
        }
    ]
    assert prepared(tmp_path, odd).warnings
    noted = prepared(tmp_path, orders().with_columns(till=pl.lit("3")), strict=True)
    assert [look.code for look in noted.looks] == ["columns-not-used"]


def test_rows_left_out_on_purpose_are_no_reason_to_stop(tmp_path: Path) -> None:
    odd = orders().with_columns(
        kind=pl.Series(["page" if n < 900 else "order" for n in range(ROWS)]),
        item_id=pl.when(pl.int_range(ROWS) >= 1_400).then(None).otherwise("item_id"),
    )
    mapping = {"events": {"require": {"kind": {"any_of": ["order"]}}}}
    with pytest.raises(DataError, match=r"events: 100 of 1,500 rows were rejected") as caught:
        prepared(tmp_path, odd, mapping=mapping)
    assert "Most often: 100 x item_id: missing id. Every" in str(caught.value)
    assert '[events.columns] item_id = ["...", "..."]' in str(caught.value)


def test_no_event_is_left_and_why(tmp_path: Path) -> None:
    mapping = {"events": {"require": {"order_id": {"any_of": ["none"]}}}}
    with pytest.raises(DataError, match="no event is left: all 1,500 rows") as caught:
        prepared(tmp_path, mapping=mapping)
    assert "1,500 x order_id: left out by require: none of none" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"orders":[{"sku":"a"}]}\n{"orders":[{"sku":"b"}]}\n',
            ("the rows have one field, 'orders'", '[events.explode] columns = ["orders"]'),
        ),
        (
            '{"user":"u1","date":"2025-01-01","lines":[{"sku":"a"}]}\n',
            ("If 'lines' holds the goods of an order", '[events.explode] columns = ["lines"]'),
        ),
    ],
)
def test_goods_inside_of_records(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text(text)
    with pytest.raises(DataError) as caught:
        prepare(Sources(str(tmp_path / "orders.jsonl")), tmp_path / "out", Mapping(), now=NOW)
    assert all(part in str(caught.value) for part in words)
