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


def test_keys_and_kinds_that_come_late_count(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("recsys.data.reading.jsonl_reader.SAMPLE_LINES", 1)
    monkeypatch.setattr("recsys.data.reading.jsonl_reader._CHUNK_ROWS", 1)
    lines = ['{"id": ["a"], "tags": ["a"]}', '{"id": "b", "new": 1}', '{"tags": null}']
    rows, _ = read(tmp_path, *lines)
    assert rows.columns == [ROW, "id", "tags", "new"]
    assert rows["id"].to_list() == ['["a"]', "b", None]
    assert rows["tags"].to_list() == [["a"], None, None]
    assert rows["new"].to_list() == [None, "1", None]


def test_objects_give_json_text_and_what_they_hold(tmp_path: Path) -> None:
    rows, _ = read(
        tmp_path,
        '{"p": {"a": 1.50, "b": {"c": true, "d": [1, "x"]}}, "p.a": "literal"}',
        '{"p": "text"}',
        '{"p": {"b": null, "z": [{"k": {"q": 1.50}, "l": [{"m": 1}]}, {"x": {}}, {"k": null}]}}',
    )
    assert rows.columns == [ROW, "p", "p.b.c", "p.b.d", "p.z", "p.a"]
    assert rows["p"].to_list()[:2] == ['{"a":1.5,"b":{"c":true,"d":[1,"x"]}}', "text"]
    assert rows["p.a"].to_list() == ["literal", None, None]
    assert rows["p.b.c"].to_list() == ["true", None, None]
    assert rows["p.b.d"].to_list() == [["1", "x"], None, None]
    assert rows["p.z"].to_list()[2] == [
        {"k": {"q": "1.50"}, "l": [{"m": "1"}], "x": None},
        {"k": None, "l": None, "x": "{}"},
        {"k": None, "l": None, "x": None},
    ]


def test_what_is_now_an_object_now_text_keeps_both(tmp_path: Path) -> None:
    rows, _ = read(
        tmp_path,
        '{"p": {"q": {"n": 1.0}}, "l": [{"v": {"n": 2.0}}, {"v": 3.0}], "m": [1.0, {"n": 4.0}]}',
        '{"p": {"q": 5.0}, "l": [], "m": []}',
    )
    assert rows["p.q"].to_list() == ['{"n":1.0}', "5.0"]
    assert rows["p.q.n"].to_list() == ["1.0", None]
    assert rows["l"].to_list() == [[{"v": '{"n":2.0}'}, {"v": "3.0"}], []]
    assert rows["m"].to_list() == [["1.0", '{"n":4.0}'], []]


def test_an_object_used_as_a_map_is_json_text_alone(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    lines = [
        json.dumps({"by": {f"u{n}": n}, "q": {"m": {f"v{n}": 1}, "k": n}}) for n in range(600)
    ]
    file.write_text("\n".join(lines))
    table = open_jsonl(file)
    assert table.columns == ("by", "q", "q.m", "q.k")
    assert table.notes == tuple(
        f"{name} holds too many different keys: it is JSON text alone" for name in ("by", "q.m")
    )
    assert next(table.batches).rows.row(599)[1:4] == (
        '{"u599":599}',
        '{"m":{"v599":1},"k":599}',
        '{"v599":1}',
    )


def test_many_leaves_and_deep_ones_stay_json_text(tmp_path: Path) -> None:
    wide = {"w": {f"a{n}": {f"b{m}": 1 for m in range(30)} for n in range(30)}}
    deep: object = {"end": 1}
    for _ in range(30):
        deep = {"d": deep}
    rows, _ = read(tmp_path, json.dumps(wide), json.dumps(deep))
    assert rows.columns[:3] == [ROW, "w", "d"]
    assert len(rows.columns) < 20
    assert rows["d"][1] == json.dumps(deep["d"], separators=(",", ":"))


def test_keys_used_as_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="have 10001 different keys, more than 10000"):
        read(tmp_path, *(f'{{"k{n}": 1}}' for n in range(10_001)))


def test_numbers_too_long_for_python_are_text(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, '{"p": {"n": ' + "1" * 5000 + "}}")
    assert rows["p.n"].to_list() == ["1" * 5000]


def test_batches_hold_so_many_rows(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("recsys.data.reading.jsonl_reader._CHUNK_ROWS", 2)
    monkeypatch.setattr("recsys.data.reading.jsonl_reader.BATCH_ROWS", 4)
    file = tmp_path / "in.jsonl"
    file.write_text("\n".join([*(f'{{"a": {n}}}' for n in range(9)), "broken"]))
    batches = list(open_jsonl(file).batches)
    assert [len(batch.rows) for batch in batches] == [4, 4, 1]
    assert pl.concat([batch.rows for batch in batches])[ROW].to_list() == list(range(1, 10))
    assert batches[-1].broken[ROW].to_list() == [10]


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
