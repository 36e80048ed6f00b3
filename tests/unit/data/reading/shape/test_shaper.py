from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping_parts import Explode, FillDown, Join, OrderTimes
from recsys.data.reading.raw import ROW, RawBatch, RawTable, no_broken_rows
from recsys.data.reading.shape.joins import load_joins
from recsys.data.reading.shape.shaper import shaped
from recsys.errors import DataError

FILE = Path("in.csv")


def raw(*frames: pl.DataFrame) -> RawTable:
    batches = []
    done = 0
    for frame in frames:
        numbers = pl.int_range(done + 1, done + len(frame) + 1, eager=True).alias(ROW)
        batches.append(RawBatch(frame.clone().insert_column(0, numbers), no_broken_rows()))
        done += len(frame)
    columns = tuple(name for name in batches[0].rows.columns if name != ROW) if batches else ("a",)
    return RawTable(FILE, columns, iter(batches))


def rows(table: RawTable) -> pl.DataFrame:
    found = [batch.rows for batch in table.batches]
    assert all(frame.columns == [ROW, *table.columns] for frame in found)
    return pl.concat(found)


def test_a_table_without_shaping_is_the_same() -> None:
    table = raw(pl.DataFrame({"a": ["x"]}))
    assert shaped(table, FileMapping()) is table


def test_an_order_and_its_items_over_batches() -> None:
    mapping = FileMapping(
        fill_down=FillDown(by="no", columns=("who",)), explode=Explode(columns=("items",))
    )
    table = raw(
        pl.DataFrame({"no": ["1", "1"], "who": ["ann", ""], "items": [["a", "b"], ["c"]]}),
        pl.DataFrame({"no": ["1", "2"], "who": ["", ""], "items": [["d"], None]}),
    )
    found = rows(shaped(table, mapping))
    assert found["who"].to_list() == ["ann", "ann", "ann", "ann", None]
    assert found["item"].to_list() == ["a", "b", "c", "d", None]
    assert found[ROW].to_list() == [1, 1, 2, 3, 4]


def test_later_batches_have_other_packed_fields() -> None:
    mapping = FileMapping(explode=Explode(columns=("items",), separator=";", field_separator="|"))
    table = raw(
        pl.DataFrame({"items": ["name:Tea|n:1"]}),
        pl.DataFrame({"items": ["sku:c|name:Cup", "size:L"]}),
        pl.DataFrame({"items": [None, "plain"]}, schema={"items": pl.String}),
    )
    found = rows(shaped(table, mapping, wanted=("item.sku", "item.name", "other")))
    assert found.columns == [ROW, "item.#", "item.name", "item.n", "item.sku"]
    assert found["item.sku"].to_list() == [None, "c", None, None, None]
    assert found["item.name"].to_list() == ["Tea", "Cup", None, None, None]


def test_a_later_batch_without_a_column() -> None:
    mapping = FileMapping(key_values=("p",))
    table = raw(
        pl.DataFrame({"p": [[{"key": "a", "value": "1"}]], "q": ["x"]}),
        pl.DataFrame({"p": [[{"key": "b", "value": "2"}]]}),
    )
    found = shaped(table, mapping, wanted=("p.z",))
    assert found.columns == ("p", "q", "p.a", "p.z")
    last = list(found.batches)[1].rows
    assert last.drop(ROW, "p").row(0) == (None, None, None)


def test_keys_of_a_column_that_is_not_there() -> None:
    found = shaped(
        raw(pl.DataFrame({"a": ["x"]})), FileMapping(key_values=("p",)), wanted=("p.id",)
    )
    assert rows(found)["p.id"].to_list() == [None]


def test_order_times_see_all_batches() -> None:
    mapping = FileMapping(order_times=OrderTimes(customer="who", number="no"))
    table = raw(pl.DataFrame({"who": ["a"], "no": [1]}), pl.DataFrame({"who": ["a"], "no": [2]}))
    found = rows(shaped(table, mapping))
    assert found["order_time"].to_list() == ["2019-12-31 00:00:00", "2020-01-01 00:00:00"]


def test_tables_without_rows() -> None:
    mapping = FileMapping(
        explode=Explode(columns=("a",)),
        fill_down=FillDown(by="a", columns=("a",)),
        order_times=OrderTimes(customer="a", number="a"),
    )
    assert list(shaped(raw(), mapping).batches) == []
    empty = raw(pl.DataFrame(schema={"a": pl.String}))
    exploded = shaped(empty, FileMapping(explode=Explode(columns=("a",))))
    assert exploded.columns == ("item.#", "item")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (FileMapping(fill_down=FillDown(by="no", columns=("a",))), "in fill_down.by"),
        (FileMapping(order_times=OrderTimes(customer="a", number="no")), "in order_times"),
        (FileMapping(order_times=OrderTimes(customer="a", number="a", hour="no")), "order_times"),
        (FileMapping(explode=Explode(columns=("b",), name="a")), "explode makes one"),
    ],
)
def test_errors_name_the_file(mapping: FileMapping, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        rows(shaped(raw(pl.DataFrame({"a": ["1"], "b": ["x"]})), mapping))
    assert str(caught.value).startswith("in.csv: has ")


def test_joins_need_their_columns(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("id,who\n1,ann\n")
    needed = FileMapping(joins={"o": Join(files=("o.csv",), on={"no": "id"})})
    optional = FileMapping(joins={"o": Join(files=("o.csv",), on={"no": "id"}, optional=True)})
    frame = pl.DataFrame({"a": ["1"]})
    joins = load_joins([tmp_path / "in.csv"], needed)
    with pytest.raises(DataError, match=r"no column 'no', .*joins.o.on; its columns are a$"):
        shaped(raw(frame), needed, joins)
    joins = load_joins([tmp_path / "in.csv"], optional)
    assert shaped(raw(frame), optional, joins).columns == ("a",)
    there = shaped(raw(frame.rename({"a": "no"})), optional, joins)
    assert rows(there)["o.who"].to_list() == ["ann"]
