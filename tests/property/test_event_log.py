"""Whatever is stored in whatever order by however many: each event once, the first one wins."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import VisitorTakenError
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import visitor_key
from tests.postgres import new_database, new_schema
from tests.stores import log_event

IDS = st.text("abcdef", min_size=1, max_size=2)
EVENTS = st.builds(
    log_event,
    IDS,
    st.sampled_from(["anna", "ben", visitor_key("v1"), visitor_key("v2")]),
    st.sampled_from(["tea", "cup", None]),
    event_type=st.sampled_from(["view", "purchase", "sniff"]),
)
BATCHES = st.lists(st.lists(EVENTS, max_size=6), max_size=12)
LINKS = st.tuples(st.sampled_from(["v1", "v2"]), st.sampled_from(["anna", "ben"]))
FreshStore = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(params=["sqlite", "postgres"], scope="module")
def fresh(request: pytest.FixtureRequest) -> FreshStore:
    """Lends empty stores, as many as a property has examples."""

    if request.param == "postgres":
        database = new_database(request.getfixturevalue("postgres_server"))

    @contextmanager
    def lent() -> Iterator[Store]:
        with TemporaryDirectory() as folder:
            url = f"store://{folder}"
            if request.param == "postgres":
                url = new_schema(database)
            store = open_store(url)
            yield store
            store.close()

    return lent


@settings(max_examples=12)
@given(BATCHES)
def test_the_log_is_the_first_of_each_id_in_order(
    fresh: FreshStore, batches: list[list[LogEvent]]
) -> None:
    with fresh() as store:
        expected: dict[str, LogEvent] = {}
        for batch in batches:
            known = len(expected)
            for event in batch:
                expected.setdefault(str(event.event_id), event)
            new = len(expected) - known
            answer = store.append(batch)
            assert answer[:4] == (new, len(batch) - new, 0, len(expected))
        assert store.rows(0, 999, 999) == [
            (position, *event) for position, event in enumerate(expected.values(), 1)
        ]


@settings(max_examples=8)
@given(st.lists(BATCHES, min_size=2, max_size=4))
def test_several_at_once_leave_no_gap_and_no_repeat(
    fresh: FreshStore, callers: list[list[list[LogEvent]]]
) -> None:
    with fresh() as store:
        with ThreadPoolExecutor(len(callers)) as pool:
            answers = list(
                pool.map(lambda batches: [store.append(batch) for batch in batches], callers)
            )
        rows = store.rows(0, 999, 999)
        sent = {event.event_id for batches in callers for batch in batches for event in batch}
        assert [row[0] for row in rows] == list(range(1, len(sent) + 1))
        assert {row[1] for row in rows} == sent
        assert sum(answer.stored for each in answers for answer in each) == len(sent)


@settings(max_examples=12)
@given(
    st.lists(st.one_of(st.lists(EVENTS, max_size=3), LINKS), max_size=12),
    st.integers(0, 20),
)
def test_a_tail_is_what_the_log_says_of_the_customer_and_all_visitors(
    fresh: FreshStore, steps: list[list[LogEvent] | tuple[str, str]], after: int
) -> None:
    with fresh() as store:
        owners: dict[str, str] = {}
        for step in steps:
            if isinstance(step, list):
                store.append(step)
                continue
            visitor, customer = step
            if owners.setdefault(visitor, customer) == customer:
                store.link_visitor(visitor, customer)
            else:
                with pytest.raises(VisitorTakenError):
                    store.link_visitor(visitor, customer)
        rows = store.rows(after, 999, 999)
        for asked in ("anna", "ben", visitor_key("v1"), visitor_key("v2"), "nobody"):
            customer = owners.get(asked.removeprefix("visitor/"), asked)
            visitors = {key for key, who in owners.items() if who == customer}
            names = {customer, *map(visitor_key, visitors)}
            tail = store.tail(asked, after)
            assert tail.customer_id == customer
            assert [event.position for event in tail.events] == [
                row[0] for row in rows if row[2] in names and row[5] is not None
            ]
            assert {link.visitor_id for link in tail.links} == visitors
