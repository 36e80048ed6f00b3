"""Whatever a file holds, every row comes out once: as an event, a reject or a duplicate."""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recsys.data.dataset import Dataset
from recsys.data.events import EVENT_SCHEMA
from recsys.data.reading.csv_reader import open_csv
from recsys.data.reading.delimiter import DELIMITERS
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources
from recsys.errors import DataError

NOW = datetime(2024, 6, 1, tzinfo=UTC)
COLUMNS = ("event_id", "customer_id", "item_id", "event_type", "event_time", "quantity")

text = st.text(max_size=6)
cells = st.tuples(
    st.sampled_from(["", "", "e1", "e2"]) | text,
    st.sampled_from(["ann", "bob", "", "visitor/x"]) | text,
    st.sampled_from(["tea", "milk", ""]) | text,
    st.sampled_from(["view", "purchase", "transaction", "made up", ""]) | text,
    st.sampled_from(["2024-01-01", "2024-01-01T10:00:00+02:00", "1704067200", "soon", ""]) | text,
    st.sampled_from(["1", "2.5", "0", "-1", "x", ""]) | text,
)
tables = st.lists(cells, min_size=1, max_size=12)


def as_csv(rows: list[tuple[str, ...]]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([COLUMNS, *rows])
    return target.getvalue().encode()


def as_jsonl(rows: list[tuple[str, ...]]) -> bytes:
    return "\n".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in rows).encode()


def as_parquet(rows: list[tuple[str, ...]]) -> bytes:
    target = io.BytesIO()
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    frame.write_parquet(target)
    return target.getvalue()


def load(folder: Path, name: str, content: bytes) -> tuple[pl.DataFrame, pl.DataFrame, int, int]:
    """Returns the events, the rejects, the rows read and the duplicates."""
    (folder / name).write_bytes(content)
    sources = Sources(str(folder / name))
    counts = prepare(sources, folder / "out", Mapping(max_reject_rate=1), now=NOW).tables["events"]
    events = Dataset.open(folder / "out").events.collect()
    rejects = pl.read_csv(folder / "out/rejects.csv")
    return events, rejects, counts.rows, counts.duplicates


@given(rows=tables, form=st.sampled_from([("x.jsonl", as_jsonl), ("x.parquet", as_parquet)]))
@settings(max_examples=30, deadline=None)
def test_every_row_comes_out_once(
    rows: list[tuple[str, ...]], form: tuple[str, Callable[[list[tuple[str, ...]]], bytes]]
) -> None:
    good = ("", "ann", "tea", "view", "2024-01-01", "1")
    name, write = form
    with tempfile.TemporaryDirectory() as folder:
        content = write([*rows, good])
        events, rejects, read, duplicates = load(Path(folder), name, content)
    assert read == len(rows) + 1
    assert len(events) + len(rejects) + duplicates == read
    assert rejects["row"].n_unique() == len(rejects)
    assert dict(events.schema) == EVENT_SCHEMA
    assert events["event_id"].null_count() == 0
    assert events["event_id"].n_unique() == len(events)
    assert events.equals(events.sort("event_time", "event_id"))
    assert (events["quantity"] > 0).all()


@given(rows=tables)
@settings(max_examples=20, deadline=None)
def test_formats_agree(rows: list[tuple[str, ...]]) -> None:
    good = ("", "ann", "tea", "view", "2024-01-01", "1")
    # A carriage return inside a CSV cell is the one thing that the formats read differently.
    rows = [tuple(cell.replace("\r", "") for cell in row) for row in rows]
    found = []
    for name, write in (("x.csv", as_csv), ("x.jsonl", as_jsonl), ("x.parquet", as_parquet)):
        with tempfile.TemporaryDirectory() as folder:
            events, rejects, *_ = load(Path(folder), name, write([*rows, good]))
        found.append((events, rejects.drop("file")))
    for events, rejects in found[1:]:
        assert events.equals(found[0][0])
        assert rejects.equals(found[0][1])


@given(rows=tables, seed=st.randoms(use_true_random=False), cut=st.integers(0, 12))
@settings(max_examples=20, deadline=None)
def test_neither_row_order_nor_files_change_the_result(rows, seed, cut) -> None:
    # Of rows with one given id the first stays, so there order is meant to matter.
    rows = [("", *row[1:]) for row in rows] + [("", "ann", "tea", "view", "2024-01-01", "1")]
    shuffled = seed.sample(rows, len(rows))
    digests = []
    with tempfile.TemporaryDirectory() as folder:
        for name, parts in (("one", [rows]), ("two", [shuffled[:cut], shuffled[cut:]])):
            (Path(folder) / name).mkdir()
            for number, part in enumerate(parts):
                (Path(folder) / name / f"{number}.parquet").write_bytes(as_parquet(part))
            source = Sources(str(Path(folder) / name))
            prepare(source, Path(folder) / "out", Mapping(max_reject_rate=1), now=NOW)
            digests.append(Dataset.open(Path(folder) / "out").digest)
    assert digests[0] == digests[1]


@given(
    rows=st.lists(st.tuples(text, text, text), min_size=1, max_size=8),
    sign=st.sampled_from(DELIMITERS),
)
@example(rows=[("", "0", "FECHA"), ("", "0", "0")], sign=",")
@settings(max_examples=100, deadline=None)
def test_csv_gives_back_what_was_written(rows: list[tuple[str, ...]], sign: str) -> None:
    rows = [tuple(cell.replace("\r", "").replace("\0", "") for cell in row) for row in rows]
    target = io.StringIO()
    writer = csv.writer(target, delimiter=sign, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        file.write_text(target.getvalue(), encoding="utf-8", newline="")
        batches = list(open_csv(file, delimiter=sign).batches)
    assert [row[1:] for batch in batches for row in batch.rows.rows()] == rows
    assert all(batch.broken.is_empty() for batch in batches)


@given(content=st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_break_the_csv_reader(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        file.write_bytes(b"a,b\n" + content)
        try:
            batches = list(open_csv(file, delimiter=",").batches)
        except DataError as error:
            assert "x.csv" in str(error)  # noqa: PT017 - not every input raises
            return
    numbers = [
        number
        for batch in batches
        for frame in (batch.rows, batch.broken)
        for number in frame.to_series(0).to_list()
    ]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
