import gzip
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping_parts import Join, OrderTimes
from recsys.data.reading.shape.joins import join_files, load_joins
from recsys.errors import DataError

ROWS = pl.DataFrame({"order": ["1", "2", "9", None]})


def mapping(**joins: Join) -> FileMapping:
    return FileMapping(joins=joins)


def order_join(**changes: object) -> Join:
    return Join(**{"files": ("orders.csv",), "on": {"order": "id"}, **changes})


def joined(folder: Path, rows: pl.DataFrame, settings: FileMapping) -> pl.DataFrame:
    for table in load_joins([folder / "items.csv"], settings):
        rows = table.beside(rows, settings)
    return rows


def test_columns_come_beside_the_rows(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,who\n2, bob \n1,ann\n3,NULL\n")
    settings = mapping(o=order_join())
    (table,) = load_joins([tmp_path / "items.csv"], settings)
    found = table.beside(ROWS, settings)
    assert found.to_dict(as_series=False) == {
        "order": ["1", "2", "9", None],
        "o.id": ["1", "2", None, None],
        "o.who": ["ann", "bob", None, None],
    }
    table.beside(ROWS.head(1), settings)
    assert table.notes() == (
        "2 of 5 rows have no partner in o by order: the columns o.* are empty there",
    )


def test_the_first_row_of_a_key_counts(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,who\n1,ann\n1,bob\n,eve\n,mal\n1.0,cid\n")
    (table,) = load_joins([tmp_path / "items.csv"], mapping(o=order_join()))
    assert table.beside(ROWS, mapping())["o.who"].to_list() == ["ann", None, None, None]
    assert any("2 rows have a key (order) that an earlier row has" in n for n in table.notes())


@pytest.mark.parametrize(
    "keys",
    [
        pl.Series([1, 2, 9, None], dtype=pl.Int64),
        pl.Series([1, 2, 9, None], dtype=pl.UInt8),
        pl.Series([1.0, 2.0, 9.0, None], dtype=pl.Float64),
        pl.Series([1.0, 2.0, float("nan"), None], dtype=pl.Float32),
        pl.Series(["1", " 2", "9", ""]),
        pl.Series(["1.0", "2.0", "9.5", None]),
        pl.Series(["1", "2", None, None], dtype=pl.Categorical),
    ],
)
@pytest.mark.parametrize("other", [["1", "2"], [1, 2], [1.0, 2.0]])
def test_keys_of_every_type(keys: pl.Series, other: list[object], tmp_path: Path) -> None:
    pl.DataFrame({"id": other, "who": ["ann", "bob"]}).write_parquet(tmp_path / "orders.parquet")
    settings = mapping(o=order_join(files=("orders.*",)))
    found = joined(tmp_path, pl.DataFrame({"order": keys}), settings)
    assert found["o.who"].to_list() == ["ann", "bob", None, None]
    assert found["order"].equals(keys)


def test_keys_of_several_columns(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,shop,who\n1,x,ann\n1,y,bob\n")
    rows = pl.DataFrame({"order": ["1", "1", "1"], "s": ["y", "x", "z"]})
    settings = mapping(o=order_join(on={"order": "id", "s": "shop"}))
    assert joined(tmp_path, rows, settings)["o.who"].to_list() == ["bob", "ann", None]


def test_joins_use_what_earlier_ones_brought(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,cust\n1,c1\n2,c2\n")
    (tmp_path / "customers.csv").write_text("id,mail\nc2,b@x\n")
    settings = mapping(o=order_join(), c=Join(files=("customers.csv",), on={"o.cust": "id"}))
    assert joined(tmp_path, ROWS, settings)["c.mail"].to_list() == [None, "b@x", None, None]


def test_several_and_compressed_files_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "ORDERS_1.csv").write_text("id,who\n1,ann\n")
    (tmp_path / "orders_2.csv.gz").write_bytes(gzip.compress(b"id,town\n2,Rome\n"))
    (tmp_path / "orders_3.txt").write_text("id,who\n9,no\n")
    (tmp_path / "_orders_4.csv").write_text("id,who\n9,no\n")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "orders_0.csv").write_text("id,who\n9,old\n")
    found = joined(tmp_path, ROWS, mapping(o=order_join(files=("orders_*.csv",))))
    assert found["o.who"].to_list() == ["ann", None, None, None]
    assert found["o.town"].to_list() == [None, "Rome", None, None]


def test_a_table_is_not_joined_to_itself(tmp_path: Path) -> None:
    for name in ("items.csv", "items_b.csv"):
        (tmp_path / name).write_text("id,who\n1,ann\n")
    own = [tmp_path / "items.csv"]
    assert join_files(own, order_join(files=("items*.csv",))) == (tmp_path / "items_b.csv",)


def test_missing_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no orders.csv, which joins.o needs beside"):
        joined(tmp_path, ROWS, mapping(o=order_join()))
    assert load_joins([tmp_path / "items.csv"], mapping(o=order_join(optional=True))) == ()
    assert load_joins([], mapping(o=order_join())) == ()


def test_missing_columns_are_errors(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("no,who\n1,ann\n")
    with pytest.raises(DataError, match=r"no column 'id', .* joins.o.on; its columns are no, who"):
        joined(tmp_path, ROWS, mapping(o=order_join()))
    assert joined(tmp_path, ROWS, mapping(o=order_join(optional=True))).columns == ["order"]
    times = OrderTimes(customer="who", number="n")
    settings = mapping(o=order_join(on={"order": "no"}, order_times=times))
    with pytest.raises(DataError, match=r"no column 'n', .* joins.o.order_times"):
        joined(tmp_path, ROWS, settings)


def test_times_of_orders(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,who,n\n1,a,1\n2,a,2\n")
    settings = mapping(o=order_join(order_times=OrderTimes(customer="who", number="n")))
    found = joined(tmp_path, ROWS, settings)["o.order_time"].to_list()
    assert found == ["2019-12-31 00:00:00", "2020-01-01 00:00:00", None, None]


def test_a_name_that_is_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,who\n1,ann\n")
    rows = ROWS.with_columns(pl.lit("x").alias("o.who"))
    with pytest.raises(DataError, match=r"has a column 'o.who', and joins.o brings one"):
        joined(tmp_path, rows, mapping(o=order_join()))


def test_rows_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text('{"id": "1", "who": "ann"}\nnot JSON\n')
    (table,) = load_joins([tmp_path / "items.csv"], mapping(o=order_join(files=("orders.jsonl",))))
    assert table.notes() == ("orders.jsonl: 1 rows cannot be read and are left out",)


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_empty_tables_and_frames(name: str, tmp_path: Path) -> None:
    empty = pl.DataFrame(schema={"id": pl.String, "who": pl.String})
    if name.endswith("csv"):
        empty.write_csv(tmp_path / name)
    else:
        empty.write_parquet(tmp_path / name)
    settings = mapping(o=order_join(files=(name,)))
    assert joined(tmp_path, ROWS, settings)["o.who"].to_list() == [None] * 4
    assert joined(tmp_path, ROWS.head(0), settings).columns == ["order", "o.id", "o.who"]


KEYS = st.lists(st.sampled_from(["1", "2", "3", None]), max_size=12)


@given(KEYS, KEYS)
def test_joins_are_what_a_loop_finds(left: list[str | None], right: list[str | None]) -> None:
    values = [str(place) for place in range(len(right))]
    other = pl.DataFrame(
        {"id": right, "v": values}, schema=dict.fromkeys(("id", "v"), pl.String())
    )
    with tempfile.TemporaryDirectory() as folder:
        other.write_parquet(Path(folder) / "orders.parquet")
        settings = mapping(o=order_join(files=("orders.parquet",)))
        rows = pl.DataFrame({"order": left}, schema={"order": pl.String})
        found = joined(Path(folder), rows, settings)
    first = {key: value for key, value in reversed(list(zip(right, values, strict=True))) if key}
    assert found["order"].to_list() == left
    assert found["o.v"].to_list() == [first.get(key) for key in left]
