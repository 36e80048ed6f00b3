from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import DataError
from recsys.protocols.files import read_table
from recsys.protocols.shapes import Shape


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "shape", "first"),
    [
        ("customer_id,item_id\nann,tea\n", Shape.PAIRS, ("ann", "tea")),
        ("user,product\n7,9\n", Shape.PAIRS, ("7", "9")),
        ("user_id,position,item_id\nann,3,tea\n", Shape.SEQUENCES, ("ann", "tea", 3)),
        ("basket_no,customer_id,item_id\n2,ann,tea\n", Shape.BASKETS, ("ann", "tea", 2)),
        (
            "customer_id,item_id,event_type,event_time\nann,tea,pv,2026-01-02\n",
            Shape.EVENTS,
            ("ann", "tea", "view", datetime(2026, 1, 2, tzinfo=UTC)),
        ),
        (
            "SessionId\tItemId\tTime\n5\t6\t1767312000.5\n",
            Shape.EVENTS,
            ("5", "6", "5", None, datetime(2026, 1, 2, 0, 0, 0, 500_000, tzinfo=UTC)),
        ),
    ],
)
def test_the_columns_say_the_shape(
    tmp_path: Path, text: str, shape: Shape, first: tuple[object, ...]
) -> None:
    table = read_table(written(tmp_path / "part.csv", text))
    assert table.shape is shape
    assert table.rows.row(0) == first


def test_parquet_and_csv_read_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame({"customer_id": [1, 2], "item_id": [10.0, 11.0]})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_csv(tmp_path / "a.csv")
    one, two = (read_table(tmp_path / name) for name in ("a.parquet", "a.csv"))
    assert one.rows.rows() == two.rows.rows() == [("1", "10"), ("2", "11")]


SPLIT = "split,customer_id,item_id\ntrain,ann,tea\nvalidate,bob,tea\ntest,cat,milk\n"


@pytest.mark.parametrize(
    ("source", "part", "customers"),
    [
        ("all.csv", "train", ["ann"]),
        ("all.csv", "validation", ["bob"]),
        ("all.csv", "test", ["cat"]),
        ("all.csv", None, ["ann", "bob", "cat"]),
        ("all.csv::split=test", "train", ["cat"]),
        ("all.csv::item_id=tea", "test", ["ann", "bob"]),
    ],
)
def test_one_file_can_hold_several_parts(
    tmp_path: Path, source: str, part: str | None, customers: list[str]
) -> None:
    written(tmp_path / "all.csv", SPLIT)
    table = read_table(f"{tmp_path}/{source}", part)
    assert table.rows["customer_id"].to_list() == customers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("customer_id,colour\nann,red\n", "there is no column item_id among customer_id, colour"),
        ("customer_id,item_id\nann,tea\nbob,\n", "part.csv: row 2: item_id: is empty"),
        (
            "customer_id,position,item_id\nann,1,tea\nann,first,tea\n",
            "row 2: position: cannot be read: 'first'",
        ),
        ("customer_id,basket_no,item_id\nann,1.5,tea\n", "row 1: basket_no: cannot be read"),
        ("customer_id,when,item_id,time\nann,1,tea,soon\n", "row 1: time: cannot be read: 'soon'"),
        ("customer_id,item_id\nann,tea,milk\n", "row 1: row: "),
        ("customer_id,item_id\nann,4.01E+12\n", "row 1: item_id: id has lost digits"),
        ("customer_id,item_id\n", "holds no row of the part train"),
    ],
)
def test_an_error_names_file_row_and_field(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=r"part\.csv") as caught:
        read_table(written(tmp_path / "part.csv", text), "train")
    assert says in str(caught.value)


@pytest.mark.parametrize("selection", ["colour=red", "split"])
def test_a_selection_needs_a_column_of_the_file(tmp_path: Path, selection: str) -> None:
    written(tmp_path / "all.csv", SPLIT)
    with pytest.raises(DataError, match="with one of the columns split, customer_id, item_id"):
        read_table(f"{tmp_path}/all.csv::{selection}")


def test_a_missing_file_and_mixed_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_table(tmp_path / "nothing.csv")
    written(tmp_path / "a.csv", "customer_id,item_id\nann,tea\n")
    written(tmp_path / "b.csv", "customer_id,item_id,position\nann,tea,1\n")
    with pytest.raises(DataError, match=r"several shapes.*a\.csv \(pairs\).*b\.csv \(sequences\)"):
        read_table(tmp_path)
