"""What the first lines of a CSV file say."""

from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.csv_header import column_names, looks_like_data
from recsys.data.reading.csv_reader import open_csv
from recsys.data.reading.raw import RawTable
from recsys.errors import DataError


def opened(tmp_path: Path, content: str, **options) -> RawTable:
    file = tmp_path / "in.csv"
    file.write_text(content, newline="")
    return open_csv(file, **options)


def cells(table: RawTable) -> list[tuple[str, ...]]:
    batches = list(table.batches)
    assert sum(len(batch.broken) for batch in batches) == 0
    return [row[1:] for row in pl.concat([batch.rows for batch in batches]).rows()]


@pytest.mark.parametrize("line", ["sep=|", '"sep=|"', "\ufeffsep=|", "SEP=|"])
@pytest.mark.parametrize("skip_rows", [0, 1])
def test_the_line_of_excel_sets_the_delimiter(tmp_path: Path, line: str, skip_rows: int) -> None:
    table = opened(tmp_path, f"{line}\r\na,x|b\r\n1|2\r\n", skip_rows=skip_rows)
    assert table.columns == ("a,x", "b")
    assert cells(table) == [("1", "2")]


def test_rows_above_the_header_can_be_skipped(tmp_path: Path) -> None:
    content = "Report\nof,January\n\n\na,b\n1,2\n"
    assert opened(tmp_path, content, skip_rows=2).columns == ("a", "b")
    assert cells(opened(tmp_path, content, skip_rows=4)) == [("1", "2")]
    with pytest.raises(DataError, match="no header after the 9 lines of skip_rows"):
        opened(tmp_path, content, skip_rows=9)


@pytest.mark.parametrize(
    ("title", "skip"),
    [
        ("Sales report January 2026\n\n", 2),
        ("Report, January\n", 1),
        ("Report;;\n;;\n", 2),
        ("Report:;January;\n", 1),
    ],
)
def test_a_title_is_named_with_the_lines_to_skip(tmp_path: Path, title: str, skip: int) -> None:
    content = title + "customer_id;item_id;date\n" + "c1;i1;2026-01-01\n" * 30
    words = rf"line {skip + 1} does: customer_id, item_id, date. Set skip_rows = {skip} "
    with pytest.raises(DataError, match=words):
        opened(tmp_path, content)
    assert len(cells(opened(tmp_path, content, skip_rows=skip))) == 30


def test_a_title_above_rows_without_a_header_asks_for_both(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'skip_rows = 1 .* 2 columns: header = \["...", "..."\]'):
        opened(tmp_path, "Report\nc1,2026-01-01\nc2,2026-01-01\n")


@pytest.mark.parametrize(
    "content",
    [
        "item_id\nx,y\nx,z\n",  # one usual name is a header
        "customer,bought\n1,2,3\n1,2,3\n1,2,3\n",  # rows are wrong, not the header
        "id,,\n1,2,3\n4,5,6\n",
        "note\nonly one row\n",
    ],
)
def test_a_header_is_no_title(tmp_path: Path, content: str) -> None:
    assert opened(tmp_path, content).columns[0] in {"item_id", "customer", "id", "note"}


def test_names_may_come_from_the_mapping(tmp_path: Path) -> None:
    content = '1;2\n"3";4\n'
    table = opened(tmp_path, content, header=("a", "b"))
    assert table.columns == ("a", "b")
    assert cells(table) == [("1", "2"), ("3", "4")]
    with pytest.raises(DataError, match="header names 3 columns, but line 1 has 2 fields: 1, 2"):
        opened(tmp_path, content, header=("a", "b", "c"))


def test_a_separator_at_the_end_of_rows_is_dropped(tmp_path: Path) -> None:
    content = 'a;b\n1;2;\n3;"x;\ny";\n5;6;\n7;8\n' + "1;2;\n" * 30
    table = opened(tmp_path, content)
    assert table.columns == ("a", "b")
    assert table.notes == (
        "rows end with a separator more than the header: the last cell is empty",
    )
    assert cells(table)[:4] == [("1", "2"), ("3", "x;\ny"), ("5", "6"), ("7", "8")]
    named = opened(tmp_path, content.partition("\n")[2], header=("a", "b"))
    assert cells(named) == cells(opened(tmp_path, content))


def test_a_cell_beyond_the_header_is_never_dropped(tmp_path: Path) -> None:
    batches = list(opened(tmp_path, "a;b\n1;2;lost\n" + "1;2;\n" * 30).batches)
    assert batches[0].broken["value"].to_list() == ["1;2;lost"]


def test_separators_at_the_end_of_all_lines_make_nameless_columns(tmp_path: Path) -> None:
    table = opened(tmp_path, "a;b;;\n1;2;;\n")
    assert table.columns == ("a", "b", "column_3", "column_4")
    assert table.notes == ()


def test_repeated_names_are_numbered_and_said(tmp_path: Path) -> None:
    table = opened(tmp_path, "note,x,note\n1,2,3\n")
    assert table.columns == ("note", "x", "note (2)")
    assert table.notes == ("column 'note' stands twice: the second is 'note (2)'",)
    assert table.repeated == ("note",)
    names, later = column_names(["a", "a", "a (2)", "a"])
    assert names == ("a", "a (3)", "a (2)", "a (4)")
    assert later == {"a": ("a (3)", "a (4)")}


def test_names_have_no_invisible_edges(tmp_path: Path) -> None:
    content = '\ufeff\u00a0a\u200b, \'b c\' ,"c ","Price\n(EUR)"\n1,2,3,4\n'
    table = opened(tmp_path, content)
    assert table.columns == ("a", "b c", "c", "Price (EUR)")
    assert cells(table) == [("1", "2", "3", "4")]


@pytest.mark.parametrize("blank", ["\r\r\n", ";;\n", "\u00a0 \t\n", "\n"])
def test_lines_of_separators_and_spaces_are_no_header(tmp_path: Path, blank: str) -> None:
    assert opened(tmp_path, f"{blank}a;b\n1;2\n").columns == ("a", "b")


def test_a_file_may_have_nothing_but_a_header(tmp_path: Path) -> None:
    table = opened(tmp_path, "a,b,c\n")
    assert table.columns == ("a", "b", "c")
    assert cells(table) == []


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (["c0", "i0", "2026-01-01T10:00:00Z"], True),
        (["c0", "01.02.2026"], True),
        (["17", "tea"], True),
        (["tea", "1.299,50"], True),
        (["5a0c5b1e-0000-4000-8000-000000000001", "x"], True),
        (["ann@example.org", "x"], True),
        (["customer_id", "2024", "2025"], False),
        (["Kundennr", "Artikelnr"], False),
        (["", ""], False),
    ],
)
def test_a_header_does_not_look_like_data(line: list[str], *, data: bool) -> None:
    assert looks_like_data(line) is data
