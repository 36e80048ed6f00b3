"""The report on a terminal: what looks wrong at its end, and tables that fit 80 columns."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console, RenderableType
from typer import Typer
from typer.testing import CliRunner, Result

from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.looks.look import Look, note, warning
from recsys.errors import DataError
from tests.odd_files import catalogue, orders, prepared
from training.prepare import prepare_command
from training.prepare_tables import column_table, print_looks, report_tables

MILLIONS = 12_345_678


def shown(parts: Iterable[RenderableType], width: int = 80) -> str:
    console = Console(file=StringIO(), width=width)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def printed(looks: Sequence[Look]) -> str:
    console = Console(file=StringIO(), width=80)
    print_looks(console, looks)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def run(*arguments: str | Path) -> Result:
    app = Typer()
    app.command()(prepare_command)
    return CliRunner().invoke(app, [str(part) for part in arguments], env={"COLUMNS": "80"})


def test_looks_are_a_list_with_what_to_do_and_what_to_copy() -> None:
    looks = [
        warning("code", "items", "0 of [7] join", "add these", '[items]\nid = "[x]"'),
        note("code", "events", "2 columns"),
    ]
    assert [line.rstrip() for line in printed(looks).splitlines()] == [
        "",
        "warning  items      0 of [7] join",
        "                    > add these",
        "",
        "    [items]",
        '    id = "[x]"',
        "",
        "note     events     2 columns",
    ]


def test_long_looks_stay_in_their_column_and_mapping_lines_whole() -> None:
    setting = f'columns = ["{"a long name, " * 9}"]'
    looks = [warning("code", "customers", "many words " * 20, "do this " * 20, setting)]
    lines = printed(looks).splitlines()
    assert f"    {setting}" in lines
    words = [line for line in lines if "columns" not in line]
    assert max(map(len, words)) <= 80
    assert all(line.startswith(" " * 20) for line in words[2:] if line.strip())


def test_the_report_ends_with_the_looks_and_where_the_set_is(tmp_path: Path) -> None:
    orders().write_csv(tmp_path / "events.csv")
    catalogue(["x1", "x2"]).write_csv(tmp_path / "items.csv")
    files = ("--events", tmp_path / "events.csv", "--items", tmp_path / "items.csv")
    result = run(*files, "--out", tmp_path / "out")
    assert result.exit_code == 0
    look = result.output.index("warning  items      0 of 120 item ids of the events")
    end = result.output[result.output.index("Prepared data set") :]
    assert look < result.output.index("Prepared data set")
    assert re.search(r"\(1 warning(, \d notes?)?\)", end)
    assert "recsys evaluate --data" in end
    strict = run(*files, "--out", tmp_path / "strict", "--strict")
    assert isinstance(strict.exception, DataError)
    assert "which --strict takes for errors" in str(strict.exception)
    assert not (tmp_path / "strict").exists()


def over_years(years: int) -> pl.DataFrame:
    days = pl.date_range(pl.date(2012, 1, 1), pl.date(2012 + years, 1, 1), "10d", closed="left")
    rows = pl.select(event_time=days.cast(pl.String))
    return rows.with_columns(customer_id=pl.lit("a"), item_id=pl.lit("tea"))


def test_long_histories_are_shown_by_year(tmp_path: Path) -> None:
    long = prepared(tmp_path, over_years(4))
    text = shown(report_tables(long))
    assert "Events by year" in text
    assert len(re.findall(r"│ 20\d\d ", text)) == 4
    assert len(long.events_by_month) == 48
    short = shown(report_tables(prepared(tmp_path, over_years(3))))
    assert "Events by month" in short
    assert "│ 2014-12 │" in short


def test_the_years_add_up(tmp_path: Path) -> None:
    report = prepared(tmp_path, over_years(4))
    years = re.findall(r"│ 20\d\d +│ +(\d+) +│", shown(report_tables(report)))
    assert sum(map(int, years)) == report.tables["events"].kept


@pytest.mark.parametrize(
    "kinds",
    [
        ["view", "add-to-cart", "purchase", "return", "wishlist", "rating", "search", "click"],
        ["remove-from-cart", "offer-redeemed", "email-click", "email-open", "purchase", "view"],
    ],
)
def test_tables_fit_a_terminal(kinds: list[str], tmp_path: Path) -> None:
    report = prepared(tmp_path)
    counts = dict.fromkeys(kinds, MILLIONS)
    rows = replace(
        report.tables["events"],
        rows=4 * MILLIONS,
        kept=4 * MILLIONS,
        rejected=MILLIONS,
        duplicates=MILLIONS,
    )
    wide = replace(
        report,
        tables={"events": rows, "customers": rows, "items": rows},
        events_by_type=counts,
        events_by_month={"2024-03": counts},
    )
    text = shown(report_tables(wide))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    numbers = re.findall(r"12,345,678", text)
    assert len(numbers) >= 9
    # What is not shown is in the last column.
    line = next(line for line in text.splitlines() if "2024-03 " in line)
    cells = [int(cell.replace(",", "")) for cell in re.findall(r"[\d,]{5,}", line)]
    assert sum(cells) == len(kinds) * MILLIONS


def test_long_lists_of_columns_are_cut() -> None:
    steps, makers = [f"step {n}" for n in range(40)], [f"maker {n}" for n in range(9)]
    many = MappedColumn("category", " + ".join(steps), "mapping", tuple(steps))
    first = MappedColumn("brand", ", else ".join(makers), "mapping", tuple(makers))
    few = MappedColumn("title", "kind + size", "mapping", ("kind", "size"))
    text = shown([column_table("items", [many, first, few])], 160)
    assert "step 3 + step 4 and 35 more" in text
    assert "maker 3, else maker 4 and 4 more" in text
    assert "kind + size" in text
