"""Whatever is sent, a batch is either stored as it was meant or refused for what is wrong."""

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.event_names import logged_event_type
from recsys.errors import InvalidEventError
from recsys.types import EVENT_TYPES, visitor_key
from recsys.v1.event_pb2 import Event
from serving.errors import MAX_VIOLATIONS
from serving.messages.event_checks import event_violations
from serving.messages.event_properties import properties_text
from serving.messages.event_rows import to_rows
from tests.events import DAY_S, NOW_S, at, sent_event

NOW_US = NOW_S * 1_000_000
LATEST_US = (NOW_S + DAY_S) * 1_000_000

texts = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12),
    st.sampled_from(["", "visitor/", "visitor/7", "x" * 512, "x" * 513, "é" * 256, "é" * 257]),
)
kinds = st.one_of(
    st.sampled_from([kind.value for kind in EVENT_TYPES]),
    st.sampled_from(["Product Viewed", "addToCart", "page_view", "pageview", "view_cart"]),
    texts,
    st.just("x" * 64),
)
numbers = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0]))
times = st.one_of(
    st.none(),
    st.builds(
        at,
        st.one_of(
            st.sampled_from([946_684_799, 946_684_800, NOW_S + DAY_S, NOW_S + DAY_S + 1]),
            st.integers(-(2**63), 2**63 - 1),
        ),
        st.sampled_from([0, 1, 999, 999_999_999, 10**9, -1]),
    ),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def structs(draw: st.DrawFn) -> Struct:
    struct = Struct()
    struct.update(draw(st.dictionaries(st.text(max_size=3), json_values, max_size=3)))
    return struct


unusual: Mapping[str, st.SearchStrategy[Any]] = {
    "event_id": texts,
    "customer_id": texts,
    "visitor_id": texts,
    "session_id": texts,
    "basket_id": texts,
    "item_id": texts,
    "offer_id": texts,
    "event_type": kinds,
    "event_time": times,
    "quantity": numbers,
    "unit_price": numbers,
    "channel": texts,
    "attribution_token": texts,
    "value": numbers,
    "properties": structs(),
}
events = st.builds(
    lambda changes: sent_event(**changes), st.fixed_dictionaries({}, optional=unusual)
)


@given(st.lists(events, min_size=1, max_size=4))
def test_a_batch_is_refused_if_and_only_if_a_field_is_wrong(batch: list[Event]) -> None:
    expected = tuple(
        violation
        for place, event in enumerate(batch)
        for violation in event_violations(event, f"events[{place}]", LATEST_US)
    )
    try:
        rows = to_rows(batch, NOW_US)
    except InvalidEventError as error:
        assert error.violations == expected[:MAX_VIOLATIONS]  # noqa: PT017  both ends are wanted
        assert expected
    else:
        assert not expected
        assert len(rows) == len(batch)


@given(events)
def test_a_row_says_what_the_event_said(event: Event) -> None:
    if any(event_violations(event, "", LATEST_US)):
        return
    [row] = to_rows([event], NOW_US)
    assert row.customer_id == (event.customer_id or visitor_key(event.visitor_id))
    for name in ("event_id", "session_id", "basket_id", "item_id", "offer_id", "channel"):
        assert (getattr(row, name) or "") == getattr(event, name)
    assert (row.attribution_token or "") == event.attribution_token
    has_item = event.item_id != ""
    assert row.event_type == logged_event_type(event.event_type, has_item=has_item)
    assert row.event_time == event.event_time.ToMicroseconds()
    assert row.quantity == (event.quantity if event.HasField("quantity") else 1.0)
    assert row.unit_price == (event.unit_price if event.HasField("unit_price") else None)
    assert row.value == (event.value if event.HasField("value") else None)
    if event.HasField("properties"):
        assert json.loads(row.properties or "") == MessageToDict(event.properties)
    else:
        assert row.properties is None


@given(st.dictionaries(st.text(max_size=3), json_values, max_size=4), st.randoms())
def test_equal_properties_are_equal_text(values: dict[str, Any], random: Any) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    one, other = Struct(), Struct()
    one.update(values)
    other.update({name: values[name] for name in shuffled})
    assert properties_text(one) == properties_text(other)
