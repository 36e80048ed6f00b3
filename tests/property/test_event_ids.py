"""An event is named alike, whether it comes from a file or live."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.events import EVENT_SCHEMA
from recsys.data.reading.event_ids import content_id, content_ids
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources
from recsys.store.event_ids import with_ids
from recsys.store.events import LogEvent
from serving.messages.event_rows import to_rows
from tests.events import NOW_S, at, properties, sent_event

texts = st.one_of(
    st.none(), st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
log_events = st.builds(
    LogEvent,
    event_id=st.none(),
    customer_id=st.text(min_size=1),
    session_id=texts,
    basket_id=texts,
    item_id=texts,
    offer_id=texts,
    event_type=st.text(min_size=1),
    event_time=st.integers(0, 4 * 10**15),
    quantity=numbers,
    unit_price=st.one_of(st.none(), numbers),
    channel=texts,
    attribution_token=texts,
    value=st.one_of(st.none(), numbers),
    properties=texts,
)


@given(st.lists(log_events, min_size=1, max_size=5))
def test_one_row_and_a_data_frame_are_named_alike(batch: list[LogEvent]) -> None:
    frame = pl.DataFrame(batch, schema=EVENT_SCHEMA, orient="row")
    assert [content_id(event[1:]) for event in batch] == content_ids(frame).to_list()


@pytest.mark.parametrize("number", [1e-3, 9.99e-4, 1e15, 9.99e14, 1e16, -1e-5, 5e-324, -0.0])
def test_numbers_are_written_alike_at_the_edges(number: float) -> None:
    event = LogEvent(None, "c", None, None, None, None, "view", 0, number)
    frame = pl.DataFrame([event], schema=EVENT_SCHEMA, orient="row")
    assert content_id(event[1:]) == content_ids(frame).item()


CSV = """\
customer_id,visitor_id,item_id,event_type,event_time,quantity,unit_price,channel,properties
anna,,tea,view,2024-01-01T11:59:00.123456Z,,,web,
anna,,tea,purchase,2024-01-01T11:58:00Z,2,9.99,web,
anna,,tea,purchase,2024-01-01T11:58:00Z,2,9.99,web,
,v-1,cup,add-to-cart,2024-01-01T11:57:00Z,1,0.00001,,
ben,,,search,2024-01-01T11:56:00Z,,,app,"{""page"":3,""words"":""größe""}"
"""


def test_a_file_and_live_events_are_named_alike(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(CSV, encoding="utf-8")
    now = datetime.fromtimestamp(NOW_S, UTC)
    prepare(Sources(str(tmp_path / "in.csv")), tmp_path / "out", Mapping(), now=now)
    from_file = pl.read_parquet(tmp_path / "out" / "events.parquet")

    bought = {"event_type": "purchase", "event_time": at(NOW_S - 120), "quantity": 2}
    sent = [
        sent_event("", event_time=at(NOW_S - 60, 123_456_789), channel="web"),
        sent_event("", **bought, unit_price=9.99, channel="web"),
        sent_event("", **bought, unit_price=9.99, channel="web"),
        sent_event(
            "",
            customer_id=None,
            visitor_id="v-1",
            item_id="cup",
            event_type="add-to-cart",
            event_time=at(NOW_S - 180),
            unit_price=1e-5,
        ),
        sent_event(
            "",
            customer_id="ben",
            item_id=None,
            event_type="search",
            event_time=at(NOW_S - 240),
            channel="app",
            properties=properties(words="größe", page=3),
        ),
    ]
    live = with_ids(to_rows(sent, NOW_S * 1_000_000))
    assert sorted(event.event_id or "" for event in live) == sorted(from_file["event_id"])
    assert sum((event.event_id or "").endswith(".2") for event in live) == 1
