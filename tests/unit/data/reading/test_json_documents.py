"""JSON that is not one object a line: lists, objects that hold one, pretty-printed objects."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading import json_layout, jsonl_reader, lines
from recsys.data.reading.jsonl_reader import open_jsonl
from recsys.data.reading.raw import RawTable
from recsys.errors import DataError

ROWS = [{"a": 1.5, "b": {"c": [{"d": 1}]}}, {"a": None, "late": "ö"}]


def opened(tmp_path: Path, content: str | bytes, name: str = "in.json", **options) -> RawTable:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_jsonl(file, **options)


def rows(table: RawTable) -> list[tuple]:
    return [row[1:] for row in pl.concat([batch.rows for batch in table.batches]).rows()]


def broken(table: RawTable) -> list[tuple]:
    return [row[::2] for batch in table.batches for row in batch.broken.rows()]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (json.dumps(ROWS), {}),
        (json.dumps(ROWS, indent=2), {}),
        (json.dumps({"orders": ROWS}), {}),
        (json.dumps({"n": 2, "next": None, "orders": ROWS, "ids": [1]}, indent=1), {}),
        (json.dumps({"data": {"n": 1, "orders": ROWS}, "meta": {}}), {}),
        (json.dumps({"orders": ROWS, "deeper": {"lines": ROWS}}), {}),
        ("\n".join(json.dumps(row, indent=4) for row in ROWS), {}),
        ("".join(json.dumps(row, indent=4) for row in ROWS), {}),
        ("\n\n".join(map(json.dumps, ROWS)), {}),
        (json.dumps({"o": ROWS, "c": [{"x": 1}]}), {"records": "o"}),
        (json.dumps({"data": {"o": ROWS, "c": [{}]}}), {"records": "data.o"}),
        (json.dumps({"data.o": ROWS, "data": {"x": []}}), {"records": "data.o"}),
        ("\n".join(json.dumps({"o": [row]}) for row in ROWS), {"records": "o"}),
        ("\n".join(json.dumps([row]) for row in ROWS), {}),
    ],
)
@pytest.mark.parametrize("size", [5, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_every_layout_gives_the_same_rows(  # noqa: PLR0917
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    options: dict[str, str],
    size: int,
    packed: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr("recsys.data.reading.byte_source.read_chunks.__defaults__", (size,))
    raw = ("\ufeff" + content).encode()
    table = opened(tmp_path, gzip.compress(raw) if packed else raw, **options)
    assert table.columns == ("a", "b", "b.c", "late")
    assert rows(table) == [
        ("1.5", '{"c":[{"d":1}]}', [{"d": "1"}], None),
        (None, None, None, "ö"),
    ]
    assert not broken(table)


def test_the_list_that_was_taken_is_said(tmp_path: Path) -> None:
    table = opened(tmp_path, '{"orders": [{"a": 1}]}')
    assert table.notes == ("the rows are the objects of 'orders'",)
    assert opened(tmp_path, '[{"a": 1}]').notes == ()


@pytest.mark.parametrize("content", ['{"a": 1, "p": [{"c": 2}]}', '{\n"a": 1, "p": [{"c": 2}]}'])
def test_one_object_of_json_lines_is_a_row(tmp_path: Path, content: str) -> None:
    assert rows(opened(tmp_path, content, "in.jsonl")) == [("1", [{"c": "2"}])]


def test_one_object_without_a_list_of_objects_is_a_row(tmp_path: Path) -> None:
    for content in ('{"a": 1, "tags": ["x"]}', '{\n"a": 1, "tags": ["x"]}'):
        assert rows(opened(tmp_path, content)) == [("1", ["x"])]


def test_a_long_object_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_layout, "ROW_CHARACTERS", 100)
    monkeypatch.setattr("recsys.data.reading.byte_source.read_chunks.__defaults__", (64,))
    content = json.dumps({"n": 1, "orders": [{"a": n} for n in range(99)]}, indent=1)
    assert len(rows(opened(tmp_path, content))) == 99


def test_what_is_no_object_is_a_rejected_row(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(jsonl_reader, "_CHUNK_ROWS", 1)
    content = b'[{"a": "\xff"}, 2, {"a": "\\ud800"}, {"a": 1}]'
    table = opened(tmp_path, content)
    batches = list(table.batches)
    assert [row[::2] for batch in batches for row in batch.broken.rows()] == [
        (1, "bytes that are not UTF-8"),
        (2, "not a JSON object"),
        (3, "not Unicode text"),
    ]
    assert batches[0].rows.rows() == [(4, "1")]


def test_a_replacement_character_that_was_written_is_text(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, '[{"a": "\ufffd"}]')) == [("\ufffd",)]


@pytest.mark.parametrize("name", ["utf-16", "cp1252", "utf-8"])
def test_documents_in_other_encodings(tmp_path: Path, name: str) -> None:
    content = '[{"größe": "schön"},\n{"größe": "süß"}]'.encode(name)
    table = opened(tmp_path, content, encoding=name)
    assert table.columns == ("größe",)
    assert rows(table) == [("schön",), ("süß",)]


def test_zstd_that_only_polars_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "in.json.zst"
    pl.DataFrame({"x": ['[{"a":1},', ' {"a":2}]']}).write_csv(
        file, include_header=False, quote_style="never", compression="zstd"
    )
    for can in (True, False):
        monkeypatch.setattr(lines, "can_unpack", lambda _, can=can: can)
        assert rows(open_jsonl(file)) == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ('[{"a": 1}\n{"a": 2}]', {}, "line 2, column 1: ',' or ']' is expected"),
        ('[{"a": 1},\n  {"a": 2},\n  {"a":', {}, "line 3, column 8: Expecting value"),
        ('[{"a": 1}, {"a": "x', {}, "line 1, column 18: Unterminated string"),
        # Python 3.13 names the comma, earlier ones what follows it.
        ('{\n"a": 1,\n}\n', {}, "line (3, column 1: Expecting|2, column 7: Illegal)"),
        ('{"o": [{"a": 1}', {}, "line 1, column 16: Expecting ',' delimiter"),
        ('{"o": {"p": [{"a": 1}], 5: 1}}', {"records": "o.p"}, "column 25: a key in quotes"),
        ('[{"a": 1}] x', {}, "line 1, column 12: '\\[' is expected"),
        ('[{"a": ' + "[" * 100_000, {}, "line 1, column 2: values are nested too deeply"),
        ("[]", {}, "its list holds no object"),
        ("[1, 2]", {}, "its list holds no object"),
        ('{"o": [{"a": 1}], "c": [{"b": 1}]}', {}, 'o, c. .* records = "o"'),
        ('{"d": {"o": [{}], "c": [{}]}}', {}, r"d\.o, d\.c"),
        ('{"o": [{"a": 1}]}', {"records": "x"}, "no list under 'x'"),
        ('{"o": {"a": 1}}', {"records": "o"}, "no list under 'o'"),
        ('[{"a": 1}]', {"records": "o"}, "is a list itself"),
        ("", {}, "is empty"),
        ("\n \n", {}, "none of the first 0 lines"),
        ("[1]\n[2]\n", {}, "its list holds no object"),
    ],
)
@pytest.mark.parametrize("size", [5, 1 << 20])
def test_a_broken_document_says_where(  # noqa: PLR0917
    tmp_path: Path, monkeypatch, content: str, options: dict[str, str], words: str, size: int
) -> None:
    monkeypatch.setattr("recsys.data.reading.byte_source.read_chunks.__defaults__", (size,))
    with pytest.raises(DataError, match=words) as caught:
        opened(tmp_path, content, **options)
    assert "in.json" in str(caught.value)


@pytest.mark.parametrize("first", ['{"a": 1', '{"a": 1,}', '{"a" 1}'])
def test_lines_of_which_the_first_is_broken(tmp_path: Path, first: str) -> None:
    table = opened(tmp_path, f'{first}\n{{"a": 2}}\n{{"a": 3}}')
    batch = next(table.batches)
    assert batch.rows.rows() == [(2, "2"), (3, "3")]
    assert batch.broken.rows() == [(1, "", "not JSON", first)]


def test_a_list_among_lines_is_a_rejected_row(tmp_path: Path) -> None:
    batch = next(opened(tmp_path, '[1]\n{"a": 2}\n').batches)
    assert batch.rows.rows() == [(2, "2")]
    assert batch.broken.rows() == [(1, "", "not a JSON object", "[1]")]
