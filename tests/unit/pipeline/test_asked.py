"""What was asked is kept as plain values, and is the same query when it comes back."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InvalidQueryError
from recsys.live.deployment import Exploration
from recsys.live.filter_parameters import to_parameters
from recsys.live.rules import Strictness, Tuning
from recsys.pipeline.asked import NOT_ASKED, from_asked, to_asked
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import CustomerId, EventType, ItemId

ids = st.lists(st.text(min_size=1).map(ItemId), max_size=3).map(tuple)
events = st.builds(
    RecentEvent,
    st.text(min_size=1).map(ItemId),
    st.sampled_from(EventType),
    st.integers(0, 2**40),
    st.floats(0.5, 9),
)
parameters = st.dictionaries(
    st.from_regex(r"[a-z]{1,5}", fullmatch=True),
    st.one_of(st.booleans(), st.text(), st.integers(0, 99), st.lists(st.text(), min_size=1)),
    max_size=3,
).map(to_parameters)
levels = st.one_of(st.none(), st.floats(0, 1))
queries = st.builds(
    Query,
    st.just("for_you"),
    st.integers(0, 2**40),
    st.just(CustomerId("anna")),
    limit=st.integers(1, 500),
    context_item_ids=ids,
    events=st.lists(events, max_size=3).map(tuple),
    filter=st.text(),
    filter_name=st.text(max_size=4),
    filter_parameters=parameters,
    exclude_item_ids=ids,
    only_item_ids=ids,
    market=st.one_of(st.none(), st.text(min_size=1)),
    tuning=st.builds(Tuning, levels, levels, levels),
    strictness=st.sampled_from(Strictness),
    exploration=st.one_of(st.none(), st.builds(Exploration, candidates=st.integers(2, 9))),
)


@given(queries)
def test_a_query_comes_back_from_json(query: Query) -> None:
    kept = json.loads(json.dumps(to_asked(query)))
    assert from_asked("for_you", "anna", kept) == query


def test_what_is_not_given_is_not_kept() -> None:
    assert to_asked(Query("for_you", 7)) == {"query_time": 7, "limit": 10}


def test_what_others_add_to_a_query_is_not_asked() -> None:
    made = Query(
        "for_you",
        7,
        CustomerId("anna"),
        merged_ids=(CustomerId("visitor/v"),),
        earlier=((CustomerId("anna"), RecentEvent(ItemId("tea"), EventType.VIEW, 3)),),
        seed="s",
        explain=True,
    )
    assert to_asked(made) == {"query_time": 7, "limit": 10}
    assert {field.name for field in fields(Query)} >= NOT_ASKED


def test_keys_of_others_do_not_count_and_strange_values_are_refused() -> None:
    kept = {**to_asked(Query("for_you", 7)), "basis": {"control": "b"}, "of_later": 1}
    assert from_asked("for_you", None, kept) == Query("for_you", 7)
    with pytest.raises(InvalidQueryError, match="limit"):
        from_asked("for_you", None, {**kept, "limit": "many"})
    assert replace(Query("for_you", 7), limit=3) == from_asked(
        "for_you", None, {"query_time": 7, "limit": 3}
    )
