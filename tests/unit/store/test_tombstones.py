"""Tombstones as one value: whom they cover, and that they name nobody."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.store.tombstones import NOBODY, Tombstone, Tombstones, id_hash

SECRET = b"s" * 32
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT_US = int(AT.timestamp() * 1_000_000)


def stone(customer_id: str, sequence: int, *, time: int = AT_US, position: int = 5) -> Tombstone:
    return Tombstone(id_hash(SECRET, customer_id), time, position, sequence)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_events_up_to_the_erasure_are_covered(unit: str) -> None:
    laid = Tombstones(SECRET).with_newer([stone("anna", 1), stone("visitor/v", 2)])
    times = [AT - timedelta(days=9), AT, AT + timedelta(milliseconds=1), AT, AT, None]
    events = pl.DataFrame(
        {"customer_id": ["anna", "anna", "anna", "visitor/v", "ben", "anna"], "time": times},
        schema_overrides={"time": pl.Datetime(unit, "UTC")},
    )
    covered = laid.covers(events["customer_id"], events["time"]).tolist()
    assert covered == [True, True, False, True, False, False]
    assert not NOBODY.covers(events["customer_id"], events["time"]).any()


def test_a_later_erasure_takes_the_place_of_an_earlier_one() -> None:
    first = Tombstones(SECRET).with_newer([stone("anna", 1)])
    second = first.with_newer([stone("anna", 2, time=AT_US + 9, position=7)])
    assert first.with_newer([]) is first
    assert (len(second), second.sequence) == (1, 2)
    assert second.erase_times(["anna", "ben"]) == {"anna": AT_US + 9}
    assert [second.hides("anna", position) for position in (6, 7, 8)] == [True, True, False]
    assert not first.hides("anna", 6)


def test_as_long_as_they_were_not_read_everybody_is_hidden() -> None:
    assert Tombstones(SECRET, complete=False).hides("anna", 99)
    assert not NOBODY.hides("anna", 0)


@given(st.text(), st.text())
def test_a_hash_says_nothing_without_the_key(one: str, other: str) -> None:
    one, other = (text.encode(errors="replace").decode() for text in (one, other))
    assert (id_hash(SECRET, one) == id_hash(SECRET, other)) == (one == other)
    assert id_hash(SECRET, one) != id_hash(b"t" * 32, one)
    assert len(id_hash(SECRET, one)) == 32
