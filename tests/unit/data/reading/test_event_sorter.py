import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.data.events import EVENT_SCHEMA
from recsys.data.progress import silent
from recsys.data.reading.event_ids import content_ids, numbered
from recsys.data.reading.event_sorter import EventSorter

START = datetime(2024, 1, 1, tzinfo=UTC)


def events(times: list[int], ids: list[str | None] | None = None, **cells: object) -> pl.DataFrame:
    columns = {
        "event_id": ids or [None] * len(times),
        "customer_id": ["ann"] * len(times),
        "item_id": ["tea"] * len(times),
        "event_type": ["purchase"] * len(times),
        "event_time": [START + timedelta(minutes=minute) for minute in times],
        "quantity": [1.0] * len(times),
        **cells,
    }
    empty = {name: [None] * len(times) for name in EVENT_SCHEMA if name not in columns}
    return pl.DataFrame({**columns, **empty}, schema_overrides=EVENT_SCHEMA).select(*EVENT_SCHEMA)


def sort(folder: Path, *batches: pl.DataFrame, range_rows: int = 4) -> tuple[pl.DataFrame, int]:
    """Returns the sorted file and the number of duplicates."""
    folder.mkdir(exist_ok=True)
    chunks = folder / "chunks"
    chunks.mkdir()
    sorter = EventSorter(chunks, range_rows=range_rows)
    for batch in batches:
        sorter.add(batch)
    dropped = sorter.write(folder / "events.parquet", silent)
    assert sorter.rows == sum(map(len, batches))
    written = pl.read_parquet(folder / "events.parquet")
    assert written.equals(pl.concat(sorter.in_order(silent)))
    return written, dropped


def test_ids_are_a_digest_of_what_the_row_says() -> None:
    # Spelled out once more: ids that were handed out must never change.
    content = [
        "customer_id\x1eann",
        "item_id\x1etea",
        "event_type\x1epurchase",
        "event_time\x1e1704067260000000",
        "quantity\x1e2.5",
    ]
    digest = hashlib.blake2b("\x1f".join(content).encode(), digest_size=8).digest()
    expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert content_ids(events([0, 1], quantity=[1.0, 2.5])).to_list()[1] == expected


@pytest.mark.parametrize("name", [name for name in EVENT_SCHEMA if name != "event_id"])
def test_every_column_counts(name: str) -> None:
    changed = {"event_time": START + timedelta(microseconds=1)}.get(name)
    if changed is None:
        changed = 7.5 if EVENT_SCHEMA[name] == pl.Float64() else "other"
    one = events([0])
    other = one.with_columns(pl.lit(changed, EVENT_SCHEMA[name]).alias(name))
    assert content_ids(one).item() != content_ids(other).item()


def test_neighbouring_columns_do_not_run_together() -> None:
    one = events([0], session_id=["a"], basket_id=[None])
    other = events([0], session_id=[None], basket_id=["a"])
    assert content_ids(one).item() != content_ids(other).item()


def test_equal_rows_are_numbered() -> None:
    frame = pl.DataFrame({"event_id": ["a", "a", "a", "b"], "derived": [True] * 4})
    assert numbered(frame, "derived")["event_id"].to_list() == ["a", "a.2", "a.3", "b"]


def test_sorted_whole_and_in_ranges(tmp_path: Path) -> None:
    batches = [events([(7 * n) % 100 for n in range(k, k + 30)]) for k in (0, 30, 60)]
    one, _ = sort(tmp_path / "one", *batches, range_rows=1_000)
    many, _ = sort(tmp_path / "many", *batches, range_rows=4)
    assert one.equals(many)
    assert dict(one.schema) == EVENT_SCHEMA
    assert one.equals(one.sort("event_time", "event_id"))
    assert len(one) == 90
    assert one["event_id"].n_unique() == 90


def test_the_order_of_the_input_does_not_matter(tmp_path: Path) -> None:
    batch = events([5, 3, 5, 5, 1, 3])
    one, _ = sort(tmp_path / "one", batch)
    other, _ = sort(tmp_path / "other", batch[::-1][:2], batch[::-1][2:])
    assert one.equals(other)
    assert (tmp_path / "one/events.parquet").read_bytes() == (
        tmp_path / "other/events.parquet"
    ).read_bytes()


def test_the_first_of_a_given_id_stays(tmp_path: Path) -> None:
    first = events([9, 1], ["x", "y"])
    later = events([2, 0, 0, 0], ["x", None, None, "z"])
    result, dropped = sort(tmp_path, first, later)
    assert dropped == 1
    assert result.filter(pl.col("event_id") == "x")["event_time"].to_list() == [
        START + timedelta(minutes=9)
    ]
    assert len(result) == 5


def test_many_at_one_moment(tmp_path: Path) -> None:
    result, _ = sort(tmp_path, events([3] * 20), events([3] * 20))
    assert result["event_id"].n_unique() == 40


def test_nothing_at_all(tmp_path: Path) -> None:
    result, dropped = sort(tmp_path, events([]))
    assert dict(result.schema) == EVENT_SCHEMA
    assert (len(result), dropped) == (0, 0)


def test_an_event_that_was_named_before_is_one_event(tmp_path: Path) -> None:
    raw = events([3, 1, 1, 2, 1])
    named, _ = sort(tmp_path / "named", raw)
    assert named["event_id"].str.ends_with(".3").sum() == 1
    for place, batches in enumerate([(raw, named), (named, raw), (named.head(3), raw)]):
        both, dropped = sort(tmp_path / str(place), *batches)
        assert both.equals(named)
        assert dropped == len(batches[0]) + len(batches[1]) - 5


def test_a_given_id_of_another_time_is_the_same_event(tmp_path: Path) -> None:
    raw = events([1])
    [event_id] = content_ids(raw)
    late = events([9], [event_id])
    assert sort(tmp_path / "a", raw, late)[0]["event_time"].to_list() == [*raw["event_time"]]
    assert sort(tmp_path / "b", late, raw)[0]["event_time"].to_list() == [*late["event_time"]]


def test_the_file_does_not_depend_on_how_events_came(tmp_path: Path) -> None:
    minutes = [place * 7919 % 3001 for place in range(3001)]
    whole = events(minutes, [f"e{minute}" for minute in minutes])
    contents = set()
    for name, size, range_rows in (("a", 3001, 4000), ("b", 100, 700), ("c", 999, 50)):
        shuffled = whole.sample(fraction=1, shuffle=True, seed=size)
        batches = [shuffled.slice(start, size) for start in range(0, 3001, size)]
        sort(tmp_path / name, *batches, range_rows=range_rows)
        contents.add((tmp_path / name / "events.parquet").read_bytes())
    assert len(contents) == 1


def test_events_are_settled_without_duplicates(tmp_path: Path) -> None:
    seen: list[int] = []

    def settled(rows: pl.DataFrame) -> pl.DataFrame:
        seen.append(len(rows))
        return rows.filter(pl.col("event_id") != "b").with_columns(customer_id=pl.lit("ben"))

    sorter = EventSorter(tmp_path, settled=settled)
    sorter.add(events([1, 2, 3], ["a", "b", "a"]))
    target = tmp_path / "events.parquet"
    assert sorter.write(target, silent) == 1
    assert seen == [2]
    assert pl.read_parquet(target)["customer_id"].to_list() == ["ben"]


@pytest.mark.parametrize("range_rows", [2, 100])
def test_events_that_say_the_same_are_counted(tmp_path: Path, range_rows: int) -> None:
    chunks = tmp_path / "chunks"
    chunks.mkdir()
    sorter = EventSorter(chunks, range_rows=range_rows)
    sorter.add(events([0, 0, 0, 1, 2, 2]))
    sorter.add(events([1, 3], event_id=["a.2", "b"]))
    sorter.write(tmp_path / "events.parquet", silent)
    # Three at one time and two at another are one each, and a given id is no repeat.
    assert (sorter.repeats, sorter.duplicates) == (3, 0)
