import gzip
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.file_form import FileForm
from recsys.data.reading.raw import ROW, RawTable
from recsys.data.reading.readers import find_files, open_table
from recsys.errors import DataError

CSV = b"a,b\n1,2\n3,4\n"


def rows(table: RawTable) -> list[tuple]:
    return pl.concat([batch.rows for batch in table.batches]).rows()


def test_a_folder_a_pattern_and_a_file(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv.gz", "deep/c.parquet", "notes.md", "_SUCCESS"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    names = [file.relative_to(tmp_path).as_posix() for file in find_files(str(tmp_path))]
    assert names == ["a.csv.gz", "b.csv", "deep/c.parquet"]
    assert [file.name for file in find_files(f"{tmp_path}/**/*.parquet")] == ["c.parquet"]
    assert find_files(str(tmp_path / "b.csv")) == (tmp_path / "b.csv",)


@pytest.mark.parametrize("name", ["nothing.csv", "*.csv", "."])
def test_nothing_found_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"there is no|holds no file"):
        find_files(str(tmp_path / name))


def test_the_ending_tells_the_kind(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["1", "3"], "b": ["2", "4"]})
    frame.write_parquet(tmp_path / "x.PARQUET")
    (tmp_path / "x.csv").write_bytes(CSV)
    (tmp_path / "x.tsv").write_bytes(CSV.replace(b",", b"\t"))
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(CSV))
    (tmp_path / "x.ndjson").write_text('{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n')
    frame.write_csv(tmp_path / "x.csv.zst", compression="zstd")
    for file in find_files(str(tmp_path)):
        table = open_table(file)
        assert table.columns == ("a", "b"), file
        assert rows(table) == [(1, "1", "2"), (2, "3", "4")], file
    assert len(find_files(str(tmp_path))) == 6


def test_rows_of_parquet_are_counted_from_one(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(3)}).write_parquet(tmp_path / "x.parquet")
    batch = next(open_table(tmp_path / "x.parquet").batches)
    assert batch.rows[ROW].to_list() == [1, 2, 3]
    assert batch.broken.is_empty()


def test_bytes_in_parquet_are_text(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pl.DataFrame({"a": [b"tea", None], "b": [1, 2]}).write_parquet(file)
    assert rows(open_table(file)) == [(1, "tea", 1), (2, None, 2)]
    pl.DataFrame({"a": [b"tea", b"\xff", None], "b": [1, 2, 3]}).write_parquet(file)
    assert rows(open_table(file)) == [(1, "tea", 1), (3, None, 3)]
    broken = next(open_table(file).batches).broken
    assert broken.rows() == [(2, "", "bytes that are not UTF-8", "\ufffd")]


def broken_files() -> dict[str, bytes]:
    return {
        "cut.csv.gz": gzip.compress(CSV * 10_000)[:-50],
        "not.parquet": CSV,
        "empty.parquet": b"",
        "empty.csv": b"",
        "empty.jsonl": b"",
        "what.xlsx": b"PK",
    }


@pytest.mark.parametrize("name", broken_files())
def test_a_broken_file_names_itself(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(broken_files()[name])
    with pytest.raises(DataError, match=name) as caught:
        list(open_table(file).batches)
    assert caught.value.metadata["file"] == str(file)


def test_a_missing_file_names_itself(tmp_path: Path) -> None:
    for name in ("gone.parquet", "gone.csv"):
        with pytest.raises(DataError, match=f"{name}: there is no such file"):
            open_table(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("what.xlsx", "save the sheet as CSV"),
        ("what.XLS", "save the sheet as CSV"),
        ("what.zip", "unzip it"),
        ("what.csv.zip", "unzip it"),
        ("what.tar.gz", "unpack it; then unpack it"),
        ("what.parquet.gz", "unpack it: .parquet is compressed inside already"),
        ("what.csv.bz2", "pack the text file itself by gzip"),
        ("what.avro", "convert it to Parquet"),
        ("what.orc", "convert it to Parquet"),
        ("what.sqlite", "export its table as CSV"),
        ("what.docx", ""),
        ("what", ""),
        ("gz.gz", ""),
    ],
)
def test_what_is_not_read_says_what_to_do(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / name
    file.write_bytes(b"PK")
    assert find_files(str(file)) == (file,)
    with pytest.raises(DataError, match=f"the ending is none of .parquet.*{words or 'text.$'}"):
        open_table(file)
    there = f"; {name}: .*{words}" if words else r"\)$"
    with pytest.raises(DataError, match=f"holds no file that can be read .*{there}"):
        find_files(str(tmp_path / "in"))


def test_a_folder_may_have_the_name_of_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "x.csv"
    folder.mkdir()
    with pytest.raises(DataError, match="holds no file that can be read"):
        find_files(str(folder))
    with pytest.raises(DataError, match="is a folder, not a file"):
        open_table(folder)
    (folder / "part-0.csv").write_bytes(CSV)
    assert find_files(str(folder)) == (folder / "part-0.csv",)


def test_the_form_reaches_every_reader(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("title\n\nö::'1'\n".encode("utf-16-le"))
    form = FileForm(
        delimiter="::",
        quote="'",
        encoding="utf-16-le",
        skip_rows=2,
        header=("a", "b"),
        records="r",
    )
    assert rows(open_table(tmp_path / "x.csv", form)) == [(1, "ö", "1")]
    (tmp_path / "x.json").write_bytes('{"r": [{"a": "ö"}], "s": [{}]}'.encode("utf-16-le"))
    assert rows(open_table(tmp_path / "x.json", form)) == [(1, "ö")]
