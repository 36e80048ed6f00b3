from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading import lines
from recsys.data.reading.csv_reader import open_csv
from recsys.data.reading.csv_records import MAX_RECORD_LINES, CsvFormat, RecordJoiner
from recsys.data.reading.raw import ROW
from recsys.errors import DataError


def read(tmp_path: Path, content: str | bytes, **options: str) -> tuple[list[tuple], list[tuple]]:
    """Returns the rows and (row, reason, value) of the broken ones."""
    file = tmp_path / "in.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    batches = list(open_csv(file, **options).batches)
    rows = pl.concat([batch.rows for batch in batches])
    broken = pl.concat([batch.broken for batch in batches])
    return rows.rows(), broken.select(ROW, "reason", "value").sort(ROW).rows()


def test_every_cell_is_text(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, "a,b\n007,1.50\n,x\n")
    assert rows == [(1, "007", "1.50"), (2, "", "x")]
    assert broken == []


def test_windows_line_ends_marks_and_blank_lines(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, b"\xef\xbb\xbf\r\na;b\r\n1;2\r\n\r\n3;4")
    assert rows == [(1, "1", "2"), (2, "3", "4")]
    assert broken == []


def test_quotes_delimiters_and_lines_inside_a_cell(tmp_path: Path) -> None:
    content = 'a,b\n"1,5","say ""hi"""\nplain,"two\nlines"\n5" pipe,x\nlast,"y"\n'
    rows, broken = read(tmp_path, content)
    assert rows == [
        (1, "1,5", 'say "hi"'),
        (2, "plain", "two\nlines"),
        (3, '5" pipe', "x"),
        (4, "last", "y"),
    ]
    assert broken == []


def test_wrong_width_costs_one_row(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, "a,b,c\n1,2\n1,2,3\n1,2,3,4\n4,5,6\n")
    assert [row[0] for row in rows] == [2, 4]
    reason = "wrong number of fields (not 3)"
    assert broken == [(1, reason, "1,2"), (3, reason, "1,2,3,4")]


def test_a_stray_quote_costs_one_row(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, 'a,b\n1,2\n"oops,3\n4,5\n"6","7"\n8,"oops\n9,10\n')
    assert [row[1] for row in rows] == ["1", "4", "6", "9"]
    assert [row for row, *_ in broken] == [2, 5]
    assert all(reason.startswith("broken quotes") for _, reason, _ in broken)


def test_without_quotes_a_quote_is_a_character(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, 'a,b\n"1,2\n3,"4"\n', quote="")
    assert rows == [(1, '"1', "2"), (2, "3", '"4"')]
    assert broken == []


def test_undecodable_bytes_cost_one_row(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, b"a,b\n1,2\n\xff\xfe,3\n4,5\n")
    assert [row[1] for row in rows] == ["1", "4"]
    assert [(row, reason) for row, reason, _ in broken] == [(2, "bytes that are not UTF-8")]


def test_a_replacement_character_that_was_written_is_text(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, "a,b\n1,caf\ufffd\n")
    assert rows == [(1, "1", "caf\ufffd")]
    assert broken == []


def test_zero_bytes_stay_in_the_cell_when_bytes_are_replaced(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, b"a,b\n\xff,1\nx\x00y,2\n")
    assert rows == [(2, "x\x00y", "2")]
    assert [row for row, *_ in broken] == [1]


def test_cells_go_on_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "a,b\n" + "".join(f'{n},"line\nof {n}"\n' for n in range(50))
    whole, _ = read(tmp_path, content)
    cut = lines.read_lines.__kwdefaults__
    monkeypatch.setitem(cut, "batch_rows", 3)
    rows, broken = read(tmp_path, content)
    assert rows == whole
    assert len(rows) == 50
    assert broken == []


def test_a_cell_left_open_at_the_end_is_broken(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, 'a,b\n1,2\n3,"never closed\nand on\n')
    assert [row[1] for row in rows] == ["1"]
    assert [row for row, *_ in broken] == [2, 3]


def test_joining_gives_up_after_so_many_lines() -> None:
    form = CsvFormat(",", '"', 2)
    text = ['1,"open', *["middle"] * MAX_RECORD_LINES, 'end"']
    joiner = RecordJoiner(form)
    records = joiner.records(pl.Series("line", text)).to_list() + joiner.rest().to_list()
    assert records == text


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("", {}, "is empty"),
        ("\n\n\n", {}, "header"),
        ('"a,b\n1,2\n', {}, "check its quotes"),
        ("a;b;c\n1;2;3\n", {"delimiter": ","}, "is the delimiter ';'"),
        (b"gr\xf6\xdfe,b\nx,1\n", {"encoding": "utf-8"}, "header has bytes that are not UTF-8"),
    ],
)
def test_a_useless_file_says_why(
    tmp_path: Path, content: str | bytes, options: dict[str, str], words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read(tmp_path, content, **options)
    assert "in.csv" in str(caught.value)


def test_one_column_with_a_given_delimiter_may_be_meant(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, "a\n1\n2\n", delimiter=";")
    assert rows == [(1, "1"), (2, "2")]
    assert broken == []


def test_between_tabs_stray_quotes_are_characters(tmp_path: Path) -> None:
    content = 'a\tb\n1\t"best" in class\n2\t"two\nlines"\n3\t"5 inch\n4\t"x"\n'
    rows, broken = read(tmp_path, content, delimiter="\t")
    assert [row[2] for row in rows] == ['"best" in class', "two\nlines", '"5 inch', "x"]
    assert broken == []


@pytest.mark.parametrize("sign", ["::", "|||", "^", "~", "\x01", " "])
def test_any_delimiter_may_be_given(tmp_path: Path, sign: str) -> None:
    content = f'a{sign}b\n1{sign}2\n"x{sign}y"{sign}"q""z"\n1{sign}2{sign}3\n'
    rows, broken = read(tmp_path, content, delimiter=sign)
    assert rows == [(1, "1", "2"), (2, f"x{sign}y", 'q"z')]
    assert [(row, reason) for row, reason, _ in broken] == [(3, "wrong number of fields (not 2)")]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8", "cp1250"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_encoding_may_be_given(tmp_path: Path, encoding: str, end: str) -> None:
    content = end.join(["größe;b", "ö;1", "", '"ü\x00";2', "last;3"]).encode(encoding)
    rows, broken = read(tmp_path, content, encoding=encoding)
    assert rows == [(1, "ö", "1"), (2, "ü\x00", "2"), (3, "last", "3")]
    assert broken == []


def test_bytes_that_are_not_of_the_encoding_cost_one_row(tmp_path: Path) -> None:
    content = "a,b\n김,1\n이,2\n".encode("cp949") + b"\xff\xff,3\nx,4\n"
    rows, broken = read(tmp_path, content, encoding="cp949")
    assert rows == [(1, "김", "1"), (2, "이", "2"), (4, "x", "4")]
    assert [(row, reason) for row, reason, _ in broken] == [(3, "bytes that are not cp949")]


def test_decoded_cells_go_on_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lines.read_lines.__kwdefaults__, "batch_rows", 3)
    monkeypatch.setattr(lines, "read_chunks", lambda file: iter_chunks(file.read_bytes(), 7))
    content = "a,b\r\n" + "".join(f'{n},"ö\r\nof {n}"\r\n' for n in range(50))
    rows, broken = read(tmp_path, content.encode("utf-16"))
    assert rows == [(n + 1, str(n), f"ö\nof {n}") for n in range(50)]
    assert broken == []


def iter_chunks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def test_nameless_columns_get_a_name(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(",b\n0,1\n")
    assert open_csv(file).columns == ("column_1", "b")
