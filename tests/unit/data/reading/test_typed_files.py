import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from recsys.data.reading.raw import ROW
from recsys.data.reading.readers import open_table
from recsys.errors import DataError

NOON_S = 1_709_294_400
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def write(table: pa.Table, file: Path) -> Path:
    if file.suffix == ".parquet":
        pyarrow.parquet.write_table(table, file)
    elif file.suffix == ".feather":
        pyarrow.feather.write_feather(table, file)
    else:
        new = pa.ipc.new_file if file.suffix == ".arrow" else pa.ipc.new_stream
        with new(file, table.schema) as writer:
            writer.write_table(table)
    return file


KINDS = ("x.parquet", "x.arrow", "x.feather", "x.ipc")
"""`.ipc` is written as a stream here, `.arrow` as a file."""


def read(file: Path) -> pl.DataFrame:
    table = open_table(file)
    rows = pl.concat([batch.rows for batch in table.batches])
    assert (ROW, *table.columns) == tuple(rows.columns)
    return rows.drop(ROW)


COLUMNS = {
    "offset": (pa.array([NOON_S * 10**9], pa.timestamp("ns", "+05:30")), NOON),
    "negative offset": (pa.array([NOON_S], pa.timestamp("s", "-03:30")), NOON),
    "zone": (pa.array([NOON_S * 1000], pa.timestamp("ms", "Asia/Kolkata")), NOON),
    "no such zone": (pa.array([NOON_S], pa.timestamp("s", "Z")), NOON),
    "seconds": (pa.array([NOON_S], pa.timestamp("s")), NOON.replace(tzinfo=None)),
    "far": (pa.array([32503680000 * 10**6], pa.timestamp("us")), datetime(3000, 1, 1)),  # noqa: DTZ001
    "date32": (pa.array([date(2024, 3, 1)], pa.date32()), date(2024, 3, 1)),
    "date64": (pa.array([date(2024, 3, 1)], pa.date64()), datetime(2024, 3, 1)),  # noqa: DTZ001
    "time": (pa.array([time(12, 30)], pa.time64("us")), time(12, 30)),
    "wide": (pa.array([Decimal("19.99")], pa.decimal128(38, 18)), Decimal("19.99")),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
    "large binary": (pa.array([b"tea"], pa.large_binary()), "tea"),
    "fixed binary": (pa.array([b"tea"], pa.binary(3)), "tea"),
    "large string": (pa.array(["tea"], pa.large_string()), "tea"),
    "string view": (pa.array(["tea"], pa.string_view()), "tea"),
    "binary view": (pa.array([b"tea"], pa.binary_view()), "tea"),
    "null": (pa.nulls(1), None),
    "list": (pa.array([["tea"]], pa.list_(pa.string())), ["tea"]),
    "large list": (pa.array([["tea"]], pa.large_list(pa.string())), ["tea"]),
    "fixed list": (pa.array([["a", "b"]], pa.list_(pa.string(), 2)), ["a", "b"]),
    "dictionary": (pa.array(["tea"]).dictionary_encode(), "tea"),
    "numbers by number": (pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([178])), 178),
    "words in lists": (
        pa.ListArray.from_arrays(
            pa.array([0, 1], pa.int32()), pa.array(["a"]).dictionary_encode()
        ),
        ["a"],
    ),
    "map": (
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        [{"key": "k", "value": 1}],
    ),
    "json": (pa.array(['{"a":1}'], pa.json_()), '{"a":1}'),
    "bool8": (pa.array([True]).cast(pa.bool8()), 1),
    "structs": (
        pa.array([[{"sku": b"a", "at": {"n": 1}}]]),
        [{"sku": "a", "at": {"n": 1}}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_every_type(tmp_path: Path, kind: str) -> None:
    # Polars cannot read views of short texts in compressed Arrow files: an error, see below.
    names = [name for name in COLUMNS if kind != "x.feather" or "view" not in name]
    rows = read(write(pa.table({name: COLUMNS[name][0] for name in names}), tmp_path / kind))
    assert rows.row(0, named=True) == {name: COLUMNS[name][1] for name in names}


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_structs_are_columns(tmp_path: Path, kind: str) -> None:
    at = pa.StructArray.from_arrays([pa.array([NOON_S], pa.timestamp("s", "+05:30"))], ["t"])
    table = pa.table({
        "ecommerce": pa.array([{"id": b"t1", "more": {"tags": ["a"], "items": [{"n": 1}]}}]),
        "ecommerce.id": pa.array(["own"]),
        "at": at,
    })  # fmt: skip
    rows = read(write(table, tmp_path / kind))
    assert rows.row(0, named=True) == {
        "ecommerce": {"id": "t1", "more": {"tags": ["a"], "items": [{"n": 1}]}},
        "ecommerce.id": "own",
        "at": {"t": NOON},
        "ecommerce.more.tags": ["a"],
        "ecommerce.more.items": [{"n": 1}],
        "at.t": NOON,
    }


def test_a_struct_with_very_many_fields_stays_one_column(tmp_path: Path) -> None:
    row = {f"k{n}": n for n in range(501)}
    file = write(pa.table({"a": pa.array([row])}), tmp_path / "x.parquet")
    assert read(file).columns == ["a"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "column",
    [
        pa.array([Decimal("19.99")], pa.decimal256(60, 18)),
        pa.array([["a"]], pa.list_view(pa.string())),
    ],
)
def test_a_type_that_cannot_be_read_is_an_error(tmp_path: Path, kind: str, column) -> None:
    table = pa.table({"a": column})
    try:
        file = write(table, tmp_path / kind)
    except pa.ArrowNotImplementedError:
        pytest.skip("pyarrow does not write it")
    with pytest.raises(DataError, match=rf"{kind}: .*cannot be read"):
        read(file)


@pytest.mark.parametrize("kind", ["x.arrow", "x.ipc", "x.feather"])
def test_a_damaged_arrow_file_names_itself(tmp_path: Path, kind: str) -> None:
    file = write(pa.table({"a": ["tea"] * 1000}), tmp_path / kind)
    whole = file.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"customer_id,item_id\n1,2\n"):
        file.write_bytes(content)
        with pytest.raises(DataError, match=kind):
            read(file)


def test_rows_that_do_not_come_out_are_an_error(tmp_path: Path) -> None:
    file = write(pa.table({"a": COLUMNS["string view"][0]}), tmp_path / "x.feather")
    with pytest.raises(DataError, match="only 0 of 1 rows came out"):
        read(file)


def test_feather_of_version_1_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.feather"
    file.write_bytes(b"FEA1" + bytes(16))
    with pytest.raises(DataError, match="Feather version 1"):
        open_table(file)


def test_compressed_arrow_and_many_batches(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": range(1000)})
    for compression in ("lz4", "zstd", "uncompressed"):
        frame.write_ipc(tmp_path / "x.arrow", compression=compression, record_batch_size=100)
        assert read(tmp_path / "x.arrow").equals(frame)
        frame.write_ipc_stream(tmp_path / "x.arrow", compression=compression)
        assert read(tmp_path / "x.arrow").equals(frame)


@pytest.mark.parametrize("kind", KINDS)
def test_categories_of_pandas_with_empty_cells(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x", None, "y"])})
    file = write(pa.Table.from_pandas(frame), tmp_path / kind)
    assert read(file)["a"].to_list() == ["x", None, "y"]


@pytest.mark.parametrize("kind", ["x.arrow", "x.ipc"])
def test_without_pyarrow_these_are_an_error(tmp_path: Path, kind: str, monkeypatch) -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x", None, "y"])})
    file = write(pa.Table.from_pandas(frame), tmp_path / kind)
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DataError, match=f"{kind}: .*install pyarrow"):
        read(file)
