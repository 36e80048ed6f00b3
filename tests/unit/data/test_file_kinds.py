"""A file that is not what its name says is told by what it is."""

from pathlib import Path

import polars as pl
import pytest

from recsys.data.file_kinds import refuse_other_kind
from recsys.data.reading.readers import open_table
from recsys.errors import ConfigError, DataError
from serving.export.audience import of_file


@pytest.mark.parametrize(
    ("name", "start", "text"),
    [
        ("a.csv", b"\x89PNG\r\n\x1a\n", "is read as CSV by its name, but begins as a PNG image"),
        ("a.tsv", b"%PDF-1.7", "a PDF document"),
        ("a.jsonl", b"SQLite format 3\x00", "is read as JSON Lines by its name"),
        ("a.csv", b"PK\x03\x04", "an Excel workbook: save the sheet as CSV"),
    ],
)
def test_another_kind_is_named(tmp_path: Path, name: str, start: bytes, text: str) -> None:
    file = tmp_path / name
    file.write_bytes(start + b"and more")
    with pytest.raises(DataError) as caught:
        open_table(file)
    assert text in str(caught.value)
    assert str(file) in str(caught.value)


def test_parquet_by_another_name_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"customer_id": ["a"]}).write_parquet(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"a Parquet file: give it a name that ends in \.parquet"):
        open_table(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="begins as a Parquet file"):
        of_file(tmp_path / "a.csv")


def test_text_is_let_through(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("PARTNER,item\n")
    refuse_other_kind(tmp_path / "a.csv", "CSV")
    refuse_other_kind(tmp_path / "not-there.csv", "CSV")
    refuse_other_kind(tmp_path, "CSV")
