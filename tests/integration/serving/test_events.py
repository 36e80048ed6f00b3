"""Events over the wire: stored whole or refused whole, each code and message as documented."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import grpc
import pytest

from recsys.errors import StoreError, StoreFullError, StoreUnavailableError
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import visitor_key
from recsys.v1 import event_service_pb2 as pb
from recsys.v1.event_pb2 import Event
from recsys.v1.event_service_pb2_grpc import EventServiceStub
from tests.events import NOW_S, WRONG, sent_event
from tests.integration.serving.refusal import refusal
from tests.integration.serving.steered import ServerFactory

SERVICE = "/recsys.v1.EventService/"
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
def channel(start_server: ServerFactory, store: Store) -> Iterator[grpc.Channel]:
    running = start_server(event_store=store, now=NOW_S, reflection=True)
    with grpc.insecure_channel(running.target) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.Channel) -> EventServiceStub:
    return EventServiceStub(channel)


def write(stub: EventServiceStub, *events: Event) -> tuple[int, ...]:
    """Returns the counts of stored, duplicate, unknown type, and the last position."""
    done = stub.WriteEvents(pb.WriteEventsRequest(events=events), timeout=20)
    return done.stored_count, done.duplicate_count, done.unknown_type_count, done.last_position


def stored_ids(store: Store) -> list[str]:
    return [row[1] for row in store.rows(0, 10**9, 10**9)]


def test_what_is_acknowledged_is_stored(stub: EventServiceStub, store: Store) -> None:
    assert write(stub, sent_event("a"), sent_event("b", visitor_id="v", customer_id=None)) == (
        2,
        0,
        0,
        2,
    )
    assert [row[:3] for row in store.rows(0, 9, 9)] == [(1, "a", "anna"), (2, "b", "visitor/v")]


def test_the_first_of_an_id_wins(stub: EventServiceStub, store: Store) -> None:
    assert write(stub, sent_event("a"), sent_event("a", item_id="cup")) == (1, 1, 0, 1)
    assert write(stub, sent_event("a", item_id="pot"), sent_event("b")) == (1, 1, 0, 2)
    assert stored_ids(store) == ["a", "b"]
    assert store.rows(0, 1, 1)[0][5] == "tea"


def test_an_unknown_type_is_stored_and_counted(stub: EventServiceStub, store: Store) -> None:
    visit = sent_event("a", event_type="store-visit", item_id=None)
    assert write(stub, visit, sent_event("b"), visit) == (2, 1, 1, 2)
    assert write(stub, visit) == (0, 1, 0, 2)
    assert [row[7] for row in store.rows(0, 9, 9)] == ["store-visit", "view"]


def test_both_ids_are_the_customers(stub: EventServiceStub, store: Store) -> None:
    write(stub, sent_event("a", customer_id="anna", visitor_id="v"))
    assert store.rows(0, 9, 9)[0][2] == "anna"


def test_events_without_an_id_are_stored_once(stub: EventServiceStub) -> None:
    batch = [sent_event(""), sent_event(""), sent_event("", item_id="cup")]
    assert write(stub, *batch) == (3, 0, 0, 3)
    assert write(stub, *batch) == (0, 3, 0, 3)


def test_each_wrong_event_refuses_its_batch(
    stub: EventServiceStub, store: Store, log_lines: list[dict[str, Any]]
) -> None:
    for wrong in WRONG:
        bad = sent_event(**{"event_id": "bad", **wrong.changes})
        request = pb.WriteEventsRequest(events=[sent_event("good"), bad])
        refused = refusal(partial(stub.WriteEvents, request, timeout=20))
        assert (refused.code, refused.reason) == (INVALID, "INVALID_EVENT"), wrong.title
        assert refused.fields == [f"events[1].{wrong.field}"], wrong.title
        assert refused.descriptions == [wrong.description], wrong.title
        assert refused.message == f"events[1].{wrong.field}: {wrong.description}", wrong.title
    assert store.last_position == 0
    assert write(stub, sent_event("good")) == (1, 0, 0, 1)
    assert "anna" not in str(log_lines)


@pytest.fixture
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path_factory.mktemp('embedded')}")
    yield opened
    opened.close()


@pytest.mark.parametrize(("count", "told"), [(0, "0"), (10_001, "10,001")])
def test_a_batch_has_one_to_ten_thousand_events(
    stub: EventServiceStub, store: Store, count: int, told: str
) -> None:
    refused = refusal(lambda: write(stub, *[sent_event(str(n)) for n in range(count)]))
    assert (refused.code, refused.reason) == (INVALID, "INVALID_BATCH")
    assert refused.fields == ["events"]
    assert refused.message == f"events: must have 1 to 10,000 elements, has {told}"
    assert store.last_position == 0


def test_ten_thousand_real_events_pass(stub: EventServiceStub) -> None:
    batch = [
        sent_event(
            f"5d2c9f1e-6f0b-4c55-9c0e-{n:012}",
            customer_id=f"customer-{n}",
            session_id=f"9f1e5d2c-6f0b-4c55-9c0e-{n:012}",
            item_id=f"article-{n % 977}",
            event_type="purchase",
            quantity=1.0,
            unit_price=9.99,
            channel="web",
            basket_id=f"order-{n}",
            attribution_token="x" * 200,
        )
        for n in range(10_000)
    ]
    assert write(stub, *batch) == (10_000, 0, 0, 10_000)
    assert write(stub, *batch) == (0, 10_000, 0, 10_000)


def test_all_wrong_fields_are_told_as_far_as_they_fit(stub: EventServiceStub) -> None:
    bad = sent_event(attribution_token="x" * 1000, event_time=None)
    batch = [*[sent_event()] * 9_950, *[bad] * 50]
    refused = refusal(lambda: write(stub, *batch))
    assert refused.reason == "INVALID_EVENT"
    assert len(refused.fields) == 50
    assert refused.message.endswith("(and 49 more)")
    assert refused.metadata["field"] == "events[9950].attribution_token"


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x04\x12\x02\xff\xfe"])
def test_malformed_bytes_are_the_callers_fault(channel: grpc.Channel, raw: bytes) -> None:
    unary: Any = channel.unary_unary(SERVICE + "WriteEvents")
    stream: Any = channel.stream_unary(SERVICE + "ImportEvents")
    for call in (lambda: unary(raw, timeout=5), lambda: stream(iter([raw]), timeout=5)):
        refused = refusal(call)
        assert (refused.code, refused.reason) == (INVALID, "MALFORMED_REQUEST")


def messages(*sizes: int) -> Iterator[pb.ImportEventsRequest]:
    first = 0
    for size in sizes:
        events = [sent_event(str(n)) for n in range(first, first + size)]
        yield pb.ImportEventsRequest(events=events)
        first += size


def test_an_import_sums_up_its_messages(stub: EventServiceStub, store: Store) -> None:
    assert write(stub, sent_event("3"), sent_event("x", event_type="nod", item_id=None)) == (
        2,
        0,
        1,
        2,
    )
    visit = pb.ImportEventsRequest(events=[sent_event("v", event_type="store-visit")])
    done = stub.ImportEvents(iter([*messages(3, 4), visit]), timeout=20)
    assert (done.message_count, done.stored_count, done.duplicate_count) == (3, 7, 1)
    assert (done.unknown_type_count, done.erased_count) == (1, 0)
    assert done.last_position == store.last_position == 9


def test_an_empty_import_says_where_the_log_ends(stub: EventServiceStub) -> None:
    write(stub, sent_event("a"))
    done = stub.ImportEvents(iter([]), timeout=20)
    assert (done.message_count, done.stored_count, done.last_position) == (0, 0, 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (pb.ImportEventsRequest(), "INVALID_BATCH"),
        (pb.ImportEventsRequest(events=[sent_event(), Event()]), "INVALID_EVENT"),
        (b"\xff\xff\xff", "MALFORMED_REQUEST"),
    ],
)
def test_a_refused_message_leaves_the_earlier_ones(
    channel: grpc.Channel, stub: EventServiceStub, store: Store, bad: Any, reason: str
) -> None:
    def encoded(message: Any) -> bytes:
        return message if isinstance(message, bytes) else message.SerializeToString()

    call: Any = channel.stream_unary(SERVICE + "ImportEvents", encoded)
    sent = [*messages(2, 3), bad, *messages(9)]
    refused = refusal(lambda: call(iter(sent), timeout=20))
    assert (refused.code, refused.reason) == (INVALID, reason)
    assert refused.metadata["stored_messages"] == "2"
    assert stored_ids(store) == ["0", "1", "2", "3", "4"]
    again = stub.ImportEvents(messages(2, 3, 4), timeout=20)
    assert (again.stored_count, again.duplicate_count) == (4, 5)


def test_imports_leave_threads_to_pages(start_server: ServerFactory, embedded: Store) -> None:
    running = start_server(event_store=embedded, now=NOW_S, concurrent_imports=1)
    begun, ended = threading.Event(), threading.Event()

    def slow() -> Iterator[pb.ImportEventsRequest]:
        yield from messages(1)
        begun.set()
        ended.wait(20)

    with grpc.insecure_channel(running.target) as channel, ThreadPoolExecutor(1) as pool:
        stub = EventServiceStub(channel)
        first = pool.submit(stub.ImportEvents, slow(), timeout=20)
        assert begun.wait(10)
        while embedded.last_position == 0:
            pass
        refused = refusal(lambda: stub.ImportEvents(messages(1), timeout=20))
        assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (refused.reason, refused.metadata.get("stored_messages")) == ("OVERLOADED", None)
        ended.set()
        assert first.result(20).stored_count == 1
        assert stub.ImportEvents(messages(1), timeout=20).duplicate_count == 1


def identify(stub: EventServiceStub, visitor_id: str, customer_id: str) -> Any:
    request = pb.IdentifyCustomerRequest(visitor_id=visitor_id, customer_id=customer_id)
    return stub.IdentifyCustomer(request, timeout=20)


def test_a_visitor_becomes_a_customer_once(stub: EventServiceStub, store: Store) -> None:
    write(stub, sent_event("a", customer_id=None, visitor_id="v"))
    first, second = identify(stub, "v", "anna"), identify(stub, "v", "anna")
    assert (first.linked_now, second.linked_now) == (True, False)
    assert first.link_time.seconds > NOW_S
    assert first.link_time == second.link_time
    assert [event.position for event in store.tail("anna", 0).events] == [1]
    refused = refusal(lambda: identify(stub, "v", "ben"))
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.reason == "VISITOR_TAKEN"
    assert store.tail(visitor_key("v"), 0).customer_id == "anna"


@pytest.mark.parametrize(
    ("visitor_id", "customer_id", "field", "description"),
    [
        ("", "anna", "visitor_id", "must not be empty"),
        ("v", "", "customer_id", "must not be empty"),
        ("x" * 513, "anna", "visitor_id", "must be at most 512 bytes, is 513"),
        ("v", "a\nb", "customer_id", "must not contain control characters"),
        ("v", "visitor/w", "customer_id", "must not begin with 'visitor/': use visitor_id"),
    ],
)
def test_a_wrong_link_is_refused(
    stub: EventServiceStub, visitor_id: str, customer_id: str, field: str, description: str
) -> None:
    refused = refusal(lambda: identify(stub, visitor_id, customer_id))
    assert (refused.code, refused.reason) == (INVALID, "INVALID_QUERY")
    assert (refused.fields, refused.descriptions) == ([field], [description])


def test_a_server_without_a_store_says_so(start_server: ServerFactory) -> None:
    with grpc.insecure_channel(start_server().target) as channel:
        stub = EventServiceStub(channel)
        for call in (
            lambda: write(stub, sent_event()),
            lambda: stub.ImportEvents(messages(1), timeout=5),
            lambda: stub.ImportEvents(iter([]), timeout=5),
            lambda: identify(stub, "v", "anna"),
        ):
            refused = refusal(call)
            assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
            assert refused.reason == "STORE_NOT_CONFIGURED"


class FailingWriter:
    """What a disk makes of every write."""

    def __init__(self, error: StoreError) -> None:
        self.error = error

    def write(self, *_: Any) -> Any:
        raise self.error

    def write_all(self, _: Any) -> None:
        raise self.error

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailableError("the store cannot be used"), grpc.StatusCode.UNAVAILABLE),
        (StoreFullError("no room"), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_a_store_that_cannot_be_written_says_so(
    start_server: ServerFactory, embedded: Store, error: StoreError, code: grpc.StatusCode
) -> None:
    failing = replace(embedded, writer=FailingWriter(error))
    running = start_server(event_store=failing, now=NOW_S)
    with grpc.insecure_channel(running.target) as channel:
        stub = EventServiceStub(channel)
        for call in (
            lambda: write(stub, sent_event()),
            lambda: stub.ImportEvents(messages(1), timeout=5),
            lambda: identify(stub, "v", "anna"),
        ):
            refused = refusal(call)
            assert (refused.code, refused.reason) == (code, error.reason)


def test_the_log_counts_and_names_nobody(
    stub: EventServiceStub, log_lines: list[dict[str, Any]]
) -> None:
    write(stub, sent_event("a", customer_id="secret-anna", item_id="secret-tea"))
    write(stub, sent_event("a", customer_id="secret-anna"))
    stub.ImportEvents(messages(2, 3), timeout=20)
    identify(stub, "secret-visitor", "secret-anna")
    first, second, third, _ = [line for line in log_lines if line["event"] == "rpc.finished"]
    assert (first["events"], first["stored"], first["duplicates"]) == (1, 1, 0)
    assert (second["events"], second["stored"], second["duplicates"]) == (1, 0, 1)
    assert (third["messages"], third["stored"], third["duplicates"]) == (2, 5, 0)
    assert "secret" not in str(log_lines)
