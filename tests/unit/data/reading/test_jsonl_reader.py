import json
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.jsonl_reader import open_jsonl
from recsys.data.reading.raw import ROW
from recsys.errors import DataError


def read(tmp_path: Path, *texts: str | bytes) -> tuple[pl.DataFrame, list[tuple]]:
    file = tmp_path / "in.jsonl"
    file.write_bytes(b"\n".join(t if isinstance(t, bytes) else t.encode() for t in texts))
    batches = list(open_jsonl(file).batches)
    broken = pl.concat([batch.broken for batch in batches]).select(ROW, "reason")
    return pl.concat([batch.rows for batch in batches]), broken.rows()


def test_numbers_stay_as_written(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, '{"a": 17850.0, "b": 12345678901234567890123, "c": 1.10, "d": true}')
    assert rows.row(0) == (1, "17850.0", "12345678901234567890123", "1.10", "true")


def test_keys_may_differ_from_line_to_line(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, '{"a": "x"}', '{"b": 1, "a": null}')
    assert rows.columns == [ROW, "a", "b"]
    assert rows.rows() == [(1, "x", None), (2, None, "1")]


def test_structures(tmp_path: Path) -> None:
    rows, broken = read(
        tmp_path,
        json.dumps({"tags": ["a", 1.5], "markets": [{"market": "de", "price": 1.5}]}),
        json.dumps({"tags": [], "markets": [{"market": "fr", "available": False}]}),
        json.dumps({"tags": None, "markets": []}),
    )
    assert rows["tags"].to_list() == [["a", "1.5"], [], None]
    german = {"market": "de", "price": "1.5", "available": None}
    french = {"market": "fr", "price": None, "available": "false"}
    assert rows["markets"].to_list() == [[german], [french], []]
    assert broken == []


def test_objects_become_json_text(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, '{"p": {"n": 1.50, "deep": [true, null]}}', '{"p": "text"}')
    assert rows["p"].to_list() == ['{"n":1.5,"deep":[true,null]}', "text"]


def test_one_odd_list_does_not_change_a_column(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, '{"id": "x"}', '{"id": ["y", 2]}', '{"id": 3}')
    assert rows["id"].to_list() == ["x", '["y",2]', "3"]


def test_a_list_column_takes_what_comes_later(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("recsys.data.reading.jsonl_reader.SAMPLE_LINES", 1)
    rows, _ = read(tmp_path, '{"tags": ["a"]}', '{"tags": "b", "new": 1}', '{"tags": null}')
    assert rows["tags"].to_list() == [["a"], ["b"], None]
    assert rows.columns == [ROW, "tags"]


def test_bad_lines_are_told_apart(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, '{"a": 1}', "nonsense", "", "[1]", b'{"a": "\xff"}', '{"a": 2}')
    assert rows["a"].to_list() == ["1", "2"]
    assert broken == [(2, "not JSON"), (3, "not a JSON object"), (4, "bytes that are not UTF-8")]


def test_half_a_character_is_no_text(tmp_path: Path) -> None:
    rows, broken = read(tmp_path, r'{"a": "\ud83d\ude00"}', r'{"a": "\uD83D"}')
    assert rows["a"].to_list() == ["\U0001f600"]
    assert broken == [(2, "not Unicode text")]


def test_nesting_without_end_is_not_json(tmp_path: Path) -> None:
    _, broken = read(tmp_path, '{"a": 1}', '{"a": ' + "[" * 100_000)
    assert broken == [(2, "not JSON")]


def test_no_object_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the first 1 lines is a JSON object"):
        read(tmp_path, "customer,item")
